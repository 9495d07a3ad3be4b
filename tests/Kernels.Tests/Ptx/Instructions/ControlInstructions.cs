using System.Numerics;
using ClipSegNative.Tests.Kernels.Ptx.Decoding;
using ClipSegNative.Tests.Kernels.Ptx.Execution;
using static ClipSegNative.Tests.Kernels.Ptx.PtxType;

namespace ClipSegNative.Tests.Kernels.Ptx.Instructions;

/// <summary>Where execution goes on, and when.</summary>
static unsafe class ControlInstructions
{
    static readonly LaneOperation Nothing = (_, _) => { };

    public static Dictionary<string, Decoder> Table { get; } = new()
    {
        ["bra"] = Branch,
        ["ret"] = Exit,
        ["exit"] = Exit,
        ["trap"] = _ => (warp, lanes) => throw new UndefinedResultException(warp.Site(BitOperations.TrailingZeroCount(lanes)), "The kernel traps"),
        ["bar"] = Barrier,
        ["barrier"] = Barrier,
        ["membar"] = MemoryBarrier,
        ["fence"] = Fence,
    };

    static LaneOperation Branch(InstructionReader reader)
    {
        reader.Flag("uni");
        reader.BranchTarget();
        return Nothing;
    }

    static LaneOperation Exit(InstructionReader reader)
    {
        reader.Flag("uni");
        reader.Flow = Flow.Exit;
        return Nothing;
    }

    static LaneOperation Barrier(InstructionReader reader)
    {
        if (reader.Flag("warp"))
        {
            reader.Expect("sync");
            reader.MemberMask();
            return (warp, lanes) => warp.Synchronize(lanes);
        }
        reader.Flag("cta");
        reader.Expect("sync");
        reader.Flag("aligned");
        reader.Immediate(0, 0);
        reader.Flow = Flow.Barrier;
        if (reader.OperandsLeft == 0) return Nothing;
        Register count = reader.Source(U32);
        return (warp, lanes) =>
        {
            foreach (int lane in new LaneSet(lanes))
            {
                uint threads = warp.Lanes<uint>(count.Offset)[lane];
                if (threads != warp.ThreadsOfBlock) throw new BarrierException(warp.Site(lane), $"The barrier is for {threads} of {warp.ThreadsOfBlock} threads, which is not interpreted");
            }
        };
    }

    /// <summary>All accesses are seen at once.</summary>
    static LaneOperation MemoryBarrier(InstructionReader reader)
    {
        reader.OneOf("cta", "gl", "sys");
        return Nothing;
    }

    static LaneOperation Fence(InstructionReader reader)
    {
        reader.Maybe("sc", "acq_rel");
        reader.OneOf("cta", "gpu", "sys");
        return Nothing;
    }
}
