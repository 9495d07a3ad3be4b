namespace ClipSegNative.Evaluation;

/// <summary>The counts of a picture, or of a sum of pictures, at all 49 thresholds of CLIPSeg's evaluation: 0.02, 0.04, ... 0.98.</summary>
sealed class ThresholdCounts
{
    public const int Count = 49;
    const int Intervals = 50;

    readonly long[] _truePositives = new long[Count], _falsePositives = new long[Count];
    long _wanted, _unwanted;

    /// <summary>As numpy's linspace spaces them.</summary>
    public static double Threshold(int index) => (index + 1) * (1.0 / Intervals);

    /// <summary>What float32 probabilities are compared with: PyTorch rounds the threshold to their type.</summary>
    static readonly float[] Limits = [.. Enumerable.Range(0, Count).Select(index => (float)Threshold(index))];

    public PixelCounts this[int index] => new(
        _truePositives[index], _falsePositives[index], _wanted - _truePositives[index], _unwanted - _falsePositives[index]);

    /// <summary>Counts one picture in one pass: how many thresholds each pixel exceeds, then sums from the top.</summary>
    /// <param name="probabilities">[height, width].</param>
    /// <param name="target">[height, width] of 0 and 1.</param>
    /// <exception cref="ArgumentException">Two sizes, or a probability that is not a number.</exception>
    public static ThresholdCounts Of(ReadOnlySpan<float> probabilities, ReadOnlySpan<byte> target)
    {
        PixelCounts.RequireSameSize(probabilities.Length, target.Length);
        Span<int> exceeded = stackalloc int[2 * (Count + 1)];   // [in the target, thresholds exceeded]
        exceeded.Clear();
        for (int i = 0; i < target.Length; i++) exceeded[target[i] * (Count + 1) + Exceeded(probabilities[i])]++;

        var counts = new ThresholdCounts();
        for (int index = Count; index >= 0; index--)
        {
            counts._unwanted += exceeded[index];
            counts._wanted += exceeded[Count + 1 + index];
            if (index == 0) break;
            counts._falsePositives[index - 1] = counts._unwanted;
            counts._truePositives[index - 1] = counts._wanted;
        }
        return counts;
    }

    public void Add(ThresholdCounts other)
    {
        for (int index = 0; index < Count; index++)
        {
            _truePositives[index] += other._truePositives[index];
            _falsePositives[index] += other._falsePositives[index];
        }
        _wanted += other._wanted;
        _unwanted += other._unwanted;
    }

    static int Exceeded(float probability)
    {
        if (float.IsNaN(probability)) throw new ArgumentException("A probability is not a number.", nameof(probability));
        int count = (int)Math.Clamp(probability * Intervals, 0, Count);   // at most one off
        if (count < Count && probability > Limits[count]) count++;
        if (count > 0 && !(probability > Limits[count - 1])) count--;
        return count;
    }
}
