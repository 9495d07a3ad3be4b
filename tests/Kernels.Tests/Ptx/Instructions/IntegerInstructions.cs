using System.Numerics;
using ClipSegNative.Tests.Kernels.Ptx.Decoding;
using ClipSegNative.Tests.Kernels.Ptx.Execution;
using static ClipSegNative.Tests.Kernels.Ptx.PtxType;

namespace ClipSegNative.Tests.Kernels.Ptx.Instructions;

/// <summary>Products of which other parts are wanted than the low one, quotients, and counts of bits.</summary>
static class IntegerInstructions
{
    public static Dictionary<string, Decoder> Table { get; } = new()
    {
        ["rem"] = Remainder,
        ["popc"] = reader => Count(reader, BitOperations.PopCount, BitOperations.PopCount),
        ["clz"] = reader => Count(reader, BitOperations.LeadingZeroCount, BitOperations.LeadingZeroCount),
        ["brev"] = Reverse,
        ["bfind"] = Find,
    };

    public static LaneOperation MultiplyHigh(InstructionReader reader)
    {
        PtxType type = reader.Type(U32, S32, U64, S64);
        (Register d, Register a, Register b) = (reader.Destination(type), reader.Source(type), reader.Source(type));
        return type switch
        {
            U32 => Lanes.Map<uint, uint, uint>(d, a, b, High),
            S32 => Lanes.Map<int, int, int>(d, a, b, High),
            U64 => Lanes.Map<ulong, ulong, ulong>(d, a, b, (x, y) => Math.BigMul(x, y, out _)),
            _ => Lanes.Map<long, long, long>(d, a, b, (x, y) => Math.BigMul(x, y, out _)),
        };
    }

    public static LaneOperation MultiplyHighAdd(InstructionReader reader)
    {
        PtxType type = reader.Type(U32, S32);
        (Register d, Register a, Register b, Register c) = (reader.Destination(type), reader.Source(type), reader.Source(type), reader.Source(type));
        return type == U32
            ? Lanes.Map<uint, uint, uint, uint>(d, a, b, c, (x, y, z) => High(x, y) + z)
            : Lanes.Map<int, int, int, int>(d, a, b, c, (x, y, z) => High(x, y) + z);
    }

    public static LaneOperation MultiplyWide(InstructionReader reader)
    {
        PtxType type = reader.Type(U16, S16, U32, S32);
        (Register d, Register a, Register b) = (reader.Destination(Twice(type)), reader.Source(type), reader.Source(type));
        return type switch
        {
            U16 => Lanes.Map<ushort, ushort, uint>(d, a, b, (x, y) => (uint)x * y),
            S16 => Lanes.Map<short, short, int>(d, a, b, (x, y) => x * y),
            U32 => Lanes.Map<uint, uint, ulong>(d, a, b, (x, y) => (ulong)x * y),
            _ => Lanes.Map<int, int, long>(d, a, b, (x, y) => (long)x * y),
        };
    }

    public static LaneOperation MultiplyWideAdd(InstructionReader reader)
    {
        PtxType type = reader.Type(U16, S16, U32, S32);
        (Register d, Register a, Register b, Register c) = (reader.Destination(Twice(type)), reader.Source(type), reader.Source(type), reader.Source(Twice(type)));
        return type switch
        {
            U16 => Lanes.Map<ushort, ushort, uint, uint>(d, a, b, c, (x, y, z) => (uint)x * y + z),
            S16 => Lanes.Map<short, short, int, int>(d, a, b, c, (x, y, z) => x * y + z),
            U32 => Lanes.Map<uint, uint, ulong, ulong>(d, a, b, c, (x, y, z) => (ulong)x * y + z),
            _ => Lanes.Map<int, int, long, long>(d, a, b, c, (x, y, z) => (long)x * y + z),
        };
    }

    /// <summary>A divisor of zero has no defined result: it is a fault.</summary>
    public static LaneOperation Divide(InstructionReader reader, PtxType type) => Quotient(reader, type, remainder: false);

    static LaneOperation Remainder(InstructionReader reader) => Quotient(reader, reader.Type(U16, S16, U32, S32, U64, S64), remainder: true);

    static LaneOperation Quotient(InstructionReader reader, PtxType type, bool remainder)
    {
        (Register d, Register a, Register b) = (reader.Destination(type), reader.Source(type), reader.Source(type));
        return type switch
        {
            U16 => Quotient<ushort>(d, a, b, remainder),
            S16 => Quotient<short>(d, a, b, remainder),
            U32 => Quotient<uint>(d, a, b, remainder),
            S32 => Quotient<int>(d, a, b, remainder),
            U64 => Quotient<ulong>(d, a, b, remainder),
            _ => Quotient<long>(d, a, b, remainder),
        };
    }

    static unsafe LaneOperation Quotient<T>(Register d, Register a, Register b, bool remainder) where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T> =>
        (warp, lanes) =>
        {
            T* result = warp.Lanes<T>(d.Offset), dividend = warp.Lanes<T>(a.Offset), divisor = warp.Lanes<T>(b.Offset);
            foreach (int lane in new LaneSet(lanes))
            {
                (T x, T y) = (dividend[lane], divisor[lane]);
                if (T.IsZero(y)) throw new UndefinedResultException(warp.Site(lane), $"{x} is divided by zero");
                // The one quotient that does not fit in its type.
                bool overflows = T.IsNegative(y) && y == T.Zero - T.One && x == T.MinValue;
                result[lane] = overflows ? (remainder ? T.Zero : x) : remainder ? x % y : x / y;
            }
        };

    static LaneOperation Count(InstructionReader reader, Func<uint, int> narrow, Func<ulong, int> wide)
    {
        PtxType type = reader.Type(B32, B64);
        (Register d, Register a) = (reader.Destination(U32), reader.Source(type));
        return type == B32 ? Lanes.Map(d, a, narrow) : Lanes.Map(d, a, wide);
    }

    static LaneOperation Reverse(InstructionReader reader)
    {
        PtxType type = reader.Type(B32, B64);
        (Register d, Register a) = (reader.Destination(type), reader.Source(type));
        return type == B32 ? Lanes.Map<uint, uint>(d, a, x => (uint)(Reverse(x) >> 32)) : Lanes.Map<ulong, ulong>(d, a, Reverse);
    }

    /// <summary>The place of the highest bit that differs from the sign, or that is set; all ones where there is none.</summary>
    static LaneOperation Find(InstructionReader reader)
    {
        bool shift = reader.Flag("shiftamt");
        PtxType type = reader.Type(U32, S32, U64, S64);
        (Register d, Register a) = (reader.Destination(U32), reader.Source(type));
        int top = 8 * type.Bytes() - 1;
        uint Place(ulong bits) => bits == 0 ? uint.MaxValue : (uint)(shift ? top - BitOperations.Log2(bits) : BitOperations.Log2(bits));
        return type switch
        {
            U32 => Lanes.Map<uint, uint>(d, a, x => Place(x)),
            S32 => Lanes.Map<int, uint>(d, a, x => Place((uint)(x < 0 ? ~x : x))),
            U64 => Lanes.Map<ulong, uint>(d, a, Place),
            _ => Lanes.Map<long, uint>(d, a, x => Place((ulong)(x < 0 ? ~x : x))),
        };
    }

    static PtxType Twice(PtxType type) => type switch { U16 => U32, S16 => S32, U32 => U64, _ => S64 };

    static uint High(uint x, uint y) => (uint)((ulong)x * y >> 32);

    static int High(int x, int y) => (int)((long)x * y >> 32);

    static ulong Reverse(ulong x)
    {
        ulong reversed = 0;
        for (int i = 0; i < 64; i++) reversed |= (x >> i & 1) << 63 - i;
        return reversed;
    }
}
