using System.Numerics;
using ClipSegNative.Tests.Kernels.Ptx.Decoding;
using ClipSegNative.Tests.Kernels.Ptx.Execution;
using static ClipSegNative.Tests.Kernels.Ptx.PtxType;

namespace ClipSegNative.Tests.Kernels.Ptx.Instructions;

/// <summary>What the lanes of a warp tell each other.</summary>
static unsafe class WarpInstructions
{
    public static Dictionary<string, Decoder> Table { get; } = new()
    {
        ["shfl"] = Shuffle,
        ["vote"] = Vote,
        ["match"] = Match,
        ["redux"] = Reduce,
        ["activemask"] = ActiveMask,
    };

    static LaneOperation Shuffle(InstructionReader reader)
    {
        reader.Expect("sync");
        string mode = reader.OneOf("up", "down", "bfly", "idx");
        reader.Type(B32);
        (Register d, Register? inRange) = reader.Destinations(B32, Pred);
        (Register a, Register b, Register c) = (reader.Source(B32), reader.Source(B32), reader.Source(B32));
        reader.MemberMask();
        return (warp, lanes) =>
        {
            uint* from = warp.Lanes<uint>(a.Offset), distance = warp.Lanes<uint>(b.Offset), clamp = warp.Lanes<uint>(c.Offset), to = warp.Lanes<uint>(d.Offset);
            uint* values = stackalloc uint[Warp.Size];
            new ReadOnlySpan<uint>(from, Warp.Size).CopyTo(new Span<uint>(values, Warp.Size));
            uint found = 0;
            foreach (int lane in new LaneSet(lanes))
            {
                (int source, bool inside) = ShuffleSource(mode, lane, distance[lane], clamp[lane]);
                if (inside) found |= 1u << lane;
                else source = lane;
                if ((lanes >> source & 1) == 0) throw new UndefinedResultException(warp.Site(lane), $"Lane {lane} asks lane {source}, which does not take part");
                to[lane] = values[source];
            }
            if (inRange is not null) Lanes.Set(ref warp.Predicate(inRange.Offset), lanes, found);
        };
    }

    /// <summary>Bits 0 to 4 of the clamp are the last lane of a segment, bits 8 to 12 those of a lane that name its segment.</summary>
    static (int Source, bool Inside) ShuffleSource(string mode, int lane, uint distance, uint clamp)
    {
        int by = (int)(distance & 31), segment = (int)(clamp >> 8 & 31);
        int last = (lane & segment) | ((int)(clamp & 31) & ~segment);
        int source = mode switch
        {
            "up" => lane - by,
            "down" => lane + by,
            "bfly" => lane ^ by,
            _ => (lane & segment) | (by & ~segment),
        };
        return (source, mode == "up" ? source >= last : source <= last);
    }

    static LaneOperation Vote(InstructionReader reader)
    {
        reader.Expect("sync");
        string mode = reader.OneOf("all", "any", "uni", "ballot");
        PtxType type = reader.Type(mode == "ballot" ? B32 : Pred);
        Register d = reader.Destination(type);
        (Register a, bool negated) = reader.Predicate();
        reader.MemberMask();
        return (warp, lanes) =>
        {
            uint votes = (negated ? ~warp.Predicate(a.Offset) : warp.Predicate(a.Offset)) & lanes;
            bool decided = mode switch { "all" => votes == lanes, "any" => votes != 0, _ => votes == 0 || votes == lanes };
            if (mode == "ballot") SetAll(warp, d, lanes, votes);
            else Lanes.Set(ref warp.Predicate(d.Offset), lanes, decided ? uint.MaxValue : 0);
        };
    }

    static LaneOperation Match(InstructionReader reader)
    {
        bool any = reader.OneOf("any", "all") == "any";
        reader.Expect("sync");
        PtxType type = reader.Type(B32, B64);
        (Register d, Register? agree) = any ? (reader.Destination(B32), null) : reader.Destinations(B32, Pred);
        Register a = reader.Source(type);
        reader.MemberMask();
        return (warp, lanes) =>
        {
            uint* result = stackalloc uint[Warp.Size];
            foreach (int lane in new LaneSet(lanes))
            {
                ulong value = MoveInstructions.Get(warp, a, lane);
                uint same = 0;
                foreach (int other in new LaneSet(lanes))
                    if (MoveInstructions.Get(warp, a, other) == value) same |= 1u << other;
                result[lane] = any || same == lanes ? same : 0;
                if (agree is not null) Lanes.Set(ref warp.Predicate(agree.Offset), 1u << lane, same == lanes ? uint.MaxValue : 0);
            }
            foreach (int lane in new LaneSet(lanes)) warp.Lanes<uint>(d.Offset)[lane] = result[lane];
        };
    }

    static LaneOperation Reduce(InstructionReader reader)
    {
        reader.Expect("sync");
        string operation = reader.OneOf("add", "min", "max", "and", "or", "xor");
        PtxType type = operation is "and" or "or" or "xor" ? reader.Type(B32) : reader.Type(U32, S32);
        (Register d, Register a) = (reader.Destination(type), reader.Source(type));
        reader.MemberMask();
        Func<uint, uint, uint> combine = (operation, type) switch
        {
            ("add", _) => (x, y) => x + y,
            ("min", S32) => (x, y) => (uint)Math.Min((int)x, (int)y),
            ("max", S32) => (x, y) => (uint)Math.Max((int)x, (int)y),
            ("min", _) => Math.Min,
            ("max", _) => Math.Max,
            ("and", _) => (x, y) => x & y,
            ("or", _) => (x, y) => x | y,
            _ => (x, y) => x ^ y,
        };
        return (warp, lanes) =>
        {
            uint* values = warp.Lanes<uint>(a.Offset);
            uint result = values[BitOperations.TrailingZeroCount(lanes)];
            foreach (int lane in new LaneSet(lanes & lanes - 1)) result = combine(result, values[lane]);
            SetAll(warp, d, lanes, result);
        };
    }

    /// <summary>A device says which lanes happen to execute together; here, those that do.</summary>
    static LaneOperation ActiveMask(InstructionReader reader)
    {
        reader.Type(B32);
        Register d = reader.Destination(B32);
        return (warp, lanes) => SetAll(warp, d, lanes, lanes);
    }

    static void SetAll(Warp warp, Register d, uint lanes, uint value)
    {
        foreach (int lane in new LaneSet(lanes)) warp.Lanes<uint>(d.Offset)[lane] = value;
    }
}
