namespace ClipSegNative.Interop;

/// <summary>A mark in a stream: others wait for it, and two give the time between them.</summary>
sealed class CudaEvent : CudaHandle
{
    CudaEvent(CudaContext context, nint handle) : base(context, handle) { }

    /// <param name="context">Where.</param>
    /// <param name="timed">Without times it is cheaper.</param>
    public static CudaEvent Create(CudaContext context, bool timed)
    {
        context.Enter();
        uint flags = timed ? 0 : CudaFlags.EventDisableTiming;
        CudaDriver.Check(CudaDriver.EventCreate(out nint created, flags), $"cuEventCreate({flags})");
        return new CudaEvent(context, created);
    }

    public void Record(CudaStream stream)
    {
        Context.Enter();
        CudaDriver.Check(CudaDriver.EventRecord(this, stream), $"cuEventRecord()");
    }

    public void Synchronize()
    {
        Context.Enter();
        CudaDriver.Check(CudaDriver.EventSynchronize(this), $"cuEventSynchronize()");
    }

    /// <summary>Whether the stream has come to it.</summary>
    public bool IsReached
    {
        get
        {
            Context.Enter();
            int result = CudaDriver.EventQuery(this);
            if (result == CudaError.NotReady) return false;
            CudaDriver.Check(result, $"cuEventQuery()");
            return true;
        }
    }

    /// <summary>Both must be timed and reached; half a microsecond is the resolution.</summary>
    public TimeSpan Since(CudaEvent start)
    {
        Context.Enter();
        CudaDriver.Check(CudaDriver.EventElapsedTime(out float milliseconds, start, this), $"cuEventElapsedTime()");
        return TimeSpan.FromMilliseconds(milliseconds);
    }

    protected override int Destroy(nint handle) => CudaDriver.EventDestroy(handle);
}
