using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ClipSegNative.Tests.Kernels.Ptx.Execution;

/// <summary>Checked accesses of kernels to global memory. It remembers the last allocation: each thread of the host has its own.</summary>
sealed unsafe class GlobalAccess(GlobalMemory memory)
{
    /// <summary>Where generic addresses of shared memory begin.</summary>
    public const ulong SharedWindow = 1UL << 62;

    Allocation? _last;

    public byte* Read(Warp warp, int lane, ulong address, int bytes)
    {
        Allocation allocation = Locate(warp, lane, address, bytes, "read");
        long offset = (long)(address - allocation.Address);
        if (!IsDefined(allocation.Defined + offset, bytes))
            throw new UninitialisedReadException(warp.Site(lane), $"Nothing wrote all of the bytes {offset} to {offset + bytes} of {allocation}");
        return allocation.Data + offset;
    }

    public byte* Write(Warp warp, int lane, ulong address, int bytes)
    {
        Allocation allocation = Locate(warp, lane, address, bytes, "written");
        if (allocation.ReadOnly) throw new ReadOnlyWriteException(warp.Site(lane), $"{allocation} may only be read");
        long offset = (long)(address - allocation.Address);
        SetDefined(allocation.Defined + offset, bytes);
        return allocation.Data + offset;
    }

    public byte* Atomic(Warp warp, int lane, ulong address, int bytes)
    {
        Read(warp, lane, address, bytes);
        return Write(warp, lane, address, bytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    Allocation Locate(Warp warp, int lane, ulong address, int bytes, string use)
    {
        Allocation? allocation = _last;
        if (allocation is null || address - allocation.Address > (ulong)(allocation.Bytes - bytes) || allocation.Bytes < bytes)
            _last = allocation = Find(warp, lane, address, bytes, use);
        if ((address & (ulong)(bytes - 1)) != 0) throw new MisalignedException(warp.Site(lane), $"The address 0x{address:x} is no multiple of {bytes}");
        return allocation;
    }

    Allocation Find(Warp warp, int lane, ulong address, int bytes, string use)
    {
        Allocation? allocation = memory.Find(address);
        if (allocation is null) throw new OutOfBoundsException(warp.Site(lane), $"The address 0x{address:x}, where nothing was allocated, is {use}");
        if (allocation.IsFreed) throw new OutOfBoundsException(warp.Site(lane), $"{allocation}, which was freed, is {use}");
        long offset = (long)(address - allocation.Address);
        if (offset + bytes > allocation.Bytes) throw new OutOfBoundsException(warp.Site(lane), $"Bytes {offset} to {offset + bytes} of {allocation} are {use}");
        return allocation;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static bool IsDefined(byte* state, int bytes)
    {
        return bytes switch
        {
            1 => *state == 1,
            2 => *(ushort*)state == 0x0101,
            4 => *(uint*)state == 0x01010101,
            8 => *(ulong*)state == 0x0101010101010101,
            _ => !new ReadOnlySpan<byte>(state, bytes).Contains((byte)0),
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void SetDefined(byte* state, int bytes) => NativeMemory.Fill(state, (nuint)bytes, 1);
}
