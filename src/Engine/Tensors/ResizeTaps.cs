namespace ClipSegNative.Tensors;

/// <summary>
/// Which samples each output of a one-dimensional resize mixes, and how: half-pixel centres, edges repeated, no antialiasing.
/// Source: PyTorch's interpolate with align_corners=False; the cubic kernel is cubic convolution (Keys 1981) with a = -0.75.
/// </summary>
readonly struct ResizeTaps
{
    const double A = -0.75;

    ResizeTaps(int taps, int count)
    {
        Count = taps;
        Indices = new int[taps * count];
        Weights = new float[taps * count];
    }

    /// <summary>Taps per output: 2 or 4. Output o uses entries [o·Count, (o + 1)·Count).</summary>
    public int Count { get; }

    public int[] Indices { get; }

    public float[] Weights { get; }

    public static ResizeTaps Bilinear(int from, int to)
    {
        var taps = new ResizeTaps(2, to);
        double ratio = (double)from / to;
        for (int o = 0; o < to; o++)
        {
            double s = Math.Max(0, (o + 0.5) * ratio - 0.5);
            int i = Math.Min((int)s, from - 1);
            taps.Set(o, 0, i, 1 - (s - i), from);
            taps.Set(o, 1, i + 1, s - i, from);
        }
        return taps;
    }

    public static ResizeTaps Bicubic(int from, int to)
    {
        var taps = new ResizeTaps(4, to);
        double ratio = (double)from / to;
        for (int o = 0; o < to; o++)
        {
            double s = (o + 0.5) * ratio - 0.5;   // not clamped: only the indices are
            int i = (int)Math.Floor(s);
            double f = s - i;
            taps.Set(o, 0, i - 1, Outer(f + 1), from);
            taps.Set(o, 1, i, Inner(f), from);
            taps.Set(o, 2, i + 1, Inner(1 - f), from);
            taps.Set(o, 3, i + 2, Outer(2 - f), from);
        }
        return taps;
    }

    static double Inner(double x) => ((A + 2) * x - (A + 3)) * x * x + 1;

    static double Outer(double x) => ((A * x - 5 * A) * x + 8 * A) * x - 4 * A;

    void Set(int output, int tap, int index, double weight, int from)
    {
        Indices[output * Count + tap] = Math.Clamp(index, 0, from - 1);
        Weights[output * Count + tap] = (float)weight;
    }
}
