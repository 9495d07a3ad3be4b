namespace ClipSegNative.Backends;

/// <summary>What <see cref="IBackend.AdamW"/> reads of its settings tensor [<see cref="Count"/>].</summary>
/// <remarks>
/// With g = GradientScale · dw: m = β1·m + (1 - β1)·g; v = β2·v + (1 - β2)·g²;
/// w = w - LearningRate · (WeightDecay · w + m·FirstCorrection / (√(v·SecondCorrection) + ε)), the corrections being
/// 1 / (1 - β^step) of the float32 β that is stored, so that the first step divides by exactly what it multiplied with.
/// </remarks>
static class AdamWSettings
{
    public const int LearningRate = 0, WeightDecay = 1, Beta1 = 2, Beta2 = 3, Epsilon = 4, FirstCorrection = 5, SecondCorrection = 6, GradientScale = 7;

    public const int Count = 8;
}
