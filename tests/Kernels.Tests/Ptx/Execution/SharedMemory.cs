using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ClipSegNative.Tests.Kernels.Ptx.Execution;

/// <summary>A block's shared memory, what is known of its bytes, and who used them since the last barrier.</summary>
/// <remarks>
/// A place is used in order when the same thread uses it, when a barrier of the block lies between, or when all its users are of one warp and
/// <c>bar.warp.sync</c> lies between. Anything else is a race if one of the uses writes; atomics do not race with one another.
/// </remarks>
sealed unsafe class SharedMemory : IDisposable
{
    const byte Undefined = 0, Defined = 1, Pending = 2;

    readonly int _granule;
    readonly byte* _data;
    readonly byte* _state;
    readonly Place[] _places;
    int _epoch = 1;

    /// <param name="bytes">Of the block.</param>
    /// <param name="granule">The smallest access of the kernel: users are noted for as many bytes at once.</param>
    public SharedMemory(int bytes, int granule)
    {
        Bytes = bytes;
        _granule = granule;
        _data = (byte*)NativeMemory.AlignedAlloc((nuint)(bytes + 16), 256);
        _state = (byte*)NativeMemory.AlignedAlloc((nuint)(bytes + 16), 256);
        _places = new Place[bytes / granule + 1];
    }

    public int Bytes { get; }

    /// <summary>What a block leaves is not there for the next.</summary>
    public void BeginBlock()
    {
        new Span<byte>(_state, Bytes).Clear();
        _epoch++;
    }

    public void Barrier() => _epoch++;

    public byte* Read(Warp warp, int lane, ulong address, int bytes)
    {
        Check(warp, lane, address, bytes);
        CheckDefined(warp, lane, address, bytes);
        for (int place = (int)address / _granule, end = ((int)address + bytes - 1) / _granule; place <= end; place++)
        {
            ref Place at = ref _places[place];
            if (Races(at.Write, warp, lane)) throw Race(warp, lane, address, at.Write, "reads", "wrote");
            Note(ref at.Read, warp, lane, atomic: false);
        }
        return _data + address;
    }

    public byte* Write(Warp warp, int lane, ulong address, int bytes)
    {
        Check(warp, lane, address, bytes);
        if (Any(address, bytes, Pending)) throw new PendingCopyException(warp.Site(lane), $"Shared bytes {address} to {address + (ulong)bytes} are written under a copy");
        NoteWrite(warp, lane, address, bytes);
        new Span<byte>(_state + address, bytes).Fill(Defined);
        return _data + address;
    }

    /// <summary>Reads and writes in one.</summary>
    public byte* Atomic(Warp warp, int lane, ulong address, int bytes)
    {
        Check(warp, lane, address, bytes);
        CheckDefined(warp, lane, address, bytes);
        for (int place = (int)address / _granule, end = ((int)address + bytes - 1) / _granule; place <= end; place++)
        {
            ref Place at = ref _places[place];
            if (!at.Write.Atomic && Races(at.Write, warp, lane)) throw Race(warp, lane, address, at.Write, "adds to", "wrote");
            if (Races(at.Read, warp, lane)) throw Race(warp, lane, address, at.Read, "adds to", "read");
            Note(ref at.Write, warp, lane, atomic: true);
        }
        return _data + address;
    }

    /// <summary>Begins a copy: nobody may use the bytes until <see cref="EndCopy"/>.</summary>
    public byte* BeginCopy(Warp warp, int lane, ulong address, int bytes)
    {
        byte* at = Write(warp, lane, address, bytes);
        new Span<byte>(_state + address, bytes).Fill(Pending);
        return at;
    }

    /// <summary>The thread that began it has waited: to others the bytes are as if it wrote them now.</summary>
    public void EndCopy(Warp warp, int lane, ulong address, int bytes)
    {
        new Span<byte>(_state + address, bytes).Fill(Defined);
        NoteWrite(warp, lane, address, bytes);
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_data);
        NativeMemory.AlignedFree(_state);
    }

    void Check(Warp warp, int lane, ulong address, int bytes)
    {
        if (address + (ulong)bytes > (ulong)Bytes || address > (ulong)Bytes)
            throw new OutOfBoundsException(warp.Site(lane), $"Shared bytes from {(long)address}, {bytes} of them, do not lie in the block's {Bytes}");
        if ((address & (ulong)(bytes - 1)) != 0) throw new MisalignedException(warp.Site(lane), $"The shared address {address} is no multiple of {bytes}");
    }

    void CheckDefined(Warp warp, int lane, ulong address, int bytes)
    {
        if (new ReadOnlySpan<byte>(_state + address, bytes).IndexOfAnyExcept(Defined) < 0) return;
        if (Any(address, bytes, Pending)) throw new PendingCopyException(warp.Site(lane), $"Shared bytes {address} to {address + (ulong)bytes} are read before the copy to them was waited for");
        throw new UninitialisedReadException(warp.Site(lane), $"Nothing wrote all of the shared bytes {address} to {address + (ulong)bytes}");
    }

    bool Any(ulong address, int bytes, byte state) => new ReadOnlySpan<byte>(_state + address, bytes).Contains(state);

    void NoteWrite(Warp warp, int lane, ulong address, int bytes)
    {
        for (int place = (int)address / _granule, end = ((int)address + bytes - 1) / _granule; place <= end; place++)
        {
            ref Place at = ref _places[place];
            if (Races(at.Write, warp, lane)) throw Race(warp, lane, address, at.Write, "writes", "wrote");
            if (Races(at.Read, warp, lane)) throw Race(warp, lane, address, at.Read, "writes", "read");
            Note(ref at.Write, warp, lane, atomic: false);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    bool Races(in Use use, Warp warp, int lane) =>
        use.Epoch == _epoch && use.Thread != warp.Thread(lane) && !IsBefore(use, warp);

    /// <summary>Whether all the users were lanes of this warp and have synchronised since.</summary>
    static bool IsBefore(in Use use, Warp warp) => use.Warp == warp.Index && use.WarpEpoch < warp.Epoch;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Note(ref Use use, Warp warp, int lane, bool atomic)
    {
        int thread = warp.Thread(lane);
        if (use.Epoch != _epoch || IsBefore(use, warp))
        {
            use = new Use { Epoch = _epoch, WarpEpoch = warp.Epoch, Thread = (short)thread, Warp = (short)warp.Index, Atomic = atomic };
            return;
        }
        if (use.Thread != thread) use.Thread = Use.Several;
        if (use.Warp != warp.Index) use.Warp = Use.Several;
        use.WarpEpoch = warp.Epoch;
        use.Atomic &= atomic;
    }

    SharedRaceException Race(Warp warp, int lane, ulong address, in Use other, string now, string before)
    {
        string who = other.Thread >= 0 ? $"thread {other.Thread}" : other.Warp >= 0 ? $"several threads of warp {other.Warp}" : "threads of several warps";
        return new SharedRaceException(warp.Site(lane), $"Thread {warp.Thread(lane)} {now} shared byte {address}, which {who} {before} without a barrier in between");
    }

    struct Place
    {
        public Use Write, Read;
    }

    /// <summary>Who used a place since the last barrier.</summary>
    struct Use
    {
        public const short Several = -1;

        public int Epoch;
        public int WarpEpoch;
        public short Thread;
        public short Warp;
        public bool Atomic;
    }
}
