using ClipSegNative.Tests.Kernels.Ptx.Decoding;
using ClipSegNative.Tests.Kernels.Ptx.Execution;
using static ClipSegNative.Tests.Kernels.Ptx.PtxType;

namespace ClipSegNative.Tests.Kernels.Ptx.Instructions;

/// <summary>Sums, products and the like, of integers (modulo their size) and of floats (rounded to the nearest even).</summary>
static class ArithmeticInstructions
{
    static readonly PtxType[] Integers = [U16, S16, U32, S32, U64, S64];
    static readonly PtxType[] Numbers = [.. Integers, F32, F64];

    public static Dictionary<string, Decoder> Table { get; } = new()
    {
        ["add"] = Binary<Add>,
        ["sub"] = Binary<Subtract>,
        ["mul"] = Multiply,
        ["mad"] = MultiplyAdd,
        ["fma"] = FusedMultiplyAdd,
        ["min"] = Extreme<Minimum, MinimumOrNaN>,
        ["max"] = Extreme<Maximum, MaximumOrNaN>,
        ["neg"] = Unary<Negate>,
        ["abs"] = Unary<Absolute>,
    };

    static LaneOperation Binary<TOperation>(InstructionReader reader) where TOperation : IBinary
    {
        bool rounded = reader.Flag("rn"), flushed = reader.Flag("ftz");
        PtxType type = reader.Type(Numbers);
        if (rounded && !type.IsFloat()) throw reader.Error("integers are not rounded");
        return Binary<TOperation>(reader, type, flushed);
    }

    static LaneOperation Extreme<TNumber, TNaN>(InstructionReader reader)
        where TNumber : IBinary
        where TNaN : IBinary
    {
        bool flushed = reader.Flag("ftz"), orNaN = reader.Flag("NaN");
        PtxType type = orNaN ? reader.Type(F32) : reader.Type(Numbers);
        return orNaN ? Binary<TNaN>(reader, type, flushed) : Binary<TNumber>(reader, type, flushed);
    }

    static LaneOperation Multiply(InstructionReader reader)
    {
        switch (reader.Maybe("lo", "hi", "wide"))
        {
            case "lo": return Binary<Multiply>(reader, reader.Type(Integers), flushed: false);
            case "hi": return IntegerInstructions.MultiplyHigh(reader);
            case "wide": return IntegerInstructions.MultiplyWide(reader);
        }
        _ = reader.Flag("rn");
        bool flushed = reader.Flag("ftz");
        return Binary<Multiply>(reader, reader.Type(F32, F64), flushed);
    }

    static LaneOperation MultiplyAdd(InstructionReader reader)
    {
        switch (reader.Maybe("lo", "hi", "wide"))
        {
            case "hi": return IntegerInstructions.MultiplyHighAdd(reader);
            case "wide": return IntegerInstructions.MultiplyWideAdd(reader);
            case null: return FusedMultiplyAdd(reader);
        }
        PtxType type = reader.Type(Integers);
        (Register d, Register a, Register b, Register c) = (reader.Destination(type), reader.Source(type), reader.Source(type), reader.Source(type));
        return type.Bytes() switch
        {
            2 => Lanes.Ternary<MultiplyAdd, ushort>(d, a, b, c),
            4 => Lanes.Ternary<MultiplyAdd, uint>(d, a, b, c),
            _ => Lanes.Ternary<MultiplyAdd, ulong>(d, a, b, c),
        };
    }

    static LaneOperation FusedMultiplyAdd(InstructionReader reader)
    {
        reader.Expect("rn");
        bool flushed = reader.Flag("ftz");
        PtxType type = reader.Type(F32, F64);
        CheckFlushed(reader, type, flushed);
        (Register d, Register a, Register b, Register c) = (reader.Destination(type), reader.Source(type), reader.Source(type), reader.Source(type));
        if (flushed) return Lanes.Ternary<FlushedTernary<FusedMultiplyAdd>, float>(d, a, b, c);
        return type == F32 ? Lanes.Ternary<FusedMultiplyAdd, float>(d, a, b, c) : Lanes.Ternary<FusedMultiplyAdd, double>(d, a, b, c);
    }

    static LaneOperation Unary<TOperation>(InstructionReader reader) where TOperation : IUnary
    {
        bool flushed = reader.Flag("ftz");
        PtxType type = reader.Type(S16, S32, S64, F32, F64);
        CheckFlushed(reader, type, flushed);
        (Register d, Register a) = (reader.Destination(type), reader.Source(type));
        if (flushed) return Lanes.Unary<FlushedUnary<TOperation>, float>(d, a);
        return type switch
        {
            S16 => Lanes.Unary<TOperation, short>(d, a),
            S32 => Lanes.Unary<TOperation, int>(d, a),
            S64 => Lanes.Unary<TOperation, long>(d, a),
            F32 => Lanes.Unary<TOperation, float>(d, a),
            _ => Lanes.Unary<TOperation, double>(d, a),
        };
    }

    static LaneOperation Binary<TOperation>(InstructionReader reader, PtxType type, bool flushed) where TOperation : IBinary
    {
        CheckFlushed(reader, type, flushed);
        (Register d, Register a, Register b) = (reader.Destination(type), reader.Source(type), reader.Source(type));
        if (flushed) return Lanes.Binary<FlushedBinary<TOperation>, float>(d, a, b);
        return type switch
        {
            U16 => Lanes.Binary<TOperation, ushort>(d, a, b),
            S16 => Lanes.Binary<TOperation, short>(d, a, b),
            U32 => Lanes.Binary<TOperation, uint>(d, a, b),
            S32 => Lanes.Binary<TOperation, int>(d, a, b),
            U64 => Lanes.Binary<TOperation, ulong>(d, a, b),
            S64 => Lanes.Binary<TOperation, long>(d, a, b),
            F32 => Lanes.Binary<TOperation, float>(d, a, b),
            _ => Lanes.Binary<TOperation, double>(d, a, b),
        };
    }

    static void CheckFlushed(InstructionReader reader, PtxType type, bool flushed)
    {
        if (flushed && type != F32) throw reader.Error("only .f32 is flushed to zero");
    }
}
