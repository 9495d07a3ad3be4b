namespace ClipSegNative.Evaluation;

/// <summary>How the pixels of a found mask agree with its target.</summary>
/// <param name="TruePositives">Found, and in the target.</param>
/// <param name="FalsePositives">Found, but not in the target.</param>
/// <param name="FalseNegatives">In the target, but not found.</param>
/// <param name="TrueNegatives">Neither.</param>
readonly record struct PixelCounts(long TruePositives, long FalsePositives, long FalseNegatives, long TrueNegatives)
{
    /// <summary>Pixels found.</summary>
    public long Found => TruePositives + FalsePositives;

    /// <summary>Pixels found, in the target, or both.</summary>
    public long Union => TruePositives + FalsePositives + FalseNegatives;

    /// <summary>The share of pixels that agree. An empty mask reaches 0.9 on most targets.</summary>
    public double Accuracy => (TruePositives + TrueNegatives) / (double)(Union + TrueNegatives);

    /// <summary>2 |P ∩ T| / (|P| + |T|); 1 where both are empty.</summary>
    public double Dice => Union == 0 ? 1 : 2 * TruePositives / (double)(2 * TruePositives + FalsePositives + FalseNegatives);

    /// <summary>|P ∩ T| / |P ∪ T|; 1 where both are empty.</summary>
    public double IntersectionOverUnion => Union == 0 ? 1 : TruePositives / (double)Union;

    /// <summary>As <see cref="IntersectionOverUnion"/>, but 0 where both are empty: PhraseCut's official rule.</summary>
    public double OfficialIntersectionOverUnion => TruePositives == 0 ? 0 : TruePositives / (double)Union;

    public static PixelCounts operator +(PixelCounts a, PixelCounts b) => new(
        a.TruePositives + b.TruePositives, a.FalsePositives + b.FalsePositives, a.FalseNegatives + b.FalseNegatives, a.TrueNegatives + b.TrueNegatives);

    /// <summary>Counts the pixels of one picture; found is strictly above the threshold.</summary>
    /// <param name="probabilities">[height, width].</param>
    /// <param name="target">[height, width] of 0 and 1.</param>
    /// <param name="threshold">In the same units.</param>
    /// <exception cref="ArgumentException">Two sizes.</exception>
    public static PixelCounts Of(ReadOnlySpan<float> probabilities, ReadOnlySpan<byte> target, float threshold)
    {
        RequireSameSize(probabilities.Length, target.Length);
        int both = 0, found = 0, wanted = 0;
        for (int i = 0; i < target.Length; i++)
        {
            int above = probabilities[i] > threshold ? 1 : 0;
            both += above & target[i];
            found += above;
            wanted += target[i];
        }
        return new PixelCounts(both, found - both, wanted - both, target.Length - found - wanted + both);
    }

    internal static void RequireSameSize(int probabilities, int target)
    {
        if (probabilities != target) throw new ArgumentException($"{probabilities} probabilities do not cover a target of {target} pixels.", nameof(probabilities));
    }
}
