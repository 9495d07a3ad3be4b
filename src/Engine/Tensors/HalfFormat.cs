using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ClipSegNative.Tensors;

/// <summary>
/// F16, that is IEEE 754 binary16. Compiled with all optimisations at once: a load passes here once, and has ended before the JIT would come back to a
/// method of a library.
/// </summary>
static unsafe class HalfFormat
{
    /// <summary>2¹¹²: between the exponent's bias in F16, 15, and in float32, 127. The product is exact, of subnormal numbers too.</summary>
    public const float Rebias = 5.192297e33f;

    const int DroppedBits = 23 - 10;   // of the fraction

    const uint Infinity = 0x7c00, SingleInfinity = 0x7f80_0000;

    /// <summary>65520, the least size that is rounded to infinity; of NaN the bits are larger still.</summary>
    const uint Overflow = 0x477f_f000;

    /// <summary>2⁻¹⁴, below which F16 is subnormal.</summary>
    const uint LeastNormal = 0x3880_0000;

    /// <summary>Numbers that small, added to 0.5, are rounded to multiples of 2⁻²⁴, F16's least.</summary>
    const uint OneHalf = 0x3f00_0000;

    /// <summary>Exact for every pattern.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Widen(ReadOnlySpan<Half> source, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(destination.Length, source.Length, nameof(destination));
        int i = 0;
        fixed (Half* from = source)
        fixed (float* to = destination)
        {
            for (; i <= source.Length - Vector256<float>.Count; i += Vector256<float>.Count)
            {
                (Vector128<uint> lower, Vector128<uint> upper) = Vector128.Widen(Vector128.Load((ushort*)from + i));
                var bits = Vector256.Create(lower, upper);
                Vector256<uint> size = bits & Vector256.Create(0x7fffu);
                Vector256<uint> endless = Vector256.GreaterThanOrEqual(size.AsInt32(), Vector256.Create((int)Infinity)).AsUInt32() & Vector256.Create(SingleInfinity);
                size = ((size << DroppedBits).AsSingle() * Vector256.Create(Rebias)).AsUInt32() | endless;
                (size | (bits & Vector256.Create(0x8000u)) << 16).Store((uint*)to + i);
            }
            for (; i < source.Length; i++) to[i] = (float)from[i];
        }
    }

    /// <summary>To the nearest, ties to even.</summary>
    /// <returns>False where a value is not finite or too large; what is then written means nothing.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool TryNarrow(float* source, int count, Half* destination)
    {
        Vector256<int> largest = default;
        int i = 0, rest = 0;
        for (; i <= count - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var bits = Vector256.Load((uint*)source + i);
            Vector256<uint> size = bits & Vector256.Create(0x7fff_ffffu);
            largest = Vector256.Max(largest, size.AsInt32());
            Vector256<uint> normal = size - Vector256.Create(LeastNormal - (1u << DroppedBits + 10)) + Vector256.Create((1u << DroppedBits - 1) - 1) + (size >> DroppedBits & Vector256<uint>.One);
            Vector256<uint> subnormal = (size.AsSingle() + Vector256.Create(0.5f)).AsUInt32() - Vector256.Create(OneHalf);
            Vector256<uint> isSmall = Vector256.LessThan(size.AsInt32(), Vector256.Create((int)LeastNormal)).AsUInt32();
            Vector256<uint> half = Vector256.ConditionalSelect(isSmall, subnormal, normal >> DroppedBits) | (bits >> 16 & Vector256.Create(0x8000u));
            Vector128.Narrow(half.GetLower(), half.GetUpper()).Store((ushort*)destination + i);
        }
        for (; i < count; i++)
        {
            destination[i] = (Half)source[i];
            rest = Math.Max(rest, (int)(BitConverter.SingleToUInt32Bits(source[i]) & 0x7fff_ffff));
        }
        return !Vector256.GreaterThanAny(largest, Vector256.Create((int)Overflow - 1)) && rest < Overflow;
    }
}
