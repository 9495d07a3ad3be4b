using System.Globalization;
using ClipSegNative.Backends;
using ClipSegNative.Evaluation;

namespace ClipSegNative.Training;

/// <summary>
/// Notices a model that answers every phrase the same: all background, which is right for nine tenths of the pixels of an ordinary data set, or all
/// foreground. Says so once, with the score that such an answer gets for nothing beside it, until the answers differ again.
/// </summary>
/// <param name="window">How many training phrases are looked at together.</param>
sealed class CollapseGuard(int window)
{
    readonly Queue<PixelCounts> _last = new();
    bool _said;

    /// <summary>One more phrase of training, counted at probability one half.</summary>
    /// <returns>The warning, when it is due; else null.</returns>
    public string? Look(PixelCounts counts)
    {
        _last.Enqueue(counts);
        if (_last.Count <= window) return null;
        _last.Dequeue();
        string? collapse = Describe(_last);
        bool due = collapse is not null && !_said;
        _said = collapse is not null;
        return due ? $"the last {window} training phrases: {collapse}" : null;
    }

    /// <summary>What <see cref="IBackend.MaskLoss"/> counted of one map.</summary>
    public static PixelCounts Count(ReadOnlySpan<float> sums, int pixels)
    {
        long hits = (long)sums[MaskLosses.HitCount], found = (long)sums[MaskLosses.PositiveCount], wanted = (long)sums[MaskLosses.TargetSum];
        return new PixelCounts(hits, found - hits, wanted - hits, pixels - found - wanted + hits);
    }

    /// <summary>Null unless every phrase got the same trivial answer and some answer should have differed.</summary>
    public static string? Describe(IReadOnlyCollection<PixelCounts> phrases)
    {
        bool background = phrases.All(phrase => phrase.Found == 0) && phrases.Any(phrase => phrase.FalseNegatives > 0);
        bool foreground = phrases.All(phrase => phrase.TrueNegatives + phrase.FalseNegatives == 0) && phrases.Any(phrase => phrase.FalsePositives > 0);
        if (!background && !foreground) return null;
        string all = background ? "background" : "foreground";
        return $"every pixel is predicted {all}, mean IoU {Score(phrases)}; trivially, all background gets {Score(phrases.Select(AllBackground))}, all foreground {Score(phrases.Select(AllForeground))}";
    }

    static PixelCounts AllBackground(PixelCounts phrase) => new(0, 0, Wanted(phrase), Unwanted(phrase));

    static PixelCounts AllForeground(PixelCounts phrase) => new(Wanted(phrase), Unwanted(phrase), 0, 0);

    static long Wanted(PixelCounts phrase) => phrase.TruePositives + phrase.FalseNegatives;

    static long Unwanted(PixelCounts phrase) => phrase.FalsePositives + phrase.TrueNegatives;

    static string Score(IEnumerable<PixelCounts> phrases)
    {
        var metrics = new PlainMetrics();
        foreach (PixelCounts phrase in phrases) metrics.Add(phrase);
        return string.Create(CultureInfo.InvariantCulture, $"{metrics.IntersectionOverUnion:0.000} (pixel accuracy {metrics.Accuracy:0.000})");
    }
}
