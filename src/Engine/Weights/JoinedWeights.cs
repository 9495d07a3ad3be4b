namespace ClipSegNative.Weights;

/// <summary>A decoder from one source and the towers from another, under canonical names. Disposes both.</summary>
sealed class JoinedWeights(IWeightSource decoder, IWeightSource towers) : IWeightSource
{
    public string Description => $"{decoder.Description} with {towers.Description}";

    public IReadOnlyCollection<string> Names { get; } = [.. decoder.Names, .. towers.Names.Where(name => !IsDecoder(name))];

    public bool TryFind(string name, out WeightEntry entry) => (IsDecoder(name) ? decoder : towers).TryFind(name, out entry);

    public void Dispose()
    {
        decoder.Dispose();
        towers.Dispose();
    }

    static bool IsDecoder(string name) => name.StartsWith(PrefixedWeights.Decoder, StringComparison.Ordinal);
}
