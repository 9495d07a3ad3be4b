using ClipSegNative.Interop;

namespace ClipSegNative.Backends.Cuda;

/// <summary>Convolutions by cuDNN; how each kind is computed is asked for once.</summary>
/// <remarks>
/// Asked for, not timed (<c>cudnnFind…</c>): the library's rules give one answer for a shape and a device, a stopwatch may give another with each run, and with
/// it other last bits of every loss. For the same reason only what it calls deterministic is taken.
/// </remarks>
sealed unsafe class CudnnConvolutions : IDisposable
{
    /// <summary>As much as unfolding takes at a time.</summary>
    public const long MostWorkspaceBytes = 16 << 20;

    /// <summary>More than there are algorithms, with and without tensor cores.</summary>
    const int Candidates = 16;

    readonly CudaContext _context;
    readonly CudnnHandle _handle;
    readonly Dictionary<ConvolutionKind, Plan?> _plans = [];

    CudnnConvolutions(CudaContext context, CudaStream stream)
    {
        _context = context;
        _handle = CudnnHandle.Create(context);
        try { _handle.Use(stream); }
        catch
        {
            _handle.Dispose();
            throw;
        }
    }

    /// <summary>Null where the machine has no cuDNN that works.</summary>
    public static CudnnConvolutions? TryOpen(CudaContext context, CudaStream stream)
    {
        if (!CudaLibraries.Shared[CudaLibrary.Cudnn].IsUsable) return null;
        // It loads libraries of its own by now, some of which may be missing.
        try { return new CudnnConvolutions(context, stream); }
        catch (DeviceException) { return null; }
    }

    /// <returns>Bytes of workspace; null where cuDNN has no suitable way to compute it.</returns>
    public long? Prepare(in MapConvolution convolution)
    {
        ConvolutionKind kind = convolution.Kind;
        if (!_plans.TryGetValue(kind, out Plan? plan)) _plans[kind] = plan = Choose(kind);
        return plan?.WorkspaceBytes;
    }

    /// <param name="convolution">Prepared.</param>
    public void Run(in MapConvolution convolution)
    {
        MapConvolution c = convolution;
        Plan plan = _plans[c.Kind]!;
        float one = 1, zero = 0;
        _context.Enter();
        Cudnn.Check(
            c.IsWeightGradient
                ? Cudnn.BackwardFilter(
                    _handle, &one, plan.Input, c.Input.Address, plan.Output, c.Output.Address, plan.Convolution, plan.Algorithm, c.Workspace,
                    (nuint)plan.WorkspaceBytes, &zero, plan.Filter, c.Filter)
                : Cudnn.Forward(
                    _handle, &one, plan.Input, c.Input.Address, plan.Filter, c.Filter, plan.Convolution, plan.Algorithm, c.Workspace,
                    (nuint)plan.WorkspaceBytes, &zero, plan.Output, c.Output.Address),
            $"{(c.IsWeightGradient ? "cudnnConvolutionBackwardFilter" : "cudnnConvolutionForward")}({c.Kind})");
    }

    public void Dispose()
    {
        foreach (Plan? plan in _plans.Values) plan?.Dispose();
        _handle.Dispose();
    }

    Plan? Choose(ConvolutionKind kind)
    {
        _context.Enter();
        var plan = new Plan(
            CudnnTensor.Create(_context, CudnnDataType.Float32, kind.Batch, kind.Height, kind.Width, kind.Inputs, kind.InputPitch),
            CudnnFilter.Create(_context, CudnnDataType.Float32, kind.Outputs, kind.Kernel, kind.Kernel, kind.Inputs),
            CudnnTensor.Create(_context, CudnnDataType.Float32, kind.Batch, kind.Height, kind.Width, kind.Outputs, kind.OutputPitch),
            CudnnConvolution.Create(_context, padding: kind.Kernel / 2, stride: 1, Arithmetic(kind.Precision)));
        CudnnPerformance* found = stackalloc CudnnPerformance[Candidates];
        int count;
        int status = kind.IsWeightGradient
            ? Cudnn.BackwardFilterAlgorithms(_handle, plan.Input, plan.Output, plan.Convolution, plan.Filter, Candidates, out count, found)
            : Cudnn.ForwardAlgorithms(_handle, plan.Input, plan.Filter, plan.Convolution, plan.Output, Candidates, out count, found);
        for (int i = 0; status == 0 && i < count; i++)
            if (Suits(found[i], kind.Precision) && plan.Take(_handle, found[i], kind)) return plan;
        plan.Dispose();
        return null;
    }

    /// <summary>Default is TF32 where the device has it; the other conversion that there is, to fp16, would lose the range.</summary>
    static CudnnMath Arithmetic(CudaPrecision precision) => precision == CudaPrecision.Float32 ? CudnnMath.MultiplyAdd : CudnnMath.Default;

    static bool Suits(in CudnnPerformance found, CudaPrecision precision) =>
        found is { Status: 0, Deterministic: 1, WorkspaceBytes: <= (nuint)MostWorkspaceBytes }
        && found.Math != CudnnMath.TensorCoresAndConversion && (precision != CudaPrecision.Float32 || found.Math != CudnnMath.TensorCores);

    sealed class Plan(CudnnTensor input, CudnnFilter filter, CudnnTensor output, CudnnConvolution convolution) : IDisposable
    {
        public CudnnTensor Input => input;

        public CudnnFilter Filter => filter;

        public CudnnTensor Output => output;

        public CudnnConvolution Convolution => convolution;

        public int Algorithm { get; private set; }

        public long WorkspaceBytes { get; private set; }

        /// <summary>
        /// An algorithm goes with the arithmetic that it was found for, and both decide the workspace. What is called the default may be TF32, so float32 insists on
        /// its own: an algorithm that has none says so here.
        /// </summary>
        public bool Take(CudnnHandle handle, in CudnnPerformance found, ConvolutionKind kind)
        {
            convolution.Use(kind.Precision == CudaPrecision.Float32 ? CudnnMath.MultiplyAdd : found.Math);
            int status = kind.IsWeightGradient
                ? Cudnn.BackwardFilterWorkspace(handle, input, output, convolution, filter, found.Algorithm, out nuint bytes)
                : Cudnn.ForwardWorkspace(handle, input, filter, convolution, output, found.Algorithm, out bytes);
            (Algorithm, WorkspaceBytes) = (found.Algorithm, (long)bytes);
            return status == 0 && WorkspaceBytes <= MostWorkspaceBytes;
        }

        public void Dispose()
        {
            input.Dispose();
            filter.Dispose();
            output.Dispose();
            convolution.Dispose();
        }
    }
}
