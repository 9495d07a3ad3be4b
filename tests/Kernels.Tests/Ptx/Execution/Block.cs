using System.Numerics;
using System.Runtime.InteropServices;
using ClipSegNative.Interop;

namespace ClipSegNative.Tests.Kernels.Ptx.Execution;

/// <summary>What a launch is made of.</summary>
/// <param name="Kernel">What runs.</param>
/// <param name="Grid">Blocks.</param>
/// <param name="Threads">Of each block.</param>
/// <param name="SharedBytes">Beside those that the kernel declares.</param>
/// <param name="StepLimit">Instructions that a warp may execute.</param>
/// <param name="Backwards">Whether blocks and warps take turns from the last to the first.</param>
sealed record LaunchSettings(Kernel Kernel, CudaExtent Grid, CudaExtent Threads, int SharedBytes, long StepLimit, bool Backwards)
{
    public int ThreadCount => (int)(Threads.X * Threads.Y * Threads.Z);

    public int BlockCount => (int)(Grid.X * Grid.Y * Grid.Z);
}

/// <summary>The warps and the shared memory of one block at a time; used for one after the other.</summary>
sealed unsafe class Block : IDisposable
{
    readonly LaunchSettings _launch;
    readonly Warp[] _warps;

    /// <param name="launch">Whose block.</param>
    /// <param name="memory">Global.</param>
    /// <param name="parameters">As the kernel lays them out.</param>
    public Block(LaunchSettings launch, GlobalMemory memory, ReadOnlySpan<byte> parameters)
    {
        _launch = launch;
        Global = new GlobalAccess(memory);
        Shared = new SharedMemory(Kernel.SharedBytes + launch.SharedBytes, Kernel.SharedGranule);
        Parameters = (byte*)NativeMemory.Alloc((nuint)parameters.Length + 1);
        parameters.CopyTo(new Span<byte>(Parameters, parameters.Length));
        int threads = launch.ThreadCount;
        _warps = [.. Enumerable.Range(0, (threads + Warp.Size - 1) / Warp.Size).Select(index => new Warp(this, index, threads))];
    }

    public Kernel Kernel => _launch.Kernel;

    public int ThreadCount => _launch.ThreadCount;

    public long StepLimit => _launch.StepLimit;

    public GlobalAccess Global { get; }

    public SharedMemory Shared { get; }

    public byte* Parameters { get; }

    /// <summary>Its place in the grid.</summary>
    public CudaExtent Index { get; private set; }

    /// <param name="number">Counted along x, then y, then z.</param>
    public void Run(int number)
    {
        Index = Unroll(number, _launch.Grid);
        Shared.BeginBlock();
        foreach (Warp warp in _warps) warp.BeginBlock();
        while (true)
        {
            for (int i = 0; i < _warps.Length; i++) _warps[_launch.Backwards ? _warps.Length - 1 - i : i].Run();
            if (_warps.All(warp => warp.IsDone)) return;
            CheckBarrier();
            Shared.Barrier();
            foreach (Warp warp in _warps) warp.PassBarrier();
        }
    }

    public CudaExtent ThreadIndex(int thread) => Unroll(thread, _launch.Threads);

    /// <summary>The value of a special register.</summary>
    public uint Special(string name, Warp warp, int lane)
    {
        int at = name.IndexOf('.');
        if (at > 0)
        {
            CudaExtent extent = name[..at] switch
            {
                "%tid" => ThreadIndex(warp.Thread(lane)),
                "%ntid" => _launch.Threads,
                "%ctaid" => Index,
                _ => _launch.Grid,
            };
            return name[^1] switch { 'x' => extent.X, 'y' => extent.Y, _ => extent.Z };
        }
        uint below = (1u << lane) - 1;
        return name switch
        {
            "%laneid" => (uint)lane,
            "%warpid" => (uint)warp.Index,
            "%nwarpid" => (uint)_warps.Length,
            "%lanemask_eq" => 1u << lane,
            "%lanemask_lt" => below,
            "%lanemask_le" => below | 1u << lane,
            "%lanemask_gt" => ~below & ~(1u << lane),
            _ => ~below,
        };
    }

    public static bool IsSpecial(string name) =>
        name is "%laneid" or "%warpid" or "%nwarpid" or "%lanemask_eq" or "%lanemask_lt" or "%lanemask_le" or "%lanemask_gt" or "%lanemask_ge"
        || (name.Length > 2 && name[^2] == '.' && name[^1] is 'x' or 'y' or 'z' && name[..^2] is "%tid" or "%ntid" or "%ctaid" or "%nctaid");

    public void Dispose()
    {
        Shared.Dispose();
        foreach (Warp warp in _warps) warp.Dispose();
        NativeMemory.Free(Parameters);
    }

    /// <summary>All threads must wait, and at one barrier.</summary>
    void CheckBarrier()
    {
        Warp first = _warps.First(warp => !warp.IsDone);
        int lane = BitOperations.TrailingZeroCount(first.Live);
        int place = first.PlaceOf(lane);
        foreach (Warp warp in _warps)
        {
            foreach (int other in new LaneSet(warp.Live))
                if (warp.PlaceOf(other) != place)
                {
                    FaultSite elsewhere = warp.WaitingSite(other);
                    throw new BarrierException(first.WaitingSite(lane), $"Thread {first.Thread(lane)} waits here, thread {warp.Thread(other)} at line {elsewhere.Line}");
                }
            if (warp.Live != warp.First)
            {
                int gone = BitOperations.TrailingZeroCount(warp.First & ~warp.Live);
                throw new BarrierException(first.WaitingSite(lane), $"Thread {first.Thread(lane)} waits here, but thread {warp.Thread(gone)} has exited");
            }
        }
    }

    static CudaExtent Unroll(int number, CudaExtent extent)
    {
        uint at = (uint)number;
        return new CudaExtent(at % extent.X, at / extent.X % extent.Y, at / extent.X / extent.Y);
    }
}
