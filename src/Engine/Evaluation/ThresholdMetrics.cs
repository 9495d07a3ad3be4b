namespace ClipSegNative.Evaluation;

/// <summary>
/// The numbers of CLIPSeg's own evaluation at 49 thresholds (Lüddecke and Ecker 2022, section 4; FixedIntervalMetrics of github.com/timojl/clipseg),
/// with the 1 that its denominators carry.
/// </summary>
sealed class ThresholdMetrics
{
    readonly ThresholdCounts _sum = new();
    readonly Dictionary<long, ThresholdCounts> _classes = [];
    readonly double[] _alone = new double[ThresholdCounts.Count];   // of samples that are classes of their own
    long _samplesAlone;

    /// <summary>Adds a sample.</summary>
    /// <param name="counts">Of its pixels.</param>
    /// <param name="classId">What it is pooled with in <see cref="MeanIoU"/>; null, as on PhraseCut, for nothing: memory then stays the same.</param>
    public void Add(ThresholdCounts counts, long? classId = null)
    {
        _sum.Add(counts);
        if (classId is not { } id)
        {
            _samplesAlone++;
            for (int index = 0; index < _alone.Length; index++) _alone[index] += Smoothed(counts[index]);
            return;
        }
        if (!_classes.TryGetValue(id, out ThresholdCounts? pooled)) _classes[id] = pooled = new ThresholdCounts();
        pooled.Add(counts);
    }

    /// <summary>mIoU: mean over classes of the IoU of their pooled pixels.</summary>
    public double MeanIoU(int index) =>
        (_alone[index] + _classes.Values.Sum(counts => Smoothed(counts[index]))) / (_samplesAlone + _classes.Count);

    /// <summary>IoU_FG: the IoU of all pixels.</summary>
    public double ForegroundIoU(int index) => Smoothed(_sum[index]);

    /// <summary>IoU_BIN: the mean of <see cref="ForegroundIoU"/> and the same of the background.</summary>
    public double BinaryIoU(int index)
    {
        PixelCounts counts = _sum[index];
        return (Smoothed(counts) + counts.TrueNegatives / (1.0 + counts.TrueNegatives + counts.FalseNegatives + counts.FalsePositives)) / 2;
    }

    /// <summary>
    /// AP: precision integrated over the recalls that the thresholds reach, by Simpson's rule; nothing is added on the way to recall 0 or 1.
    /// 0 where nothing is found at any threshold.
    /// </summary>
    public double AveragePrecision()
    {
        (double Recall, double Precision)[] points =
        [
            .. Enumerable.Range(0, ThresholdCounts.Count).Select(index => _sum[index]).Where(counts => counts.Found > 0)
                .Select(counts => (counts.TruePositives / (1.0 + counts.TruePositives + counts.FalseNegatives), counts.TruePositives / (1.0 + counts.Found)))
                .Distinct().Order(),
        ];
        return Simpson.Integrate([.. points.Select(point => point.Recall)], [.. points.Select(point => point.Precision)]);
    }

    /// <summary>The threshold at which a number is highest, the lowest of several.</summary>
    public static int Best(Func<int, double> metric) => Enumerable.Range(0, ThresholdCounts.Count).MaxBy(metric);

    static double Smoothed(PixelCounts counts) => counts.TruePositives / (1.0 + counts.Union);
}
