using ClipSegNative.Interop;

namespace ClipSegNative.Backends.Cuda;

/// <summary>A CUDA device: one stream of work, one of copies beside it, the kernels' modules, loaded when first needed, cuBLASLt, and cuDNN where there is one.</summary>
sealed class CudaRuntime : ICudaRuntime
{
    readonly CudaContext _context;
    readonly CudaStream _stream;
    readonly PinnedStaging? _staging;
    readonly CublasLtProducts _products;
    readonly CudnnConvolutions? _convolutions;
    readonly Dictionary<string, CudaModule> _modules = [];
    readonly Dictionary<string, CudaFunction> _functions = [];
    CopiesAhead? _ahead;

    CudaRuntime(CudaContext context)
    {
        _context = context;
        _stream = CudaStream.Create(context);
        _staging = PinnedStaging.TryCreate(context, _stream);
        _products = new CublasLtProducts(context, _stream);
        _convolutions = CudnnConvolutions.TryOpen(context, _stream);
    }

    public string Description => $"cuda:{_context.Device.Ordinal}, {_context.Device.Name}, {(_convolutions is null ? "without cuDNN" : $"cuDNN {CudaLibraries.Shared[CudaLibrary.Cudnn].Version}")}";

    public int Multiprocessors => _context.Device.Multiprocessors;

    /// <param name="ordinal">From 0.</param>
    /// <exception cref="DeviceException">There is no driver, no such device, or no cuBLASLt.</exception>
    public static CudaRuntime Open(int ordinal)
    {
        CudaContext context = CudaContext.Open(ordinal);
        try { return new CudaRuntime(context); }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    public CudaBlock Allocate(long bytes) => new Block(CudaMemory.Allocate(_context, Math.Max(bytes, 1)), bytes);

    /// <remarks>Without pinned memory the driver copies the source to its own first.</remarks>
    public void CopyToDevice(ulong destination, ReadOnlySpan<byte> source)
    {
        if (_staging is null) _stream.CopyToDevice(destination, source);
        else _staging.CopyToDevice(destination, source);
    }

    public void CopyAhead(ulong destination, ReadOnlySpan<byte> source)
    {
        _ahead ??= new CopiesAhead(_context, _stream);
        _ahead.Copy(destination, source);
    }

    public void UseCopies(Action queue)
    {
        if (_ahead is null) queue();
        else _ahead.Use(queue);
    }

    public void CopyToHost(Span<byte> destination, ulong source)
    {
        if (_staging is not null) _staging.CopyToHost(destination, source);
        else
        {
            _stream.CopyToHost(destination, source);
            _stream.Synchronize();
        }
    }

    public void Synchronize() => _stream.Synchronize();

    /// <summary>A timed event behind all that was queued.</summary>
    public CudaEvent Mark()
    {
        CudaEvent mark = CudaEvent.Create(_context, timed: true);
        mark.Record(_stream);
        return mark;
    }

    public void Prepare(string kernel) => Function(kernel);

    public void Prepare(in MatrixProduct product) => _products.Prepare(product);

    public void Launch(string kernel, CudaExtent grid, CudaExtent block, int sharedBytes, ReadOnlySpan<ulong> arguments) =>
        _stream.Launch(Function(kernel), grid, block, sharedBytes, arguments);

    public void Multiply(in MatrixProduct product) => _products.Multiply(product);

    public long? Prepare(in MapConvolution convolution) => _convolutions?.Prepare(convolution);

    public void Convolve(in MapConvolution convolution) => _convolutions!.Run(convolution);

    public IReplay Capture(Action queue)
    {
        using CudaGraph graph = _stream.Capture(queue);
        CudaGraphExecutable executable = graph.Instantiate();
        executable.Upload(_stream);
        return new GraphReplay(executable, _stream);
    }

    public void Dispose()
    {
        Settle(_context.Synchronize);
        _staging?.Dispose();
        _ahead?.Dispose();
        _products.Dispose();
        _convolutions?.Dispose();
        foreach (CudaModule module in _modules.Values) module.Dispose();
        _stream.Dispose();
        _context.Dispose();
    }

    /// <summary>Waits for the device before things that it may still use go. If it has failed, whoever asked for a result has been told, and all must go even so.</summary>
    static void Settle(Action wait)
    {
        try { wait(); }
        catch (DeviceException) { }
    }

    CudaFunction Function(string kernel)
    {
        if (_functions.TryGetValue(kernel, out CudaFunction? known)) return known;
        string name = CudaKernels.ModuleOf(kernel);
        if (!_modules.TryGetValue(name, out CudaModule? module)) _modules[name] = module = CudaModule.Load(_context, CudaKernels.Ptx(name));
        return _functions[kernel] = module.Function(kernel);
    }

    sealed class Block(CudaMemory memory, long bytes) : CudaBlock(bytes)
    {
        public override ulong Address => memory.Address;

        public override void Dispose() => memory.Dispose();
    }

    sealed class GraphReplay(CudaGraphExecutable executable, CudaStream stream) : IReplay
    {
        public void Run() => executable.Launch(stream);

        public void Dispose()
        {
            Settle(stream.Synchronize);
            executable.Dispose();
        }
    }
}
