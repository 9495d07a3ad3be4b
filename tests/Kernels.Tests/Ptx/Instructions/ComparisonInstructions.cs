using ClipSegNative.Tests.Kernels.Ptx.Decoding;
using ClipSegNative.Tests.Kernels.Ptx.Execution;
using static ClipSegNative.Tests.Kernels.Ptx.PtxType;

namespace ClipSegNative.Tests.Kernels.Ptx.Instructions;

/// <summary>Comparisons into predicates, and choices by them.</summary>
static class ComparisonInstructions
{
    static readonly PtxType[] Types = [B16, U16, S16, B32, U32, S32, B64, U64, S64, F32, F64];

    public static Dictionary<string, Decoder> Table { get; } = new()
    {
        ["setp"] = SetPredicate,
        ["selp"] = Select,
        ["slct"] = SelectBySign,
    };

    static LaneOperation SetPredicate(InstructionReader reader)
    {
        string comparison = reader.OneOf(
            "eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan");
        string? combination = reader.Maybe("and", "or", "xor");
        bool flushed = reader.Flag("ftz");
        PtxType type = flushed ? reader.Type(F32) : reader.Type(Types);
        (Register p, Register? q) = reader.Destinations(Pred, Pred);
        (Register a, Register b) = (reader.Source(type), reader.Source(type));
        Func<Warp, uint> compare = Compare(reader, comparison, type, a, b, flushed);
        if (combination is null) return (warp, lanes) => Set(warp, lanes, p, q, compare(warp), uint.MaxValue, (x, _) => x);
        (Register c, bool negated) = reader.Predicate();
        Func<uint, uint, uint> combine = combination switch { "and" => (x, y) => x & y, "or" => (x, y) => x | y, _ => (x, y) => x ^ y };
        return (warp, lanes) => Set(warp, lanes, p, q, compare(warp), negated ? ~warp.Predicate(c.Offset) : warp.Predicate(c.Offset), combine);
    }

    static void Set(Warp warp, uint lanes, Register p, Register? q, uint result, uint other, Func<uint, uint, uint> combine)
    {
        Lanes.Set(ref warp.Predicate(p.Offset), lanes, combine(result, other));
        if (q is not null) Lanes.Set(ref warp.Predicate(q.Offset), lanes, combine(~result, other));
    }

    static Func<Warp, uint> Compare(InstructionReader reader, string comparison, PtxType type, Register a, Register b, bool flushed)
    {
        if (type.IsFloat() && comparison is "lo" or "ls" or "hi" or "hs") throw reader.Error($"floats are not compared by .{comparison}");
        if (!type.IsFloat() && comparison is "num" or "nan" or [_, .., 'u']) throw reader.Error($"integers are not compared by .{comparison}");
        if (type.IsBits() && comparison is not ("eq" or "ne")) throw reader.Error("bits are only equal or not");
        return type switch
        {
            U16 or B16 => Comparisons.Of<ushort>(comparison, a, b),
            S16 => Comparisons.Of<short>(comparison, a, b),
            U32 or B32 => Comparisons.Of<uint>(comparison, a, b),
            S32 => Comparisons.Of<int>(comparison, a, b),
            U64 or B64 => Comparisons.Of<ulong>(comparison, a, b),
            S64 => Comparisons.Of<long>(comparison, a, b),
            F32 => flushed ? Comparisons.OfFlushed(comparison, a, b) : Comparisons.Of<float>(comparison, a, b),
            _ => Comparisons.Of<double>(comparison, a, b),
        };
    }

    /// <summary>Only the chosen operand needs to have been written.</summary>
    static LaneOperation Select(InstructionReader reader)
    {
        PtxType type = reader.Type(Types);
        (Register d, Register a, Register b) = (reader.TrackedDestination(type), reader.TrackedSource(type), reader.TrackedSource(type));
        (Register p, bool negated) = reader.Predicate();
        if (negated) throw reader.Error("the predicate cannot be negated");
        return type.Bytes() switch
        {
            2 => Select<ushort>(d, a, b, p),
            4 => Select<uint>(d, a, b, p),
            _ => Select<ulong>(d, a, b, p),
        };
    }

    static unsafe LaneOperation Select<T>(Register d, Register a, Register b, Register p) where T : unmanaged =>
        (warp, lanes) =>
        {
            uint chosen = warp.Predicate(p.Offset);
            MoveInstructions.Copy<T>(warp, d, a, lanes & chosen);
            MoveInstructions.Copy<T>(warp, d, b, lanes & ~chosen);
        };

    static LaneOperation SelectBySign(InstructionReader reader)
    {
        bool flushed = reader.Flag("ftz");
        PtxType type = reader.Type(B32, U32, S32, F32, B64, U64, S64, F64), signed = reader.Type(S32, F32);
        if (flushed && signed != F32) throw reader.Error("only .f32 is flushed to zero");
        (Register d, Register a, Register b, Register c) = (reader.Destination(type), reader.Source(type), reader.Source(type), reader.Source(signed));
        return (type.Bytes(), signed) switch
        {
            (4, S32) => Lanes.Map<uint, uint, int, uint>(d, a, b, c, (x, y, sign) => sign >= 0 ? x : y),
            (4, _) => Lanes.Map<uint, uint, float, uint>(d, a, b, c, (x, y, sign) => (flushed ? Flush.Apply(sign) : sign) >= 0 ? x : y),
            (_, S32) => Lanes.Map<ulong, ulong, int, ulong>(d, a, b, c, (x, y, sign) => sign >= 0 ? x : y),
            _ => Lanes.Map<ulong, ulong, float, ulong>(d, a, b, c, (x, y, sign) => (flushed ? Flush.Apply(sign) : sign) >= 0 ? x : y),
        };
    }
}
