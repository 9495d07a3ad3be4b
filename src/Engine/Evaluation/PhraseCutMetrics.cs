namespace ClipSegNative.Evaluation;

/// <summary>PhraseCut's official numbers over a set of tasks (Wu et al. 2020; the code of github.com/ChenyunWu/PhraseCutDataset).</summary>
sealed class PhraseCutMetrics
{
    readonly long[] _above = new long[Levels.Length];
    double _sum;
    long _intersection, _union;

    /// <summary>The IoU that a task must exceed to count for <see cref="Precision"/>.</summary>
    public static ReadOnlySpan<double> Levels => [0.5, 0.6, 0.7, 0.8, 0.9];

    public int Tasks { get; private set; }

    /// <summary>Mean over tasks, in [0, 1]; two empty masks count 0. NaN before the first task.</summary>
    public double MeanIoU => _sum / Tasks;

    /// <summary>Sum of intersections over sum of unions, in [0, 1]; 0 where nothing was wanted nor found.</summary>
    public double CumulativeIoU => _union == 0 ? 0 : _intersection / (double)_union;

    /// <summary>The share of tasks whose IoU is strictly above a level.</summary>
    public double Precision(int level) => _above[level] / (double)Tasks;

    public void Add(PixelCounts counts)
    {
        double value = counts.OfficialIntersectionOverUnion;
        Tasks++;
        _sum += value;
        _intersection += counts.TruePositives;
        _union += counts.Union;
        for (int level = 0; level < Levels.Length; level++) if (value > Levels[level]) _above[level]++;
    }
}
