namespace ClipSegNative.Tests.Conformance;

/// <summary>How far a result may lie from the reference: absolute + relative · |expected|.</summary>
readonly record struct Tolerance(double Absolute, double Relative)
{
    /// <summary>Half the distance from 1 to the next float32.</summary>
    const double UnitRoundoff = 1.0 / (1 << 24);

    /// <summary>Values only move.</summary>
    public static Tolerance Exact => default;

    /// <summary>A few roundings of values around 1.</summary>
    public static Tolerance Elementwise => new(2e-7, 4e-7);

    /// <summary>A sum of <paramref name="depth"/> products that is around 1: rounding errors walk at random, and no element of thousands may fail.</summary>
    public static Tolerance Sum(int depth) => new(6 * UnitRoundoff * Math.Sqrt(depth + 4), 4 * UnitRoundoff);

    /// <summary>A sum of <paramref name="count"/> values that are around 1 each, in any order: it grows as they are added, and so do its roundings.</summary>
    public static Tolerance Total(int count) => Sum(count) with { Absolute = Sum(count).Absolute * Math.Sqrt(count) };

    public double Allowance(double expected) => Absolute + Relative * Math.Abs(expected);
}

/// <summary>How two results differ at worst.</summary>
/// <param name="Absolute">Largest |actual - expected|.</param>
/// <param name="Scaled">The same over the largest |expected| of its case.</param>
/// <param name="Share">Largest share of the allowance used; above 1 the results disagree.</param>
readonly record struct Difference(double Absolute, double Scaled, double Share)
{
    public static Difference Of(float[] expected, float[] actual, Tolerance tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        double absolute = 0, share = 0, largest = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double error = Math.Abs((double)actual[i] - expected[i]), allowed = tolerance.Allowance(expected[i]);
            // Written so that NaN fails: neither side may be NaN or infinite.
            if (!(error <= allowed))
                Assert.Fail($"Element {i} of {expected.Length} is {actual[i]:R}, expected {expected[i]:R}: off by {error:G3}, allowed {allowed:G3}.");
            largest = Math.Max(largest, Math.Abs(expected[i]));
            absolute = Math.Max(absolute, error);
            if (error > 0) share = Math.Max(share, error / allowed);
        }
        return new Difference(absolute, largest > 0 ? absolute / largest : 0, share);
    }

    public Difference Or(Difference other) =>
        new(Math.Max(Absolute, other.Absolute), Math.Max(Scaled, other.Scaled), Math.Max(Share, other.Share));
}
