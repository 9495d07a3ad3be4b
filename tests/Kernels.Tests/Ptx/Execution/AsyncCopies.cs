namespace ClipSegNative.Tests.Kernels.Ptx.Execution;

/// <summary>The <c>cp.async</c> copies of a warp's threads. The bytes are moved at once, and stay out of reach until their thread has waited.</summary>
sealed unsafe class AsyncCopies(Warp warp)
{
    readonly List<Copy> _copies = [];
    readonly int[] _groups = new int[Warp.Size];

    public void Clear()
    {
        _copies.Clear();
        Array.Clear(_groups);
    }

    /// <param name="lane">Whose.</param>
    /// <param name="destination">In shared memory.</param>
    /// <param name="source">In global memory; not read where <paramref name="sourceBytes"/> is 0.</param>
    /// <param name="bytes">Written.</param>
    /// <param name="sourceBytes">Read; the others are written as zeros.</param>
    public void Begin(int lane, ulong destination, ulong source, int bytes, int sourceBytes)
    {
        Span<byte> to = new(warp.Shared.BeginCopy(warp, lane, destination, bytes), bytes);
        to.Clear();
        if (sourceBytes > 0)
        {
            if (source % (ulong)bytes != 0) throw new MisalignedException(warp.Site(lane), $"The address 0x{source:x} is no multiple of {bytes}");
            // Part of a piece may be all there is before the end of the allocation.
            for (int i = 0; i < sourceBytes; i++) to[i] = *warp.Global.Read(warp, lane, source + (ulong)i, 1);
        }
        _copies.Add(new Copy(lane, _groups[lane], destination, bytes));
    }

    public void Commit(uint lanes)
    {
        foreach (int lane in new LaneSet(lanes)) _groups[lane]++;
    }

    /// <summary>Waits for all groups of each lane but its newest.</summary>
    public void Wait(uint lanes, int newest) =>
        _copies.RemoveAll(copy =>
        {
            if ((lanes >> copy.Lane & 1) == 0 || copy.Group >= _groups[copy.Lane] - newest) return false;
            warp.Shared.EndCopy(warp, copy.Lane, copy.Destination, copy.Bytes);
            return true;
        });

    readonly record struct Copy(int Lane, int Group, ulong Destination, int Bytes);
}
