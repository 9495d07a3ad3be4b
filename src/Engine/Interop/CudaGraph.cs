namespace ClipSegNative.Interop;

/// <summary>Work that a stream recorded.</summary>
sealed class CudaGraph(CudaContext context, nint handle) : CudaHandle(context, handle)
{
    /// <summary>Makes it ready to run; the graph may then go.</summary>
    public CudaGraphExecutable Instantiate()
    {
        Context.Enter();
        CudaDriver.Check(CudaDriver.GraphInstantiate(out nint executable, this, flags: 0), $"cuGraphInstantiateWithFlags(0)");
        return new CudaGraphExecutable(Context, executable);
    }

    protected override int Destroy(nint handle) => CudaDriver.GraphDestroy(handle);
}

/// <summary>A recorded pass that one call queues. It must not run twice at the same time.</summary>
sealed class CudaGraphExecutable(CudaContext context, nint handle) : CudaHandle(context, handle)
{
    /// <summary>What the first launch would do before it starts.</summary>
    public void Upload(CudaStream stream)
    {
        Context.Enter();
        CudaDriver.Check(CudaDriver.GraphUpload(this, stream), $"cuGraphUpload()");
    }

    public void Launch(CudaStream stream)
    {
        Context.Enter();
        CudaDriver.Check(CudaDriver.GraphLaunch(this, stream), $"cuGraphLaunch()");
    }

    protected override int Destroy(nint handle) => CudaDriver.GraphExecutableDestroy(handle);
}
