using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cpu;

/// <summary>
/// One width of float32 vectors, so that a kernel is written once and compiled three times. Static abstract calls on a struct type argument
/// are resolved and inlined by the JIT: the kernels cost what hand-written ones cost.
/// </summary>
unsafe interface IVectorSet<TVector> where TVector : struct
{
    /// <summary>Floats in a vector.</summary>
    static abstract int Width { get; }

    /// <summary>Rows of the matrix microkernel: as many accumulators as the registers hold. 14x2 of 32 registers, 6x2 of 16.</summary>
    static abstract int KernelRows { get; }

    static abstract TVector Load(float* source);
    static abstract void Store(TVector value, float* destination);
    static abstract TVector Broadcast(float value);

    /// <summary>To the nearest bfloat16, ties to even; NaN stays NaN.</summary>
    static abstract TVector RoundBf16(TVector value);

    /// <summary>Of rounded values.</summary>
    static abstract void StoreBf16(TVector value, ushort* destination);

    /// <summary>The inverse of <see cref="LoadBf16Pairs"/>, of rounded values.</summary>
    static abstract void StoreBf16Pairs(TVector even, TVector odd, ushort* destination);

    /// <summary>Reads 2·<see cref="Width"/> bfloat16: those at even places, and those at odd ones.</summary>
    static abstract void LoadBf16Pairs(ushort* source, out TVector even, out TVector odd);

    /// <summary>Reads <see cref="Width"/> F16, all of them finite.</summary>
    static abstract TVector LoadHalf(Half* source);

    /// <summary>Whole numbers that fit signed or unsigned bytes, as these.</summary>
    static abstract void StoreInt8(TVector value, sbyte* destination);

    /// <summary>source + factor · others + added, of integers, as floats.</summary>
    static abstract TVector LoadWhole(int* source, int* others, int factor, int added);

    static abstract TVector Add(TVector a, TVector b);
    static abstract TVector Subtract(TVector a, TVector b);
    static abstract TVector Multiply(TVector a, TVector b);
    static abstract TVector Divide(TVector a, TVector b);
    static abstract TVector SquareRoot(TVector a);

    /// <summary>The larger of each pair; NaN in b stays NaN (x86 returns its second operand), so b is the value and a the bound.</summary>
    static abstract TVector Max(TVector a, TVector b);

    /// <summary>The smaller of each pair; NaN in b stays NaN.</summary>
    static abstract TVector Min(TVector a, TVector b);
    static abstract TVector Absolute(TVector a);

    /// <summary>value, or 0 where x is 0 or less; NaN in x lets value through.</summary>
    static abstract TVector Gate(TVector x, TVector value);

    /// <summary>sign of b on the size of a.</summary>
    static abstract TVector CopySign(TVector a, TVector b);

    /// <summary>a·b + c, rounded once where the processor can.</summary>
    static abstract TVector MultiplyAdd(TVector a, TVector b, TVector c);

    static abstract TVector Round(TVector a);

    /// <summary>a · 2ⁿ for integral n, the result a normal number; NaN stays NaN.</summary>
    static abstract TVector Scale(TVector a, TVector n);

    static abstract float Sum(TVector a);

    /// <summary>The largest; of NaN and a number, either.</summary>
    static abstract float MaxAcross(TVector a);
}

readonly unsafe struct Set512 : IVectorSet<Vector512<float>>
{
    public static int Width => 16;
    public static int KernelRows => 14;

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector512<float> Load(float* source) => Vector512.Load(source);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static void Store(Vector512<float> value, float* destination) => value.Store(destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector512<float> Broadcast(float value) => Vector512.Create(value);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> RoundBf16(Vector512<float> value)
    {
        Vector512<uint> bits = value.AsUInt32(), rounded = bits + Vector512.Create(0x7fffu) + (bits >> 16 & Vector512.Create(1u));
        rounded = Vector512.ConditionalSelect(Vector512.Equals(value, value).AsUInt32(), rounded, bits | Vector512.Create(0x400000u));
        return (rounded & Vector512.Create(0xffff0000)).AsSingle();
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBf16(Vector512<float> value, ushort* destination)
    {
        Vector512<uint> bits = value.AsUInt32() >> 16;
        Vector256.Narrow(bits.GetLower(), bits.GetUpper()).Store(destination);
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBf16Pairs(Vector512<float> even, Vector512<float> odd, ushort* destination) =>
        (even.AsUInt32() >> 16 | odd.AsUInt32()).Store((uint*)destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadBf16Pairs(ushort* source, out Vector512<float> even, out Vector512<float> odd)
    {
        Vector512<uint> pairs = Vector512.Load((uint*)source);
        even = (pairs << 16).AsSingle();
        odd = (pairs & Vector512.Create(0xffff0000)).AsSingle();
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadHalf(Half* source)
    {
        (Vector256<uint> lower, Vector256<uint> upper) = Vector256.Widen(Vector256.Load((ushort*)source));
        Vector512<uint> bits = Vector512.Create(lower, upper);
        Vector512<float> size = ((bits & Vector512.Create(0x7fffu)) << 13).AsSingle() * Vector512.Create(HalfFormat.Rebias);
        return (size.AsUInt32() | (bits & Vector512.Create(0x8000u)) << 16).AsSingle();
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreInt8(Vector512<float> value, sbyte* destination)
    {
        Vector512<int> whole = Vector512.ConvertToInt32Native(value);
        Vector256<short> shorts = Vector256.Narrow(whole.GetLower(), whole.GetUpper());
        Vector128.Narrow(shorts.GetLower(), shorts.GetUpper()).Store(destination);
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadWhole(int* source, int* others, int factor, int added) =>
        Vector512.ConvertToSingle(Vector512.Load(source) + Vector512.Load(others) * factor + Vector512.Create(added));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => a + b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector512<float> Subtract(Vector512<float> a, Vector512<float> b) => a - b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector512<float> Multiply(Vector512<float> a, Vector512<float> b) => a * b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector512<float> Divide(Vector512<float> a, Vector512<float> b) => a / b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector512<float> SquareRoot(Vector512<float> a) => Vector512.Sqrt(a);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector512<float> Max(Vector512<float> a, Vector512<float> b) => Avx512F.Max(a, b);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector512<float> Min(Vector512<float> a, Vector512<float> b) => Avx512F.Min(a, b);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector512<float> Absolute(Vector512<float> a) => Vector512.Abs(a);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Gate(Vector512<float> x, Vector512<float> value) => Vector512.AndNot(value, Vector512.LessThanOrEqual(x, Vector512<float>.Zero));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector512<float> CopySign(Vector512<float> a, Vector512<float> b) => Vector512.CopySign(a, b);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Avx512F.FusedMultiplyAdd(a, b, c);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector512<float> Round(Vector512<float> a) => Avx512F.RoundScale(a, 0);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector512<float> Scale(Vector512<float> a, Vector512<float> n) => Avx512F.Scale(a, n);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static float Sum(Vector512<float> a) => Vector512.Sum(a);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static float MaxAcross(Vector512<float> a) => Set256.MaxAcross(Vector256.MaxNative(a.GetLower(), a.GetUpper()));
}

readonly unsafe struct Set256 : IVectorSet<Vector256<float>>
{
    public static int Width => 8;
    public static int KernelRows => 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector256<float> Load(float* source) => Vector256.Load(source);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static void Store(Vector256<float> value, float* destination) => value.Store(destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector256<float> Broadcast(float value) => Vector256.Create(value);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> RoundBf16(Vector256<float> value)
    {
        Vector256<uint> bits = value.AsUInt32(), rounded = bits + Vector256.Create(0x7fffu) + (bits >> 16 & Vector256.Create(1u));
        rounded = Vector256.ConditionalSelect(Vector256.Equals(value, value).AsUInt32(), rounded, bits | Vector256.Create(0x400000u));
        return (rounded & Vector256.Create(0xffff0000)).AsSingle();
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBf16(Vector256<float> value, ushort* destination)
    {
        Vector256<uint> bits = value.AsUInt32() >> 16;
        Vector128.Narrow(bits.GetLower(), bits.GetUpper()).Store(destination);
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBf16Pairs(Vector256<float> even, Vector256<float> odd, ushort* destination) =>
        (even.AsUInt32() >> 16 | odd.AsUInt32()).Store((uint*)destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadBf16Pairs(ushort* source, out Vector256<float> even, out Vector256<float> odd)
    {
        Vector256<uint> pairs = Vector256.Load((uint*)source);
        even = (pairs << 16).AsSingle();
        odd = (pairs & Vector256.Create(0xffff0000)).AsSingle();
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadHalf(Half* source)
    {
        (Vector128<uint> lower, Vector128<uint> upper) = Vector128.Widen(Vector128.Load((ushort*)source));
        Vector256<uint> bits = Vector256.Create(lower, upper);
        Vector256<float> size = ((bits & Vector256.Create(0x7fffu)) << 13).AsSingle() * Vector256.Create(HalfFormat.Rebias);
        return (size.AsUInt32() | (bits & Vector256.Create(0x8000u)) << 16).AsSingle();
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreInt8(Vector256<float> value, sbyte* destination)
    {
        Vector256<int> whole = Vector256.ConvertToInt32Native(value);
        Vector128<short> shorts = Vector128.Narrow(whole.GetLower(), whole.GetUpper());
        Vector128.Narrow(shorts, shorts).GetLower().Store(destination);
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadWhole(int* source, int* others, int factor, int added) =>
        Vector256.ConvertToSingle(Vector256.Load(source) + Vector256.Load(others) * factor + Vector256.Create(added));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => a + b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector256<float> Subtract(Vector256<float> a, Vector256<float> b) => a - b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector256<float> Multiply(Vector256<float> a, Vector256<float> b) => a * b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector256<float> Divide(Vector256<float> a, Vector256<float> b) => a / b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector256<float> SquareRoot(Vector256<float> a) => Vector256.Sqrt(a);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector256<float> Max(Vector256<float> a, Vector256<float> b) => Avx.Max(a, b);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector256<float> Min(Vector256<float> a, Vector256<float> b) => Avx.Min(a, b);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector256<float> Absolute(Vector256<float> a) => Vector256.Abs(a);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Gate(Vector256<float> x, Vector256<float> value) => Vector256.AndNot(value, Vector256.LessThanOrEqual(x, Vector256<float>.Zero));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector256<float> CopySign(Vector256<float> a, Vector256<float> b) => Vector256.CopySign(a, b);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Fma.MultiplyAdd(a, b, c);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector256<float> Round(Vector256<float> a) => Avx.RoundToNearestInteger(a);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Scale(Vector256<float> a, Vector256<float> n) => (a.AsInt32() + (Avx.ConvertToVector256Int32(n) << 23)).AsSingle();
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static float Sum(Vector256<float> a) => Vector256.Sum(a);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static float MaxAcross(Vector256<float> a) => Set128.MaxAcross(Vector128.MaxNative(a.GetLower(), a.GetUpper()));
}

/// <summary>Only .NET's portable operations: correct on every processor.</summary>
readonly unsafe struct Set128 : IVectorSet<Vector128<float>>
{
    public static int Width => 4;
    public static int KernelRows => 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector128<float> Load(float* source) => Vector128.Load(source);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static void Store(Vector128<float> value, float* destination) => value.Store(destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector128<float> Broadcast(float value) => Vector128.Create(value);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> RoundBf16(Vector128<float> value)
    {
        Vector128<uint> bits = value.AsUInt32(), rounded = bits + Vector128.Create(0x7fffu) + (bits >> 16 & Vector128.Create(1u));
        rounded = Vector128.ConditionalSelect(Vector128.Equals(value, value).AsUInt32(), rounded, bits | Vector128.Create(0x400000u));
        return (rounded & Vector128.Create(0xffff0000)).AsSingle();
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBf16(Vector128<float> value, ushort* destination)
    {
        Vector128<uint> bits = value.AsUInt32() >> 16;
        Vector128.Narrow(bits, bits).GetLower().Store(destination);
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBf16Pairs(Vector128<float> even, Vector128<float> odd, ushort* destination) =>
        (even.AsUInt32() >> 16 | odd.AsUInt32()).Store((uint*)destination);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadBf16Pairs(ushort* source, out Vector128<float> even, out Vector128<float> odd)
    {
        Vector128<uint> pairs = Vector128.Load((uint*)source);
        even = (pairs << 16).AsSingle();
        odd = (pairs & Vector128.Create(0xffff0000)).AsSingle();
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadHalf(Half* source)
    {
        Vector128<uint> bits = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)source).AsUInt16());
        Vector128<float> size = ((bits & Vector128.Create(0x7fffu)) << 13).AsSingle() * Vector128.Create(HalfFormat.Rebias);
        return (size.AsUInt32() | (bits & Vector128.Create(0x8000u)) << 16).AsSingle();
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreInt8(Vector128<float> value, sbyte* destination)
    {
        Vector128<int> whole = Vector128.ConvertToInt32Native(value);
        Vector128<short> shorts = Vector128.Narrow(whole, whole);
        *(int*)destination = Vector128.Narrow(shorts, shorts).AsInt32().ToScalar();
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadWhole(int* source, int* others, int factor, int added) =>
        Vector128.ConvertToSingle(Vector128.Load(source) + Vector128.Load(others) * factor + Vector128.Create(added));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector128<float> Add(Vector128<float> a, Vector128<float> b) => a + b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector128<float> Subtract(Vector128<float> a, Vector128<float> b) => a - b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector128<float> Multiply(Vector128<float> a, Vector128<float> b) => a * b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector128<float> Divide(Vector128<float> a, Vector128<float> b) => a / b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector128<float> SquareRoot(Vector128<float> a) => Vector128.Sqrt(a);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector128<float> Max(Vector128<float> a, Vector128<float> b) => Vector128.Max(a, b);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector128<float> Min(Vector128<float> a, Vector128<float> b) => Vector128.Min(a, b);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector128<float> Absolute(Vector128<float> a) => Vector128.Abs(a);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Gate(Vector128<float> x, Vector128<float> value) => Vector128.AndNot(value, Vector128.LessThanOrEqual(x, Vector128<float>.Zero));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector128<float> CopySign(Vector128<float> a, Vector128<float> b) => Vector128.CopySign(a, b);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c) => Vector128.MultiplyAddEstimate(a, b, c);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Vector128<float> Round(Vector128<float> a) => Vector128.Round(a);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Scale(Vector128<float> a, Vector128<float> n) => (a.AsInt32() + (Vector128.ConvertToInt32(n) << 23)).AsSingle();
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static float Sum(Vector128<float> a) => Vector128.Sum(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxAcross(Vector128<float> a)
    {
        a = Vector128.MaxNative(a, Vector128.Shuffle(a, Vector128.Create(2, 3, 0, 1)));
        return Vector128.MaxNative(a, Vector128.Shuffle(a, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }
}
