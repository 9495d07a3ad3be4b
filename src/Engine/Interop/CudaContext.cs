using Microsoft.Win32.SafeHandles;

namespace ClipSegNative.Interop;

/// <summary>The primary context of a device, which this process's libraries share. It lives until the last thing made in it is gone.</summary>
sealed class CudaContext : SafeHandleZeroOrMinusOneIsInvalid
{
    readonly int _device;

    CudaContext(nint handle, CudaDevice device, int number) : base(ownsHandle: true)
    {
        SetHandle(handle);
        Device = device;
        _device = number;
    }

    public CudaDevice Device { get; }

    /// <exception cref="DeviceException">There is no driver, no such device, or it is too old for the kernels.</exception>
    public static CudaContext Open(int ordinal)
    {
        IReadOnlyList<CudaDevice> devices = CudaDevice.All();
        if (ordinal >= devices.Count) throw new DeviceException($"There is no device cuda:{ordinal}: {Count(devices.Count)}, numbered from 0.");
        CudaDevice device = devices[ordinal];
        if (device.ComputeCapability < CudaDevice.Least)
        {
            throw new DeviceException(
                $"The device cuda:{ordinal} ({device.Name}) has compute capability {device.ComputeCapability}, but the kernels need {CudaDevice.Least}: use the device cpu.");
        }
        int number = CudaDevice.Handle(ordinal);
        CudaDriver.Check(CudaDriver.PrimaryContextRetain(out nint context, number), $"cuDevicePrimaryCtxRetain({number})");
        return new CudaContext(context, device, number);
    }

    /// <summary>Makes this thread's calls go to this context: whoever calls the driver does this first.</summary>
    public void Enter() => CudaDriver.Check(CudaDriver.ContextSetCurrent(handle), $"cuCtxSetCurrent({Device.Name})");

    /// <summary>Waits for all work in the context.</summary>
    public void Synchronize()
    {
        Enter();
        CudaDriver.Check(CudaDriver.ContextSynchronize(), $"cuCtxSynchronize()");
    }

    /// <summary>In bytes.</summary>
    public (long Free, long Total) Memory()
    {
        Enter();
        CudaDriver.Check(CudaDriver.MemoryGetInfo(out nuint free, out nuint total), $"cuMemGetInfo_v2()");
        return ((long)free, (long)total);
    }

    protected override bool ReleaseHandle() => CudaDriver.PrimaryContextRelease(_device) == 0;

    static string Count(int devices) => devices switch { 0 => "there is none", 1 => "there is one", _ => $"there are {devices}" };
}

/// <summary>Something that lives in a context and keeps it alive.</summary>
abstract class CudaHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    protected CudaHandle(CudaContext context, nint handle) : base(ownsHandle: true)
    {
        bool added = false;
        context.DangerousAddRef(ref added);
        Context = context;
        SetHandle(handle);
    }

    public CudaContext Context { get; }

    /// <returns>Zero for success.</returns>
    protected abstract int Destroy(nint handle);

    /// <summary>Finalizers run on a thread of their own, where no context is current.</summary>
    protected sealed override bool ReleaseHandle()
    {
        try { return CudaDriver.ContextSetCurrent(Context.DangerousGetHandle()) == 0 && Destroy(handle) == 0; }
        finally { Context.DangerousRelease(); }
    }
}
