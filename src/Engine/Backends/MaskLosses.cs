namespace ClipSegNative.Backends;

/// <summary>
/// The loss of one map of logits z against a mask t of zeros and ones, p = sigmoid(z): a weighted sum of four. A weight of 0 leaves a loss out.
/// </summary>
/// <remarks>
/// Cross-entropy: the mean over pixels of -t·ln p - (1 - t)·ln(1 - p).
/// Dice (Milletari et al. 2016, with plain sums): 1 - (2·Σpt + s) / (Σp + Σt + s).
/// Focal (Lin et al. 2017): the mean of cross-entropy · (1 - p of the true class)^γ, weighted α on the mask and 1 - α off it.
/// Tversky (Salehi et al. 2017): 1 - (Σpt + s) / (Σpt + α·Σp(1 - t) + β·Σ(1 - p)t + s).
/// </remarks>
readonly record struct MaskLosses()
{
    /// <summary>Columns of what <see cref="IBackend.MaskLoss"/> notes of each map; the order of the constants below.</summary>
    public const int Sums = 7;

    /// <summary>Σ of the cross-entropies, Σ of the focal terms, Σpt, Σp, Σt.</summary>
    public const int CrossEntropySum = 0, FocalSum = 1, OverlapSum = 2, PredictedSum = 3, TargetSum = 4;

    /// <summary>Pixels with p above one half: those on the mask, and all.</summary>
    public const int HitCount = 5, PositiveCount = 6;

    public float CrossEntropy { get; init; }

    public float Dice { get; init; }

    public float Focal { get; init; }

    public float Tversky { get; init; }

    public float FocalGamma { get; init; } = 2;

    public float FocalAlpha { get; init; } = 0.25f;

    /// <summary>Weight of false positives.</summary>
    public float TverskyAlpha { get; init; } = 0.3f;

    /// <summary>Weight of false negatives.</summary>
    public float TverskyBeta { get; init; } = 0.7f;

    /// <summary>s: keeps the ratios defined for empty masks.</summary>
    public float Smoothing { get; init; } = 1;
}
