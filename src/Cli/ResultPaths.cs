using System.Globalization;
using System.Text;

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

    const int MaxSlug = 60;

    /// <summary>File systems count bytes and allow 255 a name; the stem needs some.</summary>
    const int MaxSlugBytes = 120;

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
            string slug = Slug(phrase), unique = slug;
            for (int i = 2; slugs.Contains(unique); i++) unique = $"{slug}-{i}";
            slugs.Add(unique);
        }
        return slugs;
    }

    static string Slug(string phrase)
    {
        var slug = new StringBuilder();
        int length = 0, bytes = 0;
        bool gap = false;
        foreach (Rune rune in phrase.EnumerateRunes())
        {
            Rune lower = Rune.ToLowerInvariant(rune);
            if (!IsKept(lower))
            {
                gap = slug.Length > 0;
                continue;
            }
            length += gap ? 2 : 1;
            bytes += lower.Utf8SequenceLength + (gap ? 1 : 0);
            if (length > MaxSlug || bytes > MaxSlugBytes) break;
            if (gap) slug.Append('-');
            slug.Append(lower);
            gap = false;
        }
        return slug.Length > 0 ? slug.ToString() : "phrase";
    }

    /// <summary>Marks too: they are the vowels of many scripts.</summary>
    static bool IsKept(Rune rune) =>
        Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    static string ImageSuffix(OutputKinds kind) => $".{Spelling(kind)}.png";
}
