using ClipSegNative.Backends;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.Interop;

namespace ClipSegNative.GpuChecks;

/// <summary>Runs nothing and counts the memory that is asked for: plans need no device.</summary>
sealed class PlanningRuntime : ICudaRuntime
{
    ulong _next = 256;

    /// <summary>Allocated and not freed.</summary>
    public long Bytes { get; private set; }

    public string Description => "planned only";

    /// <summary>An H100's; little depends on it.</summary>
    public int Multiprocessors => 132;

    public CudaBlock Allocate(long bytes)
    {
        Bytes += bytes;
        var block = new Block(this, _next, bytes);
        _next += (ulong)(bytes + 511) / 256 * 256;
        return block;
    }

    public void CopyToDevice(ulong destination, ReadOnlySpan<byte> source) { }

    public void CopyAhead(ulong destination, ReadOnlySpan<byte> source) { }

    public void UseCopies(Action queue) => queue();

    public void CopyToHost(Span<byte> destination, ulong source) { }

    public void Synchronize() { }

    public void Prepare(string kernel) { }

    public void Prepare(in MatrixProduct product) { }

    /// <summary>As without cuDNN, whose workspace only it knows.</summary>
    public long? Prepare(in MapConvolution convolution) => null;

    public void Launch(string kernel, CudaExtent grid, CudaExtent block, int sharedBytes, ReadOnlySpan<ulong> arguments) { }

    public void Multiply(in MatrixProduct product) { }

    public void Convolve(in MapConvolution convolution) { }

    public IReplay Capture(Action queue) => new Nothing();

    public void Dispose() { }

    sealed class Block(PlanningRuntime runtime, ulong address, long bytes) : CudaBlock(bytes)
    {
        public override ulong Address => address;

        public override void Dispose() => runtime.Bytes -= Bytes;
    }

    sealed class Nothing : IReplay
    {
        public void Run() { }

        public void Dispose() { }
    }
}
