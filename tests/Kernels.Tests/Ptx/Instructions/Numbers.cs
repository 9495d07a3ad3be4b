using static ClipSegNative.Tests.Kernels.Ptx.PtxType;

namespace ClipSegNative.Tests.Kernels.Ptx.Instructions;

/// <summary>Values of PTX's types and their representations. Every float of them is a double.</summary>
static class Numbers
{
    /// <summary>To the nearest even; NaN to its canonical one.</summary>
    public static ushort ToBrain(float value)
    {
        if (float.IsNaN(value)) return 0x7fff;
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }

    public static ushort ToHalf(double value) => double.IsNaN(value) ? (ushort)0x7fff : BitConverter.HalfToUInt16Bits((Half)value);

    public static Int128 Integer(ulong bits, PtxType type) => type switch
    {
        U8 => (byte)bits,
        S8 => (sbyte)bits,
        U16 => (ushort)bits,
        S16 => (short)bits,
        U32 => (uint)bits,
        S32 => (int)bits,
        U64 => bits,
        _ => (long)bits,
    };

    public static double Value(ulong bits, PtxType type, bool flushed) => type switch
    {
        F16 => (double)BitConverter.UInt16BitsToHalf((ushort)bits),
        F32 when flushed => Flush.Apply(BitConverter.UInt32BitsToSingle((uint)bits)),
        F32 => BitConverter.UInt32BitsToSingle((uint)bits),
        _ => BitConverter.UInt64BitsToDouble(bits),
    };

    public static ulong Bits(double value, PtxType type, bool flushed) => type switch
    {
        F16 => ToHalf(value),
        Bf16 => ToBrain((float)value),
        F32 => BitConverter.SingleToUInt32Bits(flushed ? Flush.Apply((float)value) : (float)value),
        // Ties away from zero, and the low 13 bits cleared.
        Tf32 => BitConverter.SingleToUInt32Bits((float)value) + 0x1000 & 0xffffe000,
        _ => BitConverter.DoubleToUInt64Bits(value),
    };

    /// <summary>To the nearest even, in one step.</summary>
    public static ulong FromInteger(Int128 value, PtxType type)
    {
        if (type == F64) return Bits((double)value, F64, flushed: false);
        // What lies below a double's 53 bits only says on which side of a tie the value is.
        UInt128 magnitude = (UInt128)Int128.Abs(value);
        int excess = Math.Max(0, 128 - (int)UInt128.LeadingZeroCount(magnitude) - 53);
        UInt128 kept = magnitude >> excess;
        if (kept << excess != magnitude) kept |= 1;
        double exact = Math.ScaleB((double)(ulong)kept, excess);
        return Bits(value < 0 ? -exact : exact, type, flushed: false);
    }

    public static double Rounded(double value, string rounding) => rounding switch
    {
        "rni" => Math.Round(value, MidpointRounding.ToEven),
        "rzi" => Math.Truncate(value),
        "rmi" => Math.Floor(value),
        _ => Math.Ceiling(value),
    };

    /// <summary>The nearest of the type; of a NaN zero.</summary>
    public static Int128 Saturate(double value, PtxType type) => double.IsNaN(value) ? 0 : Saturate((Int128)Math.Clamp(value, -1e30, 1e30), type);

    public static Int128 Saturate(Int128 value, PtxType type)
    {
        int bits = 8 * type.Bytes();
        Int128 least = type.IsSigned() ? -(Int128.One << bits - 1) : 0;
        return Int128.Clamp(value, least, least + (Int128.One << bits) - 1);
    }
}
