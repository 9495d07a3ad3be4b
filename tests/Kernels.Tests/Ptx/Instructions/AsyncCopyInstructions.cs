using ClipSegNative.Tests.Kernels.Ptx.Decoding;
using ClipSegNative.Tests.Kernels.Ptx.Execution;
using ClipSegNative.Tests.Kernels.Ptx.Syntax;
using static ClipSegNative.Tests.Kernels.Ptx.PtxType;

namespace ClipSegNative.Tests.Kernels.Ptx.Instructions;

/// <summary>Copies from global to shared memory that a thread waits for later, in groups.</summary>
static unsafe class AsyncCopyInstructions
{
    public static Dictionary<string, Decoder> Table { get; } = new() { ["cp"] = Decode };

    static LaneOperation Decode(InstructionReader reader)
    {
        reader.Expect("async");
        string what = reader.OneOf("ca", "cg", "commit_group", "wait_group", "wait_all");
        switch (what)
        {
            case "commit_group": return (warp, lanes) => warp.Copies.Commit(lanes);
            case "wait_group":
                int newest = reader.Immediate(0, int.MaxValue);
                return (warp, lanes) => warp.Copies.Wait(lanes, newest);
            case "wait_all":
                return (warp, lanes) =>
                {
                    warp.Copies.Commit(lanes);
                    warp.Copies.Wait(lanes, 0);
                };
            default: return Copy(reader, what);
        }
    }

    static LaneOperation Copy(InstructionReader reader, string caching)
    {
        reader.Expect("shared", "global");
        reader.Maybe("L2::64B", "L2::128B", "L2::256B");
        (Address to, Address from) = (reader.MemoryAddress(Space.Shared), reader.MemoryAddress(Space.Global));
        int bytes = reader.Immediate(4, 16);
        if (bytes is not (4 or 8 or 16)) throw reader.Error("4, 8 or 16 bytes are copied");
        if (caching == "cg" && bytes != 16) throw reader.Error("past the first cache 16 bytes are copied");
        Register? count = reader.OperandsLeft > 0 ? reader.Source(U32) : null;
        return (warp, lanes) =>
        {
            Addresses destinations = new(warp, Space.Shared, to), sources = new(warp, Space.Global, from);
            foreach (int lane in new LaneSet(lanes))
            {
                uint read = count is null ? (uint)bytes : warp.Lanes<uint>(count.Offset)[lane];
                if (read > bytes) throw new UndefinedResultException(warp.Site(lane), $"{read} of {bytes} bytes are to be copied");
                warp.Copies.Begin(lane, destinations[lane], sources[lane], bytes, (int)read);
            }
        };
    }
}
