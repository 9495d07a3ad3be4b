using System.Text;

namespace ClipSegNative.Weights;

/// <summary>Normally distributed numbers that are the same, bit for bit, on every machine.</summary>
/// <remarks>
/// SplitMix64 (Steele, Lea and Flood 2014) counts, so any place of a stream can be computed on its own and threads share the work without changing it;
/// Box and Muller (1958) turn one 64-bit word into two numbers, cut off at 6.8 deviations.
/// Logarithm, sine and cosine are series here because the system's differ in the last bit between platforms; + - * / and square root do not.
/// </remarks>
static class NormalNumbers
{
    /// <summary>What SplitMix64 counts by.</summary>
    public const ulong Step = 0x9E3779B97F4A7C15;

    const double Unit = 1.0 / 4294967296;
    const int PairsAtOnce = 1 << 15;

    /// <summary>A stream of its own for every name under one seed (FNV-1a of the name's UTF-8).</summary>
    public static ulong Stream(ulong seed, string name)
    {
        ulong hash = 0xCBF29CE484222325;
        foreach (byte b in Encoding.UTF8.GetBytes(name)) hash = (hash ^ b) * 0x100000001B3;
        return Mix(Mix(seed + Step) ^ hash);
    }

    /// <summary>Fills with the stream's first numbers, on all cores when there are many.</summary>
    public static unsafe void Fill(Span<float> destination, ulong stream, double mean, double deviation)
    {
        int length = destination.Length, blocks = (int)((length + 2L * PairsAtOnce - 1) / (2 * PairsAtOnce));
        fixed (float* pinned = destination)
        {
            float* first = pinned;
            void Block(int block) => FillBlock(first, length, block, stream, mean, deviation);
            if (blocks <= 1) Block(0);
            else Parallel.For(0, blocks, Block);
        }
    }

    static unsafe void FillBlock(float* first, int length, int block, ulong stream, double mean, double deviation)
    {
        int begin = block * 2 * PairsAtOnce, end = Math.Min(length, begin + 2 * PairsAtOnce);
        for (int i = begin; i < end; i += 2)
        {
            ulong bits = Mix(stream + ((ulong)i / 2 + 1) * Step);
            double radius = deviation * Math.Sqrt(-2 * LogarithmOfFraction(((uint)(bits >> 32) + 0.5) * Unit));
            (double sine, double cosine) = SinCosOfTurn((uint)bits * Unit);
            first[i] = (float)(mean + radius * cosine);
            if (i + 1 < end) first[i + 1] = (float)(mean + radius * sine);
        }
    }

    /// <summary>SplitMix64's word of a count.</summary>
    public static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>ln x = exponent ln 2 + 2 artanh((m - 1) / (m + 1)), m in [sqrt(1/2), sqrt 2); error below 1e-12.</summary>
    public static double LogarithmOfFraction(double x)
    {
        long bits = BitConverter.DoubleToInt64Bits(x);
        long exponent = (bits >> 52) - 1023;
        double m = BitConverter.Int64BitsToDouble((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000);
        if (m > 1.4142135623730951)
        {
            m *= 0.5;
            exponent++;
        }
        double s = (m - 1) / (m + 1), t = s * s;
        double series = 1 + t * (1.0 / 3 + t * (1.0 / 5 + t * (1.0 / 7 + t * (1.0 / 9 + t * (1.0 / 11 + t * (1.0 / 13))))));
        return exponent * 0.6931471805599453 + 2 * s * series;
    }

    /// <summary>Sine and cosine of a fraction of a full turn in [0, 1]; error below 1e-11.</summary>
    /// <remarks>Taylor series within an eighth of a turn around each quarter.</remarks>
    public static (double Sine, double Cosine) SinCosOfTurn(double turn)
    {
        int quarter = (int)(turn * 4 + 0.5);
        double x = (turn - quarter * 0.25) * 6.283185307179586, t = x * x;
        double sine = x * (1 - t * (1.0 / 6 - t * (1.0 / 120 - t * (1.0 / 5040 - t * (1.0 / 362880 - t * (1.0 / 39916800))))));
        double cosine = 1 - t * (1.0 / 2 - t * (1.0 / 24 - t * (1.0 / 720 - t * (1.0 / 40320 - t * (1.0 / 3628800 - t * (1.0 / 479001600))))));
        return (quarter & 3) switch
        {
            0 => (sine, cosine),
            1 => (cosine, -sine),
            2 => (-sine, -cosine),
            _ => (-cosine, sine),
        };
    }
}
