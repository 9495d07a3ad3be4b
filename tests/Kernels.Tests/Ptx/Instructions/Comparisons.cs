using System.Runtime.Intrinsics;
using ClipSegNative.Tests.Kernels.Ptx.Execution;

namespace ClipSegNative.Tests.Kernels.Ptx.Instructions;

/// <summary>Comparisons of two registers for all lanes: a bit a lane.</summary>
static unsafe class Comparisons
{
    public static Func<Warp, uint> Of<T>(string comparison, Register a, Register b) where T : unmanaged =>
        Of<T, Equal, Less, LessOrEqual>(comparison, a, b);

    /// <summary>Of singles whose subnormals count as zero.</summary>
    public static Func<Warp, uint> OfFlushed(string comparison, Register a, Register b) =>
        Of<float, FlushedComparison<Equal>, FlushedComparison<Less>, FlushedComparison<LessOrEqual>>(comparison, a, b);

    static Func<Warp, uint> Of<T, TEqual, TLess, TLessOrEqual>(string comparison, Register a, Register b)
        where T : unmanaged
        where TEqual : IBinary
        where TLess : IBinary
        where TLessOrEqual : IBinary
    {
        Func<Warp, uint> equal = Direct<TEqual, T>(a, b);
        Func<Warp, uint> less = Direct<TLess, T>(a, b), greater = Direct<TLess, T>(b, a);
        Func<Warp, uint> lessOrEqual = Direct<TLessOrEqual, T>(a, b), greaterOrEqual = Direct<TLessOrEqual, T>(b, a);
        Func<Warp, uint> numbers = Both(Direct<TEqual, T>(a, a), Direct<TEqual, T>(b, b));
        return comparison switch
        {
            "eq" => equal,
            "ne" => typeof(T) == typeof(float) || typeof(T) == typeof(double) ? Both(Not(equal), numbers) : Not(equal),
            "lt" or "lo" => less,
            "le" or "ls" => lessOrEqual,
            "gt" or "hi" => greater,
            "ge" or "hs" => greaterOrEqual,
            "num" => numbers,
            // From here on a NaN makes it true.
            "nan" => Not(numbers),
            "equ" => Both(Not(less), Not(greater)),
            "neu" => Not(equal),
            "ltu" => Not(greaterOrEqual),
            "leu" => Not(greater),
            "gtu" => Not(lessOrEqual),
            _ => Not(less),
        };
    }

    static Func<Warp, uint> Direct<TComparison, T>(Register a, Register b)
        where TComparison : IBinary
        where T : unmanaged
    {
        (int first, int second) = (a.Offset, b.Offset);
        return warp =>
        {
            Vector256<T>* x = warp.Lanes<Vector256<T>>(first), y = warp.Lanes<Vector256<T>>(second);
            uint result = 0;
            for (int i = 0; i < Warp.Size / Vector256<T>.Count; i++) result |= Bits(TComparison.Apply(x[i], y[i])) << i * Vector256<T>.Count;
            return result;
        };
    }

    static Func<Warp, uint> Not(Func<Warp, uint> compare) => warp => ~compare(warp);

    static Func<Warp, uint> Both(Func<Warp, uint> one, Func<Warp, uint> other) => warp => one(warp) & other(warp);

    static uint Bits<T>(Vector256<T> all) => all.ExtractMostSignificantBits();

    readonly struct FlushedComparison<TComparison> : IBinary where TComparison : IBinary
    {
        public static Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b) => TComparison.Apply(Flush.Apply(a), Flush.Apply(b));
    }

    readonly struct Equal : IBinary
    {
        public static Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b) => Vector256.Equals(a, b);
    }

    readonly struct Less : IBinary
    {
        public static Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b) => Vector256.LessThan(a, b);
    }

    readonly struct LessOrEqual : IBinary
    {
        public static Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b) => Vector256.LessThanOrEqual(a, b);
    }
}
