namespace ClipSegNative.Imaging;

/// <summary>
/// The weights of one axis as PIL computes them (libImaging/Resample.c): in double, normalised to 1, then rounded to 22 fractional bits,
/// so that a pixel times its weights fits 32 bits. Recomputed only when the sizes or the filter change.
/// </summary>
sealed class PilCoefficients
{
    public const int FractionBits = 32 - 8 - 2;

    (int Input, int Output, ResizeFilter Filter) _key;
    double[] _exact = [];

    /// <summary>First input sample of each output sample.</summary>
    public int[] First { get; private set; } = [];

    /// <summary>How many input samples each output sample takes.</summary>
    public int[] Counts { get; private set; } = [];

    /// <summary>[output, Taps], of which the first Counts[output] of each row are used.</summary>
    public int[] Weights { get; private set; } = [];

    /// <summary>Row length of <see cref="Weights"/>.</summary>
    public int Taps { get; private set; }

    public void Prepare(int input, int output, ResizeFilter filter)
    {
        if (_key == (input, output, filter)) return;
        double scale = (double)input / output;
        double filterScale = Math.Max(scale, 1.0);
        double support = (filter == ResizeFilter.Bilinear ? 1.0 : 2.0) * filterScale;
        Taps = (int)Math.Ceiling(support) * 2 + 1;
        if (First.Length < output) (First, Counts) = (new int[output], new int[output]);
        if (Weights.Length < (long)output * Taps) Weights = new int[checked(output * Taps)];
        if (_exact.Length < Taps) _exact = new double[Taps];

        double perSample = 1.0 / filterScale;
        for (int o = 0; o < output; o++)
        {
            double centre = (o + 0.5) * scale;
            int first = Math.Max((int)(centre - support + 0.5), 0);
            int count = Math.Min((int)(centre + support + 0.5), input) - first;
            double sum = 0;
            for (int t = 0; t < count; t++) sum += _exact[t] = Kernel(filter, (t + first - centre + 0.5) * perSample);
            for (int t = 0; t < count; t++) Weights[o * Taps + t] = ToFixed(sum == 0 ? _exact[t] : _exact[t] / sum);
            (First[o], Counts[o]) = (first, count);
        }
        _key = (input, output, filter);
    }

    // Half away from zero, then truncated: not Math.Round, whose last bit differs.
    static int ToFixed(double weight) => (int)(weight * (1 << FractionBits) + (weight < 0 ? -0.5 : 0.5));

    static double Kernel(ResizeFilter filter, double x)
    {
        const double A = -0.5;
        x = Math.Abs(x);
        if (filter == ResizeFilter.Bilinear) return x < 1 ? 1 - x : 0;
        if (x < 1) return ((A + 2) * x - (A + 3)) * x * x + 1;
        return x < 2 ? (((x - 5) * x + 8) * x - 4) * A : 0;
    }
}
