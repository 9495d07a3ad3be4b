using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ClipSegNative.Tests.Kernels.Ptx.Execution;

namespace ClipSegNative.Tests.Kernels.Ptx.Instructions;

/// <summary>One operand, for as many lanes as a vector holds.</summary>
interface IUnary
{
    static abstract Vector256<T> Apply<T>(Vector256<T> a);
}

/// <summary>Two operands, for as many lanes as a vector holds.</summary>
interface IBinary
{
    static abstract Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b);
}

/// <summary>Three operands, for as many lanes as a vector holds.</summary>
interface ITernary
{
    static abstract Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b, Vector256<T> c);
}

/// <summary>
/// Operations on all lanes. Those on vectors serve what kernels are full of; a lambda for each lane serves the rest. Lanes that do not execute keep
/// what they have.
/// </summary>
static unsafe class Lanes
{
    public static LaneOperation Unary<TOperation, T>(Register d, Register a)
        where TOperation : IUnary
        where T : unmanaged
    {
        (int to, int first) = (d.Offset, a.Offset);
        return (warp, lanes) =>
        {
            Vector256<T>* y = warp.Lanes<Vector256<T>>(to), x = warp.Lanes<Vector256<T>>(first);
            for (int i = 0; i < Warp.Size / Vector256<T>.Count; i++) y[i] = Select(lanes, i, TOperation.Apply(x[i]), y[i]);
        };
    }

    public static LaneOperation Binary<TOperation, T>(Register d, Register a, Register b)
        where TOperation : IBinary
        where T : unmanaged
    {
        (int to, int first, int second) = (d.Offset, a.Offset, b.Offset);
        return (warp, lanes) =>
        {
            Vector256<T>* y = warp.Lanes<Vector256<T>>(to), x = warp.Lanes<Vector256<T>>(first), z = warp.Lanes<Vector256<T>>(second);
            for (int i = 0; i < Warp.Size / Vector256<T>.Count; i++) y[i] = Select(lanes, i, TOperation.Apply(x[i], z[i]), y[i]);
        };
    }

    public static LaneOperation Ternary<TOperation, T>(Register d, Register a, Register b, Register c)
        where TOperation : ITernary
        where T : unmanaged
    {
        (int to, int first, int second, int third) = (d.Offset, a.Offset, b.Offset, c.Offset);
        return (warp, lanes) =>
        {
            Vector256<T>* y = warp.Lanes<Vector256<T>>(to), x = warp.Lanes<Vector256<T>>(first);
            Vector256<T>* z = warp.Lanes<Vector256<T>>(second), w = warp.Lanes<Vector256<T>>(third);
            for (int i = 0; i < Warp.Size / Vector256<T>.Count; i++) y[i] = Select(lanes, i, TOperation.Apply(x[i], z[i], w[i]), y[i]);
        };
    }

    public static LaneOperation Map<TA, TD>(Register d, Register a, Func<TA, TD> function)
        where TA : unmanaged
        where TD : unmanaged
    {
        (int to, int first) = (d.Offset, a.Offset);
        return (warp, lanes) =>
        {
            TD* y = warp.Lanes<TD>(to);
            TA* x = warp.Lanes<TA>(first);
            foreach (int lane in new LaneSet(lanes)) y[lane] = function(x[lane]);
        };
    }

    public static LaneOperation Map<TA, TB, TD>(Register d, Register a, Register b, Func<TA, TB, TD> function)
        where TA : unmanaged
        where TB : unmanaged
        where TD : unmanaged
    {
        (int to, int first, int second) = (d.Offset, a.Offset, b.Offset);
        return (warp, lanes) =>
        {
            TD* y = warp.Lanes<TD>(to);
            TA* x = warp.Lanes<TA>(first);
            TB* z = warp.Lanes<TB>(second);
            foreach (int lane in new LaneSet(lanes)) y[lane] = function(x[lane], z[lane]);
        };
    }

    public static LaneOperation Map<TA, TB, TC, TD>(Register d, Register a, Register b, Register c, Func<TA, TB, TC, TD> function)
        where TA : unmanaged
        where TB : unmanaged
        where TC : unmanaged
        where TD : unmanaged
    {
        (int to, int first, int second, int third) = (d.Offset, a.Offset, b.Offset, c.Offset);
        return (warp, lanes) =>
        {
            TD* y = warp.Lanes<TD>(to);
            TA* x = warp.Lanes<TA>(first);
            TB* z = warp.Lanes<TB>(second);
            TC* w = warp.Lanes<TC>(third);
            foreach (int lane in new LaneSet(lanes)) y[lane] = function(x[lane], z[lane], w[lane]);
        };
    }

    /// <summary>Predicates are words with a bit a lane: an operation on them is one on words.</summary>
    public static LaneOperation Predicates(Register d, Register a, Register b, Func<uint, uint, uint> function)
    {
        (int to, int first, int second) = (d.Offset, a.Offset, b.Offset);
        return (warp, lanes) => Set(ref warp.Predicate(to), lanes, function(warp.Predicate(first), warp.Predicate(second)));
    }

    public static void Set(ref uint predicate, uint lanes, uint value) => predicate = (predicate & ~lanes) | (value & lanes);

    /// <param name="lanes">Of the whole warp.</param>
    /// <param name="part">Which vector of the warp's.</param>
    /// <param name="some">For the lanes.</param>
    /// <param name="others">For the other lanes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Select<T>(uint lanes, int part, Vector256<T> some, Vector256<T> others) =>
        lanes == uint.MaxValue ? some : Vector256.ConditionalSelect(Mask<T>(lanes, part), some, others);

    /// <summary>All bits of the elements whose lanes are in the mask.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Mask<T>(uint lanes, int part)
    {
        if (Vector256<T>.Count == 16) return Vector256.Equals(Vector256.Create((ushort)(lanes >> 16 * part)) & Powers16, Powers16).As<ushort, T>();
        if (Vector256<T>.Count == 8) return Vector256.Equals(Vector256.Create(lanes >> 8 * part) & Powers32, Powers32).As<uint, T>();
        return Vector256.Equals(Vector256.Create((ulong)(lanes >> 4 * part)) & Powers64, Powers64).As<ulong, T>();
    }

    static Vector256<ushort> Powers16 => Vector256.Create((ushort)1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768);

    static Vector256<uint> Powers32 => Vector256.Create(1u, 2, 4, 8, 16, 32, 64, 128);

    static Vector256<ulong> Powers64 => Vector256.Create(1ul, 2, 4, 8);
}
