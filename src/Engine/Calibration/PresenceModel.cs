using System.Buffers;
using System.Numerics.Tensors;

namespace ClipSegNative.Calibration;

/// <summary>What tells a map of something found from one of nothing found. None depends on the map's size.</summary>
/// <param name="Peak">The highest logit, at most <see cref="MostLogit"/> either way.</param>
/// <param name="Firmness">Σp² / Σp, in (0, 1]: the mean probability of what was found; low where the decoder hesitates.</param>
/// <param name="Extent">ln of the mean probability: how much was found.</param>
readonly record struct PresenceFeatures(double Peak, double Firmness, double Extent)
{
    public const int Count = 3;

    const float MostLogit = 30;

    /// <param name="logits">The decoder's map at the working size, 1 or more finite values.</param>
    public static PresenceFeatures Of(ReadOnlySpan<float> logits)
    {
        float[] rented = ArrayPool<float>.Shared.Rent(logits.Length);
        try
        {
            Span<float> probabilities = rented.AsSpan(0, logits.Length);
            TensorPrimitives.Min(logits, MostLogit, probabilities);
            TensorPrimitives.Max(probabilities, -MostLogit, probabilities);
            double peak = TensorPrimitives.Max<float>(probabilities);
            TensorPrimitives.Sigmoid(probabilities, probabilities);
            double sum = TensorPrimitives.Sum<float>(probabilities), squares = TensorPrimitives.SumOfSquares<float>(probabilities);
            return new PresenceFeatures(peak, squares / sum, Math.Log(sum / logits.Length));
        }
        finally { ArrayPool<float>.Shared.Return(rented); }
    }

    public double[] ToArray() => [Peak, Firmness, Extent];
}

/// <summary>The probability that what a phrase names is in the picture: the logistic function of a weighted sum of <see cref="PresenceFeatures"/>.</summary>
sealed record PresenceModel(double Bias, double Peak, double Firmness, double Extent)
{
    /// <returns>In [0, 1].</returns>
    public float Score(PresenceFeatures features) =>
        (float)(1 / (1 + Math.Exp(-(Bias + Peak * features.Peak + Firmness * features.Firmness + Extent * features.Extent))));

    /// <param name="logits">The decoder's map at the working size.</param>
    /// <returns>In [0, 1].</returns>
    public float Score(ReadOnlySpan<float> logits) => Score(PresenceFeatures.Of(logits));
}
