using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ClipSegNative.Backends.Cpu;

namespace ClipSegNative.Benchmarks.Peaks;

/// <summary>Chains of float32 multiply-adds, as many as hide how long one takes.</summary>
readonly struct FloatChains<TSet, TVector>(int steps) : IParallelWork where TSet : struct, IVectorSet<TVector> where TVector : struct
{
    public const int Count = 12;

    static float Result;   // nobody reads it: the chains must not look unused

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int task, int worker)
    {
        TVector x = TSet.Broadcast(0.999f), y = TSet.Broadcast(1e-3f);
        TVector a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (int n = 0; n < steps; n++)
        {
            a = TSet.MultiplyAdd(a, x, y); b = TSet.MultiplyAdd(b, x, y); c = TSet.MultiplyAdd(c, x, y); d = TSet.MultiplyAdd(d, x, y);
            e = TSet.MultiplyAdd(e, x, y); f = TSet.MultiplyAdd(f, x, y); g = TSet.MultiplyAdd(g, x, y); h = TSet.MultiplyAdd(h, x, y);
            i = TSet.MultiplyAdd(i, x, y); j = TSet.MultiplyAdd(j, x, y); k = TSet.MultiplyAdd(k, x, y); l = TSet.MultiplyAdd(l, x, y);
        }
        TVector sum = TSet.Add(TSet.Add(TSet.Add(a, b), TSet.Add(c, d)), TSet.Add(TSet.Add(e, f), TSet.Add(g, h)));
        sum = TSet.Add(sum, TSet.Add(TSet.Add(i, j), TSet.Add(k, l)));
        Volatile.Write(ref Result, TSet.Sum(sum));
    }
}

/// <summary>Chains of byte products in 256 bits. Each sum is its own next factor: were both factors constant, their products would be taken out of the loop.</summary>
readonly struct ByteChains<TDot>(int steps) : IParallelWork where TDot : struct, IByteDot
{
    public const int Count = 12;

    static int Result;   // nobody reads it: the chains must not look unused

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int task, int worker)
    {
        var x = Vector256.Create((byte)1);
        var a = Vector256<int>.One;
        Vector256<int> b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a, k = a, l = a;
        for (int n = 0; n < steps; n++)
        {
            a = TDot.MultiplyAdd(a.AsByte(), x, a); b = TDot.MultiplyAdd(b.AsByte(), x, b); c = TDot.MultiplyAdd(c.AsByte(), x, c);
            d = TDot.MultiplyAdd(d.AsByte(), x, d); e = TDot.MultiplyAdd(e.AsByte(), x, e); f = TDot.MultiplyAdd(f.AsByte(), x, f);
            g = TDot.MultiplyAdd(g.AsByte(), x, g); h = TDot.MultiplyAdd(h.AsByte(), x, h); i = TDot.MultiplyAdd(i.AsByte(), x, i);
            j = TDot.MultiplyAdd(j.AsByte(), x, j); k = TDot.MultiplyAdd(k.AsByte(), x, k); l = TDot.MultiplyAdd(l.AsByte(), x, l);
        }
        Volatile.Write(ref Result, (a | b | c | d | e | f | g | h | i | j | k | l).ToScalar());
    }
}
