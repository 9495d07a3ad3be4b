using ClipSegNative.Backends;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.Interop;
using ClipSegNative.Tests.Kernels.Ptx.Execution;

namespace ClipSegNative.Tests.Kernels.Emulation;

/// <summary>
/// A CUDA device for <see cref="CudaBackend"/> without one: the PTX interpreter launches, products and convolutions are added up in double precision. It
/// refuses what a device would: use after free, copies and allocations while recording, launches recorded without having been prepared.
/// </summary>
/// <remarks>
/// What is queued is done as late as a device may do it: when the host waits or something is freed. A copy ahead spoils its destination at once and fills it at
/// the next <see cref="UseCopies"/>, so whatever touches it in between, queued before the copy or behind it, reads what nothing wrote.
/// </remarks>
/// <param name="device">Interprets kernels, holds the memory.</param>
/// <param name="convolves">As with cuDNN.</param>
sealed class EmulatedRuntime(InterpretedDevice device, bool convolves = true) : ICudaRuntime
{
    /// <summary>No multiple of anything, and not so small that scratch has it anyway.</summary>
    const long WorkspaceBytes = (1 << 20) + 12;

    readonly HashSet<string> _preparedKernels = [];
    readonly HashSet<ProductKind> _preparedProducts = [];
    readonly HashSet<ConvolutionKind> _preparedConvolutions = [];
    readonly Dictionary<int, int> _copies = [];
    readonly List<(ulong Destination, byte[] Bytes)> _ahead = [];
    List<Action> _queue = [];
    List<Action>? _recording;
    bool _hasCopiedAhead;

    public string Description => "cuda, emulated";

    /// <summary>Few, so that loops over elements go round more than once.</summary>
    public int Multiprocessors => 2;

    /// <summary>Bytes of memory, allocated and in all.</summary>
    public long Used { get; private set; }

    public long Memory { get; set; } = long.MaxValue;

    /// <summary>How many were computed.</summary>
    public int Convolutions { get; private set; }

    /// <summary>How many copies from the host there were of so many bytes.</summary>
    public int Copies(int bytes) => _copies.GetValueOrDefault(bytes);

    public CudaBlock Allocate(long bytes)
    {
        RefuseWhileRecording("An allocation");
        if (bytes > Memory - Used) throw new DeviceException($"{bytes} bytes are more than there are.");
        Used += bytes;
        return new Block(this, device, bytes);
    }

    public void CopyToDevice(ulong destination, ReadOnlySpan<byte> source)
    {
        RefuseWhileRecording("A copy from the host");
        _copies[source.Length] = Copies(source.Length) + 1;
        byte[] kept = [.. source];
        _queue.Add(() => device.Write<byte>(destination, kept));
    }

    public void CopyAhead(ulong destination, ReadOnlySpan<byte> source)
    {
        RefuseWhileRecording("A copy from the host");
        if (!_hasCopiedAhead) Finish();
        _hasCopiedAhead = true;
        device.Spoil(destination, source.Length);
        _ahead.Add((destination, [.. source]));
    }

    public void UseCopies(Action queue)
    {
        RefuseWhileRecording("Waiting for copies");
        Finish();
        foreach ((ulong destination, byte[] bytes) in _ahead)
            if (!device.IsSpoilt(destination, bytes.Length)) throw new DeviceMemoryException($"{bytes.Length} bytes at 0x{destination:x} are written beside a copy ahead.");
        foreach ((ulong destination, byte[] bytes) in _ahead) device.Write<byte>(destination, bytes);
        _ahead.Clear();
        queue();
        Finish();
    }

    public void CopyToHost(Span<byte> destination, ulong source)
    {
        RefuseWhileRecording("A copy to the host");
        Finish();
        device.Read(source, destination);
    }

    public void Synchronize()
    {
        RefuseWhileRecording("Waiting");
        Finish();
    }

    public void Prepare(string kernel)
    {
        if (!device.Kernels.ContainsKey(kernel)) throw new LaunchException($"No module has a kernel {kernel}.");
        _preparedKernels.Add(kernel);
    }

    public void Prepare(in MatrixProduct product) => _preparedProducts.Add(product.Kind);

    public void Launch(string kernel, CudaExtent grid, CudaExtent block, int sharedBytes, ReadOnlySpan<ulong> arguments)
    {
        ulong[] kept = [.. arguments];
        Run(_preparedKernels.Contains(kernel), kernel, () => device.Launch(kernel, grid, block, sharedBytes, kept));
    }

    public void Multiply(in MatrixProduct product)
    {
        MatrixProduct kept = product;
        Run(_preparedProducts.Contains(product.Kind), product.Kind.ToString(), () => EmulatedProduct.Run(device, kept));
    }

    public long? Prepare(in MapConvolution convolution)
    {
        if (!convolves) return null;
        if (_preparedConvolutions.Add(convolution.Kind)) RefuseWhileRecording("A choice of algorithm");
        return WorkspaceBytes;
    }

    public void Convolve(in MapConvolution convolution)
    {
        MapConvolution kept = convolution;
        Run(_preparedConvolutions.Contains(convolution.Kind), convolution.Kind.ToString(), () =>
        {
            Convolutions++;
            EmulatedConvolution.Run(device, kept, WorkspaceBytes);
        });
    }

    public IReplay Capture(Action queue)
    {
        RefuseWhileRecording("Another recording");
        List<Action> commands = _recording = [];
        try { queue(); }
        finally { _recording = null; }
        return new Replay(this, commands);
    }

    public void Dispose() => device.Dispose();

    void Run(bool prepared, string name, Action command)
    {
        if (_recording is null) _queue.Add(command);
        else if (prepared) _recording.Add(command);
        else throw new LaunchException($"{name} is recorded without having been prepared.");
    }

    /// <summary>Does what was queued; what a fault leaves behind is not done.</summary>
    void Finish()
    {
        (List<Action> queue, _queue) = (_queue, []);
        foreach (Action command in queue) command();
    }

    void RefuseWhileRecording(string what)
    {
        if (_recording is not null) throw new LaunchException($"{what} cannot be recorded.");
    }

    sealed class Block(EmulatedRuntime runtime, InterpretedDevice device, long bytes) : CudaBlock(bytes)
    {
        readonly ulong _address = device.Allocate(Math.Max(bytes, 1));
        bool _freed;

        public override ulong Address => _freed ? throw new ObjectDisposedException(nameof(CudaBlock)) : _address;

        public override void Dispose()
        {
            if (_freed) return;
            _freed = true;
            try { runtime.Finish(); }
            finally
            {
                runtime.Used -= Bytes;
                device.Free(_address);
            }
        }
    }

    sealed class Replay(EmulatedRuntime runtime, List<Action> commands) : IReplay
    {
        public void Run() => runtime._queue.AddRange(commands);

        public void Dispose()
        {
            runtime.Finish();
            commands.Clear();
        }
    }
}
