using System.Runtime.InteropServices;
using ClipSegNative.Interop;
using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cuda;

/// <summary>The operations on one stream of a CUDA device: our kernels, and products by its library. One caller at a time.</summary>
/// <remarks>
/// Nothing is allocated while operations are recorded: <see cref="Capture"/> first goes through them without queueing anything, which finds the most scratch
/// that one needs, loads their kernels and chooses how each product and convolution is computed.
/// </remarks>
/// <param name="runtime">Disposed with the backend.</param>
/// <param name="precision">Of operands of products and of attention.</param>
/// <param name="eager">Nothing is recorded, a replay queues its operations anew: for whoever wants to look at each one's result.</param>
sealed partial class CudaBackend(ICudaRuntime runtime, CudaPrecision precision = CudaPrecision.Float32, bool eager = false) : IBackend
{
    const int BlockThreads = 256, WarpThreads = 32;

    /// <summary>Of a loop over elements, a multiprocessor's share: enough to fill it several times over.</summary>
    const int BlocksPerMultiprocessor = 16;

    readonly List<CudaBlock> _scratch = [];
    bool _preparing;
    long _needed;

    public string Description => runtime.Description;

    public DeviceMemory Allocate(long bytes) => runtime.Allocate(bytes);

    /// <summary>Weights are float32 in any case, and rounded in products where that is allowed.</summary>
    public PackedMatrix AllocateMatrix(int outputs, int inputs, PrecisionFloor floor) =>
        new CudaMatrix(outputs, inputs, floor == PrecisionFloor.Float32 ? CudaPrecision.Float32 : precision, runtime);

    /// <summary>Rows start at multiples of 16 bytes, which kernels move at once.</summary>
    public int PitchFor(int columns) => columns < 4 ? columns : (columns + 3) / 4 * 4;

    public void Upload(ReadOnlySpan<float> source, Tensor destination) => Upload(MemoryMarshal.AsBytes(source), sizeof(float), destination);

    public void Upload(ReadOnlySpan<int> source, Tensor destination)
    {
        if (destination.Storage.Type != DType.I32 || !destination.IsContiguous) throw new ArgumentException("Integers need a contiguous int32 tensor.");
        Upload(MemoryMarshal.AsBytes(source), sizeof(int), destination);
    }

    public void UploadAhead(ReadOnlySpan<float> source, Tensor destination)
    {
        CheckLength(source.Length, destination);
        if (!destination.IsContiguous) throw new ArgumentException("An upload ahead needs adjacent rows.");
        if (!source.IsEmpty) runtime.CopyAhead(At(destination), MemoryMarshal.AsBytes(source));
    }

    public void UseUploads(Action enqueue) => runtime.UseCopies(enqueue);

    public void Download(Tensor source, Span<float> destination)
    {
        CheckLength(destination.Length, source);
        if (destination.IsEmpty) return;
        ulong from = At(source);
        if (!source.IsContiguous)
        {
            from = Scratch(destination.Length * sizeof(float));
            CopyRowsOf(source.Shape, At(source), source.Pitch, from, source.Columns);
        }
        runtime.CopyToHost(MemoryMarshal.AsBytes(destination), from);
    }

    public void Synchronize() => runtime.Synchronize();

    public IReplay Capture(Action enqueue)
    {
        if (eager) return new Again(enqueue);
        _preparing = true;
        try { enqueue(); }
        finally { _preparing = false; }
        GrowScratch(_needed);
        return runtime.Capture(enqueue);
    }

    public void Dispose()
    {
        foreach (CudaBlock block in _scratch) block.Dispose();
        runtime.Dispose();
    }

    /// <summary>Rows that are not adjacent are spread on the device: what lies between them stays.</summary>
    void Upload(ReadOnlySpan<byte> source, int size, Tensor destination)
    {
        CheckLength(source.Length / size, destination);
        if (source.IsEmpty) return;
        ulong to = destination.IsContiguous ? At(destination) : Scratch(source.Length);
        runtime.CopyToDevice(to, source);
        if (!destination.IsContiguous) CopyRowsOf(destination.Shape, to, destination.Columns, At(destination), destination.Pitch);
    }

    void CopyRowsOf(Shape shape, ulong from, int fromPitch, ulong to, int toPitch) =>
        Launch("rows_copy_f32", Blocks(shape.Elements), BlockThreads, from, fromPitch, to, toPitch, shape.Columns, (uint)shape.Elements);

    /// <summary>The address of a tensor's first element; 0 for one that is absent.</summary>
    static ulong At(Tensor tensor)
    {
        if (tensor.IsAbsent) return 0;
        var memory = (CudaBlock)(tensor.Storage.Memory ?? throw new InvalidOperationException($"{tensor} has no memory yet: its arena has not been planned."));
        return memory.Address + (ulong)(tensor.Storage.ByteOffset + tensor.Offset * tensor.Storage.Type.Size());
    }

    static DeviceMatrix MatrixAt(Tensor tensor) => new(At(tensor), tensor.Pitch);

    static void CheckLength(int length, Tensor tensor)
    {
        if (length != tensor.Shape.Elements) throw new ArgumentException($"{length} values do not fill {tensor}.");
    }

    /// <summary>Memory for the operation at hand, whose kernels run one after the other. Nobody uses it while an operation is being prepared.</summary>
    ulong Scratch(long bytes)
    {
        if (_preparing)
        {
            _needed = Math.Max(_needed, bytes);
            return 0;
        }
        GrowScratch(Math.Max(bytes, 1));
        return _scratch[^1].Address;
    }

    /// <summary>A larger block joins the others instead of replacing them, as recorded operations hold their addresses.</summary>
    void GrowScratch(long bytes)
    {
        if (bytes > (_scratch.Count == 0 ? 0 : _scratch[^1].Bytes)) _scratch.Add(runtime.Allocate(Math.Max(bytes, 1 << 20)));
    }

    void Launch(string kernel, CudaExtent grid, int threads, params ReadOnlySpan<KernelArgument> arguments)
    {
        if (grid.X == 0 || grid.Y == 0 || grid.Z == 0) return;
        if (_preparing) runtime.Prepare(kernel);
        else runtime.Launch(kernel, grid, new CudaExtent((uint)threads), sharedBytes: 0, MemoryMarshal.Cast<KernelArgument, ulong>(arguments));
    }

    void Multiply(in MatrixProduct product)
    {
        if (_preparing) runtime.Prepare(product);
        else runtime.Multiply(product);
    }

    /// <summary>Blocks for a loop over so many elements.</summary>
    CudaExtent Blocks(long count) => new((uint)Math.Min(Parts(count, BlockThreads), runtime.Multiprocessors * BlocksPerMultiprocessor));

    static uint Parts(long count, long size) => checked((uint)((count + size - 1) / size));

    sealed class Again(Action enqueue) : IReplay
    {
        public void Run() => enqueue();

        public void Dispose() { }
    }
}
