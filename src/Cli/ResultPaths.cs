using ClipSegNative.Text;

namespace ClipSegNative.Cli;

/// <summary>What can be written about a picture; the first four are one PNG a phrase.</summary>
[Flags]
enum OutputKinds
{
    None = 0,
    Mask = 1,
    Heatmap = 2,
    Overlay = 4,
    Cutout = 8,
    Json = 16,
    Npy = 32,
    Logits = 64,
    Labels = 128,
}

/// <summary>The names of the files about one picture.</summary>
/// <param name="Prefix">Folder and stem.</param>
sealed record ResultPaths(string Prefix)
{
    public const OutputKinds PerPhrase = OutputKinds.Mask | OutputKinds.Heatmap | OutputKinds.Overlay | OutputKinds.Cutout;

    public static IReadOnlyList<OutputKinds> Kinds { get; } = [.. Enum.GetValues<OutputKinds>().Where(kind => kind != OutputKinds.None)];

    public static string Spelling(OutputKinds kind) => kind.ToString().ToLowerInvariant();

    public string Of(OutputKinds kind, string slug) => $"{Prefix}.{slug}{ImageSuffix(kind)}";

    public string Of(OutputKinds kind) => kind switch
    {
        OutputKinds.Json => $"{Prefix}.json",
        OutputKinds.Npy => $"{Prefix}.npy",
        OutputKinds.Logits => $"{Prefix}.logits.npy",
        OutputKinds.Labels => $"{Prefix}{ImageSuffix(kind)}",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    public IEnumerable<string> All(OutputKinds kinds, IReadOnlyList<string> slugs) => Kinds.Where(kind => kinds.HasFlag(kind))
        .SelectMany(kind => PerPhrase.HasFlag(kind) ? slugs.Select(slug => Of(kind, slug)) : [Of(kind)]);

    public static bool IsResult(string fileName) =>
        Kinds.Any(kind => (PerPhrase | OutputKinds.Labels).HasFlag(kind) && fileName.EndsWith(ImageSuffix(kind), StringComparison.OrdinalIgnoreCase));

    /// <summary>Phrases as parts of file names, no two alike.</summary>
    public static IReadOnlyList<string> Slugs(IReadOnlyList<string> phrases)
    {
        var slugs = new List<string>(phrases.Count);
        foreach (string phrase in phrases)
        {
            string slug = PhraseSlug.Of(phrase), unique = slug;
            for (int i = 2; slugs.Contains(unique); i++) unique = $"{slug}-{i}";
            slugs.Add(unique);
        }
        return slugs;
    }

    static string ImageSuffix(OutputKinds kind) => $".{Spelling(kind)}.png";
}
