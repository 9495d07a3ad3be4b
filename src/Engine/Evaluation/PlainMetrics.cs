namespace ClipSegNative.Evaluation;

/// <summary>Pixel accuracy, Dice and IoU, each as the mean over samples and pooled over all pixels. Dice and IoU of two empty masks are 1.</summary>
sealed class PlainMetrics
{
    double _accuracy, _dice, _intersectionOverUnion;
    long _samples;

    /// <summary>All pixels of all samples together.</summary>
    public PixelCounts Pooled { get; private set; }

    /// <summary>Mean over samples, in [0, 1]; NaN before the first.</summary>
    public double Accuracy => _accuracy / _samples;

    /// <summary>Mean over samples, in [0, 1]; NaN before the first.</summary>
    public double Dice => _dice / _samples;

    /// <summary>Mean over samples, in [0, 1]; NaN before the first.</summary>
    public double IntersectionOverUnion => _intersectionOverUnion / _samples;

    public void Add(PixelCounts counts)
    {
        _samples++;
        Pooled += counts;
        _accuracy += counts.Accuracy;
        _dice += counts.Dice;
        _intersectionOverUnion += counts.IntersectionOverUnion;
    }
}
