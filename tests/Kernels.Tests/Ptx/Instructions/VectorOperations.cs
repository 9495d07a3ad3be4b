using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ClipSegNative.Tests.Kernels.Ptx.Instructions;

readonly struct Add : IBinary
{
    public static Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b) => a + b;
}

readonly struct Subtract : IBinary
{
    public static Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b) => a - b;
}

readonly struct Multiply : IBinary
{
    public static Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b) => a * b;
}

readonly struct Divide : IBinary
{
    public static Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b) => a / b;
}

/// <summary>Of a number and a NaN it is the number; -0 is less than +0.</summary>
readonly struct Minimum : IBinary
{
    public static Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b) => Vector256.MinNumber(a, b);
}

/// <summary>Of a number and a NaN it is the number; -0 is less than +0.</summary>
readonly struct Maximum : IBinary
{
    public static Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b) => Vector256.MaxNumber(a, b);
}

/// <summary>Of a number and a NaN it is the NaN.</summary>
readonly struct MinimumOrNaN : IBinary
{
    public static Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b) => Vector256.Min(a, b);
}

/// <summary>Of a number and a NaN it is the NaN.</summary>
readonly struct MaximumOrNaN : IBinary
{
    public static Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b) => Vector256.Max(a, b);
}

readonly struct And : IBinary
{
    public static Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b) => a & b;
}

readonly struct Or : IBinary
{
    public static Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b) => a | b;
}

readonly struct ExclusiveOr : IBinary
{
    public static Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b) => a ^ b;
}

readonly struct Not : IUnary
{
    public static Vector256<T> Apply<T>(Vector256<T> a) => ~a;
}

readonly struct Negate : IUnary
{
    public static Vector256<T> Apply<T>(Vector256<T> a) => -a;
}

readonly struct Absolute : IUnary
{
    public static Vector256<T> Apply<T>(Vector256<T> a) => Vector256.Abs(a);
}

readonly struct SquareRoot : IUnary
{
    public static Vector256<T> Apply<T>(Vector256<T> a) => Vector256.Sqrt(a);
}

/// <summary>Modulo the size of the type.</summary>
readonly struct MultiplyAdd : ITernary
{
    public static Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b, Vector256<T> c) => a * b + c;
}

/// <summary>Rounded once.</summary>
readonly struct FusedMultiplyAdd : ITernary
{
    public static Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b, Vector256<T> c) =>
        typeof(T) == typeof(float)
            ? Vector256.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
            : Vector256.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();
}

/// <summary>Subnormal operands and results of .f32 are zeros with their signs.</summary>
readonly struct FlushedUnary<TOperation> : IUnary where TOperation : IUnary
{
    public static Vector256<T> Apply<T>(Vector256<T> a) => Flush.Apply(TOperation.Apply(Flush.Apply(a)));
}

/// <inheritdoc cref="FlushedUnary{T}"/>
readonly struct FlushedBinary<TOperation> : IBinary where TOperation : IBinary
{
    public static Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b) => Flush.Apply(TOperation.Apply(Flush.Apply(a), Flush.Apply(b)));
}

/// <inheritdoc cref="FlushedUnary{T}"/>
readonly struct FlushedTernary<TOperation> : ITernary where TOperation : ITernary
{
    public static Vector256<T> Apply<T>(Vector256<T> a, Vector256<T> b, Vector256<T> c) =>
        Flush.Apply(TOperation.Apply(Flush.Apply(a), Flush.Apply(b), Flush.Apply(c)));
}

static class Flush
{
    /// <summary>2⁻¹²⁶.</summary>
    const float LeastNormal = 1.17549435e-38f;

    /// <param name="a">Singles.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Apply<T>(Vector256<T> a)
    {
        Vector256<float> x = a.As<T, float>();
        Vector256<float> subnormal = Vector256.LessThan(Vector256.Abs(x), Vector256.Create(LeastNormal));
        return Vector256.ConditionalSelect(subnormal, x & Vector256.Create(-0f), x).As<float, T>();
    }

    public static float Apply(float x) => Math.Abs(x) < LeastNormal ? float.CopySign(0, x) : x;
}
