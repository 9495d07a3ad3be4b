using System.Text.Json.Serialization;
using ClipSegNative.Evaluation;

namespace ClipSegNative.Cli.Study;

/// <summary>How well the phrases of one set were found, at the 49 thresholds of <see cref="ThresholdCounts"/>. Means are over phrases.</summary>
sealed record SetScore
{
    /// <summary>Probability one half, at which all are compared, whatever they were trained by.</summary>
    public const int Half = 24;

    /// <summary>Shares of the picture between small, medium and large targets.</summary>
    public const double SmallBelow = 0.016, LargeAbove = 0.05;

    public static readonly string[] SizeNames = ["< 1.6 %", "1.6-5 %", "> 5 %"];

    /// <summary>Phrases that name something.</summary>
    public int Targets { get; init; }
    /// <summary>Phrases that name nothing in their picture.</summary>
    public int Absent { get; init; }
    /// <summary>Of pixels, at one half.</summary>
    public double Accuracy { get; init; }
    /// <summary>Of phrases with a target, at one half.</summary>
    public double Dice { get; init; }
    /// <summary>[threshold]; of phrases with a target.</summary>
    public double[] Iou { get; init; } = [];
    /// <summary>Phrases with a target by its size: small, medium, large.</summary>
    public int[] TargetsBySize { get; init; } = [];
    /// <summary>[size][threshold]; 0 where there is no such target.</summary>
    public double[][] IouBySize { get; init; } = [];
    /// <summary>[threshold]: the share of phrases that name nothing for which not one pixel was found.</summary>
    public double[] Empty { get; init; } = [];
    /// <summary>CLIPSeg's IoU of all pixels together, the best of its thresholds, and its average precision.</summary>
    public double IouForeground { get; init; }
    public double AveragePrecision { get; init; }

    /// <summary>Where <see cref="Iou"/> is highest.</summary>
    [JsonIgnore]
    public int Best => Array.IndexOf(Iou, Iou.Max());

    /// <summary>Of targets that cover 1.6 % of the picture and more; NaN where there are none.</summary>
    public double IouAboveSmall(int threshold) =>
        (TargetsBySize[1] * IouBySize[1][threshold] + TargetsBySize[2] * IouBySize[2][threshold]) / (TargetsBySize[1] + TargetsBySize[2]);
}

/// <summary>Makes a <see cref="SetScore"/> phrase by phrase. Not thread-safe.</summary>
sealed class SetScorer
{
    readonly ThresholdMetrics _metrics = new();
    readonly double[][] _iou = [.. SetScore.SizeNames.Select(_ => new double[ThresholdCounts.Count])];
    readonly int[] _targets = new int[SetScore.SizeNames.Length];
    readonly int[] _empty = new int[ThresholdCounts.Count];
    double _accuracy, _dice;
    int _absent;

    /// <param name="probabilities">[size, size].</param>
    /// <param name="target">[size, size] of 0 and 1.</param>
    public void Add(ReadOnlySpan<float> probabilities, ReadOnlySpan<byte> target)
    {
        ThresholdCounts counts = ThresholdCounts.Of(probabilities, target);
        PixelCounts half = counts[SetScore.Half];
        double share = (half.TruePositives + half.FalseNegatives) / (double)target.Length;
        _accuracy += half.Accuracy;
        _metrics.Add(counts);
        if (share == 0)
        {
            _absent++;
            for (int i = 0; i < _empty.Length; i++) if (counts[i].Found == 0) _empty[i]++;
            return;
        }
        _dice += half.Dice;
        int size = share < SetScore.SmallBelow ? 0 : share > SetScore.LargeAbove ? 2 : 1;
        _targets[size]++;
        for (int i = 0; i < ThresholdCounts.Count; i++) _iou[size][i] += counts[i].IntersectionOverUnion;
    }

    public SetScore Conclude()
    {
        int targets = _targets.Sum();
        return new SetScore
        {
            Targets = targets,
            Absent = _absent,
            Accuracy = Share(_accuracy, targets + _absent),
            Dice = Share(_dice, targets),
            Iou = [.. Enumerable.Range(0, ThresholdCounts.Count).Select(i => Share(_iou.Sum(size => size[i]), targets))],
            TargetsBySize = [.. _targets],
            IouBySize = [.. _iou.Select((sums, size) => sums.Select(sum => Share(sum, _targets[size])).ToArray())],
            Empty = [.. _empty.Select(count => Share(count, _absent))],
            IouForeground = _metrics.ForegroundIoU(ThresholdMetrics.Best(_metrics.ForegroundIoU)),
            AveragePrecision = _metrics.AveragePrecision(),
        };
    }

    static double Share(double sum, int count) => count == 0 ? 0 : sum / count;
}
