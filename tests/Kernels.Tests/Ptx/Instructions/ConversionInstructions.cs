using ClipSegNative.Tests.Kernels.Ptx.Decoding;
using ClipSegNative.Tests.Kernels.Ptx.Execution;
using static ClipSegNative.Tests.Kernels.Ptx.PtxType;

namespace ClipSegNative.Tests.Kernels.Ptx.Instructions;

/// <summary>Numbers of one type into those of another.</summary>
static class ConversionInstructions
{
    static readonly PtxType[] Types = [U8, S8, U16, S16, U32, S32, U64, S64, F16, F32, F64];

    public static Dictionary<string, Decoder> Table { get; } = new() { ["cvt"] = Convert };

    static LaneOperation Convert(InstructionReader reader)
    {
        string? rounding = reader.Maybe("rn", "rz", "rm", "rp", "rna", "rni", "rzi", "rmi", "rpi");
        bool flushed = reader.Flag("ftz"), saturated = reader.Flag("sat");
        PtxType to = reader.Type([.. Types, Bf16, F16x2, Bf16x2, Tf32]);
        if (to is F16x2 or Bf16x2) return Pair(reader, to, rounding);
        PtxType from = reader.Type(Types);
        if (flushed && from != F32 && to != F32) throw reader.Error("only .f32 is flushed to zero");
        Func<ulong, ulong> convert = Conversion(reader, to, from, rounding, flushed, saturated);
        (Register d, Register a) = (reader.WideDestination(to), reader.WideSource(from));
        if (FastConversion(d, a, to, from) is LaneOperation fast && !saturated) return fast;
        bool extends = to.IsSigned();
        int unused = 64 - 8 * to.Bytes();
        ulong Extended(ulong bits) => extends ? (ulong)((long)(bits << unused) >> unused) : bits << unused >> unused;
        return (a.Type.Bytes(), d.Type.Bytes()) switch
        {
            (2, 2) => Lanes.Map<ushort, ushort>(d, a, x => (ushort)Extended(convert(x))),
            (2, 4) => Lanes.Map<ushort, uint>(d, a, x => (uint)Extended(convert(x))),
            (2, _) => Lanes.Map<ushort, ulong>(d, a, x => Extended(convert(x))),
            (4, 2) => Lanes.Map<uint, ushort>(d, a, x => (ushort)Extended(convert(x))),
            (4, 4) => Lanes.Map<uint, uint>(d, a, x => (uint)Extended(convert(x))),
            (4, _) => Lanes.Map<uint, ulong>(d, a, x => Extended(convert(x))),
            (_, 2) => Lanes.Map<ulong, ushort>(d, a, x => (ushort)Extended(convert(x))),
            (_, 4) => Lanes.Map<ulong, uint>(d, a, x => (uint)Extended(convert(x))),
            _ => Lanes.Map<ulong, ulong>(d, a, x => Extended(convert(x))),
        };
    }

    /// <summary>Those that indices are made of.</summary>
    static LaneOperation? FastConversion(Register d, Register a, PtxType to, PtxType from) => (to, from, d.Type.Bytes(), a.Type.Bytes()) switch
    {
        (U64 or S64, U32, 8, 4) => Lanes.Map<uint, ulong>(d, a, x => x),
        (U64 or S64, S32, 8, 4) => Lanes.Map<int, long>(d, a, x => x),
        (U32 or S32, U64 or S64, 4, 8) => Lanes.Map<ulong, uint>(d, a, x => (uint)x),
        (F32, S32, 4, 4) => Lanes.Map<int, float>(d, a, x => x),
        _ => null,
    };

    /// <summary>Two singles into the upper and the lower half of a word.</summary>
    static LaneOperation Pair(InstructionReader reader, PtxType to, string? rounding)
    {
        if (rounding != "rn") throw reader.Error("pairs are rounded to the nearest");
        reader.Type(F32);
        (Register d, Register a, Register b) = (reader.Destination(B32), reader.Source(F32), reader.Source(F32));
        return to == F16x2
            ? Lanes.Map<float, float, uint>(d, a, b, (upper, lower) => (uint)Numbers.ToHalf(upper) << 16 | Numbers.ToHalf(lower))
            : Lanes.Map<float, float, uint>(d, a, b, (upper, lower) => (uint)Numbers.ToBrain(upper) << 16 | Numbers.ToBrain(lower));
    }

    /// <summary>Of the representation in the low bits; those above are not looked at and may come out as anything.</summary>
    static Func<ulong, ulong> Conversion(InstructionReader reader, PtxType to, PtxType from, string? rounding, bool flushed, bool saturated)
    {
        bool toInteger = rounding is "rni" or "rzi" or "rmi" or "rpi";
        switch (to.IsFloat(), from.IsFloat())
        {
            case (false, false):
                if (rounding is not null) throw reader.Error("integers are not rounded");
                return saturated ? bits => (ulong)Numbers.Saturate(Numbers.Integer(bits, from), to) : bits => (ulong)Numbers.Integer(bits, from);
            case (true, false):
                if (rounding != "rn" || saturated) throw reader.Error("only .rn is interpreted");
                return bits => Numbers.FromInteger(Numbers.Integer(bits, from), to);
            case (false, true):
                if (!toInteger) throw reader.Error("a rounding to an integer is missing");
                return bits => (ulong)Numbers.Saturate(Numbers.Rounded(Numbers.Value(bits, from, flushed), rounding!), to);
            default:
                bool narrows = to.Bytes() < from.Bytes() || to == Tf32;
                if (narrows != rounding is "rn" or "rna" || (!narrows && rounding is not null && !(toInteger && to == from)))
                    throw reader.Error("such a rounding is not interpreted");
                return bits =>
                {
                    double value = Numbers.Value(bits, from, flushed);
                    if (toInteger) value = Numbers.Rounded(value, rounding!);
                    if (saturated) value = double.IsNaN(value) ? 0 : Math.Clamp(value, 0, 1);
                    return Numbers.Bits(value, to, flushed);
                };
        }
    }
}
