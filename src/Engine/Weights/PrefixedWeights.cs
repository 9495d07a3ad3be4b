namespace ClipSegNative.Weights;

/// <summary>Answers to canonical names, <c>clip.…</c> and <c>decoder.…</c>, whichever way the file spells the towers. Disposes what it wraps.</summary>
/// <remarks>
/// Hugging Face CLIPSeg files say <c>clip.</c>, files of the first conversion script <c>clipseg.</c>, plain CLIP checkpoints nothing.
/// The <c>position_ids</c> buffers of old files are no weights and are left out.
/// </remarks>
sealed class PrefixedWeights : IWeightSource
{
    public const string Towers = "clip.";
    public const string Decoder = "decoder.";

    readonly IWeightSource _inner;
    readonly string _spelling;
    readonly string[] _names;

    public PrefixedWeights(IWeightSource inner)
    {
        _inner = inner;
        _spelling = new[] { Towers, "clipseg." }.FirstOrDefault(prefix => inner.Names.Any(name => name.StartsWith(prefix, StringComparison.Ordinal)), "");
        _names = [.. inner.Names.Where(name => !IsBuffer(name)).Select(Canonical)];
    }

    public string Description => _inner.Description;

    public IReadOnlyCollection<string> Names => _names;

    public bool TryFind(string name, out WeightEntry entry)
    {
        entry = default;
        if (IsBuffer(name)) return false;
        return _inner.TryFind(name.StartsWith(Towers, StringComparison.Ordinal) ? _spelling + name[Towers.Length..] : name, out entry);
    }

    public void Dispose() => _inner.Dispose();

    string Canonical(string stored) => stored.StartsWith(_spelling, StringComparison.Ordinal) && !stored.StartsWith(Decoder, StringComparison.Ordinal)
        ? Towers + stored[_spelling.Length..]
        : stored;

    static bool IsBuffer(string name) => name.EndsWith(".position_ids", StringComparison.Ordinal);
}
