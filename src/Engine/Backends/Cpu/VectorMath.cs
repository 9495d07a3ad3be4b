using System.Runtime.CompilerServices;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Functions and partial vectors over any vector width.</summary>
static unsafe class VectorMath<TSet, TVector>
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    /// <summary>Reads <paramref name="count"/> floats, the rest being <paramref name="fill"/>; touches nothing beyond them.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    [SkipLocalsInit]
    public static TVector LoadPartial(float* source, int count, float fill = 0)
    {
        float* padded = stackalloc float[TSet.Width];
        for (int i = 0; i < TSet.Width; i++) padded[i] = i < count ? source[i] : fill;
        return TSet.Load(padded);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    [SkipLocalsInit]
    public static void StorePartial(TVector value, float* destination, int count)
    {
        float* padded = stackalloc float[TSet.Width];
        TSet.Store(value, padded);
        for (int i = 0; i < count; i++) destination[i] = padded[i];
    }

    /// <summary>y += x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddTo(float* x, float* y, int count)
    {
        int i = 0;
        for (; i <= count - TSet.Width; i += TSet.Width) TSet.Store(TSet.Add(TSet.Load(y + i), TSet.Load(x + i)), y + i);
        for (; i < count; i++) y[i] += x[i];
    }

    /// <summary>y += factor · x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddScaledTo(float* x, float factor, float* y, int count)
    {
        TVector factors = TSet.Broadcast(factor);
        int i = 0;
        for (; i <= count - TSet.Width; i += TSet.Width) TSet.Store(TSet.MultiplyAdd(TSet.Load(x + i), factors, TSet.Load(y + i)), y + i);
        for (; i < count; i++) y[i] += factor * x[i];
    }

    /// <summary>y += a · b, element by element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddProductTo(float* a, float* b, float* y, int count)
    {
        int i = 0;
        for (; i <= count - TSet.Width; i += TSet.Width) TSet.Store(TSet.MultiplyAdd(TSet.Load(a + i), TSet.Load(b + i), TSet.Load(y + i)), y + i);
        for (; i < count; i++) y[i] += a[i] * b[i];
    }

    /// <summary>
    /// eˣ, relative error below 2e-7: x = n·ln 2 + f with ln 2 in two parts, then a polynomial fitted on |f| ≤ ln 2 / 2 (relative error 3e-9).
    /// Arguments are held to [-87, 88], where the result is a normal number.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Exp(TVector x)
    {
        x = TSet.Min(TSet.Broadcast(88f), TSet.Max(TSet.Broadcast(-87f), x));
        TVector n = TSet.Round(TSet.Multiply(x, TSet.Broadcast(1.44269504f)));
        TVector f = TSet.MultiplyAdd(n, TSet.Broadcast(-0.693359375f), x);
        f = TSet.MultiplyAdd(n, TSet.Broadcast(2.12194440e-4f), f);
        TVector one = TSet.Broadcast(1f), p = TSet.Broadcast(1.3814592967e-3f);
        p = TSet.MultiplyAdd(p, f, TSet.Broadcast(8.3687128499e-3f));
        p = TSet.MultiplyAdd(p, f, TSet.Broadcast(4.1668388993e-2f));
        p = TSet.MultiplyAdd(p, f, TSet.Broadcast(1.6666521132e-1f));
        p = TSet.MultiplyAdd(p, f, TSet.Broadcast(4.9999994040e-1f));
        p = TSet.MultiplyAdd(TSet.MultiplyAdd(p, f, one), f, one);
        return TSet.Scale(p, n);
    }

    /// <summary>
    /// 2ˣ for x up to 127, relative error below 3e-7: a polynomial fitted on |f| ≤ 1/2 (relative error 9e-8), x = n + f. From -126 down it is 2⁻¹²⁶.
    /// Few enough constants to stay in 16 registers.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Exp2(TVector x)
    {
        x = TSet.Max(TSet.Broadcast(-126f), x);
        TVector n = TSet.Round(x), f = TSet.Subtract(x, n), p = TSet.Broadcast(1.3264694717e-3f);
        p = TSet.MultiplyAdd(p, f, TSet.Broadcast(9.6715148538e-3f));
        p = TSet.MultiplyAdd(p, f, TSet.Broadcast(5.5507339537e-2f));
        p = TSet.MultiplyAdd(p, f, TSet.Broadcast(2.4022242427e-1f));
        p = TSet.MultiplyAdd(p, f, TSet.Broadcast(6.9314700365e-1f));
        return TSet.Scale(TSet.MultiplyAdd(p, f, TSet.Broadcast(1f)), n);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Activate(TVector x, Activation activation) => activation switch
    {
        Activation.QuickGelu => TSet.Divide(x, OnePlusExp(TSet.Multiply(x, TSet.Broadcast(-1.702f)))),
        Activation.Gelu => Gelu(x),
        Activation.Relu => TSet.Max(TSet.Broadcast(0f), x),
        Activation.Sigmoid => TSet.Divide(TSet.Broadcast(1f), OnePlusExp(TSet.Subtract(TSet.Broadcast(0f), x))),
        _ => x,
    };

    /// <summary>The derivative of <see cref="Activate"/>. 1 - sigmoid is taken from the exponential, not from the sigmoid, which rounds to 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Slope(TVector x, Activation activation)
    {
        TVector one = TSet.Broadcast(1f);
        switch (activation)
        {
            case Activation.QuickGelu:
                TVector scaled = TSet.Multiply(x, TSet.Broadcast(1.702f)), sigmoid = Sigmoid(scaled, out TVector complement);
                return TSet.MultiplyAdd(TSet.Multiply(scaled, complement), sigmoid, sigmoid);
            case Activation.Gelu:
                TVector erf = Erf(x, out TVector bell), half = TSet.Broadcast(0.5f);
                return TSet.MultiplyAdd(TSet.Multiply(x, TSet.Broadcast(0.39894228f)), bell, TSet.MultiplyAdd(half, erf, half));
            case Activation.Relu:
                return TSet.Gate(x, one);
            case Activation.Sigmoid:
                return TSet.Multiply(Sigmoid(x, out TVector rest), rest);
            default:
                return one;
        }
    }

    /// <summary>
    /// ln(1 + x) for x in [0, 1], relative error below 2e-7: 2·artanh(s) with s = x / (2 + x), in s² a polynomial fitted on [0, 1/9] (error 2e-8).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector LogOnePlus(TVector x)
    {
        TVector s = TSet.Divide(x, TSet.Add(x, TSet.Broadcast(2f))), square = TSet.Multiply(s, s);
        TVector p = TSet.Broadcast(0.2685149802f);
        p = TSet.MultiplyAdd(p, square, TSet.Broadcast(0.2823661981f));
        p = TSet.MultiplyAdd(p, square, TSet.Broadcast(0.4000756064f));
        p = TSet.MultiplyAdd(p, square, TSet.Broadcast(0.6666664034f));
        return TSet.MultiplyAdd(TSet.Multiply(s, square), p, TSet.Add(s, s));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static TVector OnePlusExp(TVector x) => TSet.Add(TSet.Broadcast(1f), Exp(x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static TVector Sigmoid(TVector x, out TVector complement)
    {
        TVector e = Exp(TSet.Subtract(TSet.Broadcast(0f), x)), sigmoid = TSet.Divide(TSet.Broadcast(1f), TSet.Add(TSet.Broadcast(1f), e));
        complement = TSet.Multiply(e, sigmoid);
        return sigmoid;
    }

    /// <summary>x·Φ(x).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    static TVector Gelu(TVector x)
    {
        TVector half = TSet.Multiply(x, TSet.Broadcast(0.5f));
        return TSet.MultiplyAdd(half, Erf(x, out _), half);
    }

    /// <summary>erf(x / √2) by Abramowitz and Stegun 7.1.26, absolute error below 1.5e-7, and the exp(-x² / 2) it is made of.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static TVector Erf(TVector x, out TVector bell)
    {
        TVector z = TSet.Multiply(TSet.Absolute(x), TSet.Broadcast(0.70710678f));
        TVector t = TSet.Divide(TSet.Broadcast(1f), TSet.MultiplyAdd(z, TSet.Broadcast(0.3275911f), TSet.Broadcast(1f)));
        TVector p = TSet.Broadcast(1.061405429f);
        p = TSet.MultiplyAdd(p, t, TSet.Broadcast(-1.453152027f));
        p = TSet.MultiplyAdd(p, t, TSet.Broadcast(1.421413741f));
        p = TSet.MultiplyAdd(p, t, TSet.Broadcast(-0.284496736f));
        p = TSet.MultiplyAdd(p, t, TSet.Broadcast(0.254829592f));
        bell = Exp(TSet.Subtract(TSet.Broadcast(0f), TSet.Multiply(z, z)));
        TVector complement = TSet.Multiply(TSet.Multiply(p, t), bell);
        return TSet.CopySign(TSet.Subtract(TSet.Broadcast(1f), complement), x);
    }
}
