using ClipSegNative.Tests.Kernels.Ptx.Decoding;
using ClipSegNative.Tests.Kernels.Ptx.Execution;
using static ClipSegNative.Tests.Kernels.Ptx.PtxType;

namespace ClipSegNative.Tests.Kernels.Ptx.Instructions;

/// <summary>Bits: logic, shifts, fields and permutations.</summary>
static class LogicInstructions
{
    public static Dictionary<string, Decoder> Table { get; } = new()
    {
        ["and"] = reader => Binary<And>(reader, (x, y) => x & y),
        ["or"] = reader => Binary<Or>(reader, (x, y) => x | y),
        ["xor"] = reader => Binary<ExclusiveOr>(reader, (x, y) => x ^ y),
        ["not"] = Not,
        ["lop3"] = LogicOfThree,
        ["shl"] = ShiftLeft,
        ["shr"] = ShiftRight,
        ["shf"] = FunnelShift,
        ["bfe"] = ExtractField,
        ["bfi"] = InsertField,
        ["prmt"] = Permute,
    };

    static LaneOperation Binary<TOperation>(InstructionReader reader, Func<uint, uint, uint> predicates) where TOperation : IBinary
    {
        PtxType type = reader.Type(Pred, B16, B32, B64);
        (Register d, Register a, Register b) = (reader.Destination(type), reader.Source(type), reader.Source(type));
        return type switch
        {
            Pred => Lanes.Predicates(d, a, b, predicates),
            B16 => Lanes.Binary<TOperation, ushort>(d, a, b),
            B32 => Lanes.Binary<TOperation, uint>(d, a, b),
            _ => Lanes.Binary<TOperation, ulong>(d, a, b),
        };
    }

    static LaneOperation Not(InstructionReader reader)
    {
        PtxType type = reader.Type(Pred, B16, B32, B64);
        (Register d, Register a) = (reader.Destination(type), reader.Source(type));
        return type switch
        {
            Pred => Lanes.Predicates(d, a, a, (x, _) => ~x),
            B16 => Lanes.Unary<Not, ushort>(d, a),
            B32 => Lanes.Unary<Not, uint>(d, a),
            _ => Lanes.Unary<Not, ulong>(d, a),
        };
    }

    /// <summary>Any function of three bits, by its table: bit 4a + 2b + c.</summary>
    static LaneOperation LogicOfThree(InstructionReader reader)
    {
        reader.Type(B32);
        (Register d, Register a, Register b, Register c) = (reader.Destination(B32), reader.Source(B32), reader.Source(B32), reader.Source(B32));
        int table = reader.Immediate(0, 255);
        return Lanes.Map<uint, uint, uint, uint>(d, a, b, c, (x, y, z) =>
        {
            uint result = 0;
            for (int row = 0; row < 8; row++)
                if ((table >> row & 1) != 0) result |= ((row & 4) != 0 ? x : ~x) & ((row & 2) != 0 ? y : ~y) & ((row & 1) != 0 ? z : ~z);
            return result;
        });
    }

    /// <summary>A distance of the type's size or more leaves nothing.</summary>
    static LaneOperation ShiftLeft(InstructionReader reader)
    {
        PtxType type = reader.Type(B16, B32, B64);
        (Register d, Register a, Register b) = (reader.Destination(type), reader.Source(type), reader.Source(U32));
        return type switch
        {
            B16 => Lanes.Map<ushort, uint, ushort>(d, a, b, (x, n) => (ushort)(n > 15 ? 0 : x << (int)n)),
            B32 => Lanes.Map<uint, uint, uint>(d, a, b, (x, n) => n > 31 ? 0 : x << (int)n),
            _ => Lanes.Map<ulong, uint, ulong>(d, a, b, (x, n) => n > 63 ? 0 : x << (int)n),
        };
    }

    /// <summary>A distance of the type's size or more leaves the sign, of unsigned numbers nothing.</summary>
    static LaneOperation ShiftRight(InstructionReader reader)
    {
        PtxType type = reader.Type(B16, U16, S16, B32, U32, S32, B64, U64, S64);
        (Register d, Register a, Register b) = (reader.Destination(type), reader.Source(type), reader.Source(U32));
        return type switch
        {
            S16 => Lanes.Map<short, uint, short>(d, a, b, (x, n) => (short)(x >> (int)Math.Min(n, 15))),
            S32 => Lanes.Map<int, uint, int>(d, a, b, (x, n) => x >> (int)Math.Min(n, 31)),
            S64 => Lanes.Map<long, uint, long>(d, a, b, (x, n) => x >> (int)Math.Min(n, 63)),
            B16 or U16 => Lanes.Map<ushort, uint, ushort>(d, a, b, (x, n) => (ushort)(n > 15 ? 0 : x >> (int)n)),
            B32 or U32 => Lanes.Map<uint, uint, uint>(d, a, b, (x, n) => n > 31 ? 0 : x >> (int)n),
            _ => Lanes.Map<ulong, uint, ulong>(d, a, b, (x, n) => n > 63 ? 0 : x >> (int)n),
        };
    }

    /// <summary>The upper word of b:a shifted left, or the lower of it shifted right.</summary>
    static LaneOperation FunnelShift(InstructionReader reader)
    {
        bool left = reader.OneOf("l", "r") == "l", wraps = reader.OneOf("wrap", "clamp") == "wrap";
        reader.Type(B32);
        (Register d, Register a, Register b, Register c) = (reader.Destination(B32), reader.Source(B32), reader.Source(B32), reader.Source(U32));
        return Lanes.Map<uint, uint, uint, uint>(d, a, b, c, (low, high, n) =>
        {
            int distance = (int)(wraps ? n & 31 : Math.Min(n, 32));
            ulong both = (ulong)high << 32 | low;
            return left ? (uint)(both << distance >> 32) : (uint)(both >> distance);
        });
    }

    static LaneOperation ExtractField(InstructionReader reader)
    {
        PtxType type = reader.Type(U32, S32, U64, S64);
        (Register d, Register a, Register b, Register c) = (reader.Destination(type), reader.Source(type), reader.Source(U32), reader.Source(U32));
        return type switch
        {
            U32 => Lanes.Map<uint, uint, uint, uint>(d, a, b, c, (x, start, length) => (uint)Field(x, start, length, 32, signed: false)),
            S32 => Lanes.Map<int, uint, uint, uint>(d, a, b, c, (x, start, length) => (uint)Field(x, start, length, 32, signed: true)),
            U64 => Lanes.Map<ulong, uint, uint, ulong>(d, a, b, c, (x, start, length) => (ulong)Field(x, start, length, 64, signed: false)),
            _ => Lanes.Map<long, uint, uint, ulong>(d, a, b, c, (x, start, length) => (ulong)Field(x, start, length, 64, signed: true)),
        };
    }

    /// <summary>What reaches beyond the number is its sign.</summary>
    static Int128 Field(Int128 x, uint start, uint length, int bits, bool signed)
    {
        (int from, int count) = (Math.Min((int)(start & 255), bits), (int)(length & 255));
        if (count == 0) return 0;
        Int128 shifted = x >> from;
        if (count >= bits) return shifted;
        Int128 field = shifted & (Int128.One << count) - 1;
        return signed && (field >> count - 1 & 1) != 0 ? field - (Int128.One << count) : field;
    }

    /// <summary>The low bits of a, put into b.</summary>
    static unsafe LaneOperation InsertField(InstructionReader reader)
    {
        PtxType type = reader.Type(B32, B64);
        (Register f, Register a, Register b) = (reader.Destination(type), reader.Source(type), reader.Source(type));
        (Register c, Register d) = (reader.Source(U32), reader.Source(U32));
        ulong Insert(ulong from, ulong into, uint start, uint length)
        {
            (int at, int count) = ((int)(start & 255), (int)(length & 255));
            if (at > 63) return into;
            ulong mask = (count > 63 ? ulong.MaxValue : (1ul << count) - 1) << at;
            return (into & ~mask) | (from << at & mask);
        }
        return (warp, lanes) =>
        {
            uint* start = warp.Lanes<uint>(c.Offset), length = warp.Lanes<uint>(d.Offset);
            foreach (int lane in new LaneSet(lanes))
            {
                (uint at, uint count) = (start[lane], length[lane]);
                if (type == B32) warp.Lanes<uint>(f.Offset)[lane] = (uint)Insert(warp.Lanes<uint>(a.Offset)[lane], warp.Lanes<uint>(b.Offset)[lane], at, count);
                else warp.Lanes<ulong>(f.Offset)[lane] = Insert(warp.Lanes<ulong>(a.Offset)[lane], warp.Lanes<ulong>(b.Offset)[lane], at, count);
            }
        };
    }

    /// <summary>Four bytes out of the eight of b:a, each chosen by four bits, whose highest asks for its sign instead.</summary>
    static LaneOperation Permute(InstructionReader reader)
    {
        reader.Type(B32);
        (Register d, Register a, Register b, Register c) = (reader.Destination(B32), reader.Source(B32), reader.Source(B32), reader.Source(B32));
        return Lanes.Map<uint, uint, uint, uint>(d, a, b, c, (low, high, selection) =>
        {
            ulong both = (ulong)high << 32 | low;
            uint result = 0;
            for (int i = 0; i < 4; i++)
            {
                uint choice = selection >> 4 * i;
                byte chosen = (byte)(both >> 8 * (int)(choice & 7));
                if ((choice & 8) != 0) chosen = (byte)((sbyte)chosen >> 7);
                result |= (uint)chosen << 8 * i;
            }
            return result;
        });
    }
}
