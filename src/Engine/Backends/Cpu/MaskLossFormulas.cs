namespace ClipSegNative.Backends.Cpu;

/// <summary>A loss 1 - above / below of a map's sums; neither is looked at where the loss has no weight, as below may then be 0.</summary>
readonly record struct MaskRatio(double Above, double Below)
{
    public static MaskRatio Dice(MaskLosses losses, double overlap, double predicted, double target) =>
        new(2 * overlap + losses.Smoothing, predicted + target + losses.Smoothing);

    public static MaskRatio Tversky(MaskLosses losses, double overlap, double predicted, double target) =>
        new(overlap + losses.Smoothing,
            overlap + losses.TverskyAlpha * (predicted - overlap) + losses.TverskyBeta * (target - overlap) + losses.Smoothing);

    public double Loss => 1 - Above / Below;

    /// <summary>Derivative of the loss by one pixel's p, given those of above and below.</summary>
    public double Slope(double above, double below) => (Above * below - above * Below) / (Below * Below);
}

/// <summary>The part of a map's gradient that is the same for every pixel.</summary>
/// <param name="CrossEntropy">Factor of the wrong class's probability.</param>
/// <param name="Focal">Factor of the focal term's derivative.</param>
/// <param name="Everywhere">Factor of p·(1 - p).</param>
/// <param name="OnMask">What comes to that on the mask.</param>
readonly record struct MaskLossSlopes(float CrossEntropy, float Focal, float Everywhere, float OnMask)
{
    public static unsafe MaskLossSlopes Of(MaskLosses losses, float* sums, int pixels, double scale)
    {
        double overlap = sums[MaskLosses.OverlapSum], predicted = sums[MaskLosses.PredictedSum], target = sums[MaskLosses.TargetSum];
        double off = 0, on = 0;
        if (losses.Dice != 0)
        {
            var ratio = MaskRatio.Dice(losses, overlap, predicted, target);
            off += losses.Dice * ratio.Slope(0, 1);
            on += losses.Dice * ratio.Slope(2, 1);
        }
        if (losses.Tversky != 0)
        {
            var ratio = MaskRatio.Tversky(losses, overlap, predicted, target);
            off += losses.Tversky * ratio.Slope(0, losses.TverskyAlpha);
            on += losses.Tversky * ratio.Slope(1, 1 - losses.TverskyBeta);
        }
        return new((float)(scale * losses.CrossEntropy / pixels), (float)(scale * losses.Focal / pixels), (float)(scale * off), (float)(scale * (on - off)));
    }
}

static class MaskLossValue
{
    /// <summary>The loss of one map from its sums.</summary>
    public static double Of(MaskLosses losses, ReadOnlySpan<double> sums, int pixels)
    {
        double overlap = sums[MaskLosses.OverlapSum], predicted = sums[MaskLosses.PredictedSum], target = sums[MaskLosses.TargetSum], loss = 0;
        if (losses.CrossEntropy != 0) loss += losses.CrossEntropy * sums[MaskLosses.CrossEntropySum] / pixels;
        if (losses.Focal != 0) loss += losses.Focal * sums[MaskLosses.FocalSum] / pixels;
        if (losses.Dice != 0) loss += losses.Dice * MaskRatio.Dice(losses, overlap, predicted, target).Loss;
        if (losses.Tversky != 0) loss += losses.Tversky * MaskRatio.Tversky(losses, overlap, predicted, target).Loss;
        return loss;
    }
}
