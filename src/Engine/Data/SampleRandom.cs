using ClipSegNative.Weights;

namespace ClipSegNative.Data;

/// <summary>SplitMix64 numbers that follow from a key alone, so that any sample can be drawn again without those before it.</summary>
struct SampleRandom
{
    ulong _state;

    /// <param name="key">What the numbers are for; every part counts, and so does their order.</param>
    public SampleRandom(params ReadOnlySpan<ulong> key)
    {
        foreach (ulong part in key) _state = NormalNumbers.Mix(_state + part + NormalNumbers.Step);
    }

    /// <summary>Uniform from 0 to <paramref name="count"/> - 1.</summary>
    public int Below(int count) => (int)Math.BigMul(Next(), (ulong)count, out _);

    /// <summary>Uniform among 0 to <paramref name="count"/> - 1 without <paramref name="except"/>; a negative one excepts nothing.</summary>
    public int Below(int count, int except)
    {
        if (except < 0) return Below(count);
        int number = Below(count - 1);
        return number < except ? number : number + 1;
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double Share() => (Next() >> 11) * (1.0 / (1L << 53));

    ulong Next() => NormalNumbers.Mix(_state += NormalNumbers.Step);
}
