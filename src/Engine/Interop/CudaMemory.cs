namespace ClipSegNative.Interop;

/// <summary>A block of device memory, aligned to 256 bytes; what it holds is undefined.</summary>
sealed class CudaMemory : CudaHandle
{
    CudaMemory(CudaContext context, ulong address, long bytes) : base(context, (nint)address) => Bytes = bytes;

    public long Bytes { get; }

    public ulong Address => IsClosed ? throw new ObjectDisposedException(nameof(CudaMemory)) : (ulong)handle;

    /// <param name="context">Where.</param>
    /// <param name="bytes">Above 0.</param>
    /// <exception cref="DeviceException">There is not enough.</exception>
    public static CudaMemory Allocate(CudaContext context, long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        context.Enter();
        CudaDriver.Check(CudaDriver.MemoryAllocate(out ulong address, (nuint)bytes), $"cuMemAlloc_v2({bytes} bytes)");
        return new CudaMemory(context, address, bytes);
    }

    protected override int Destroy(nint handle) => CudaDriver.MemoryFree((ulong)handle);
}

/// <summary>Host memory that the device reaches: only copies from and to it run beside other work.</summary>
sealed unsafe class PinnedMemory : CudaHandle
{
    PinnedMemory(CudaContext context, nint address, int bytes) : base(context, address) => Bytes = bytes;

    public int Bytes { get; }

    public Span<byte> Span => IsClosed ? throw new ObjectDisposedException(nameof(PinnedMemory)) : new((void*)handle, Bytes);

    /// <param name="context">Any context may then use it.</param>
    /// <param name="bytes">Above 0.</param>
    /// <exception cref="DeviceException">There is not enough.</exception>
    public static PinnedMemory Allocate(CudaContext context, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        context.Enter();
        CudaDriver.Check(CudaDriver.MemoryHostAllocate(out nint address, (nuint)bytes, CudaFlags.HostPortable), $"cuMemHostAlloc({bytes} bytes)");
        return new PinnedMemory(context, address, bytes);
    }

    protected override int Destroy(nint handle) => CudaDriver.MemoryHostFree(handle);
}

/// <summary>Memory of the process that is pinned where it lies, as a mapped weight file is; the caller keeps it there.</summary>
sealed unsafe class PinnedRegion : CudaHandle
{
    PinnedRegion(CudaContext context, nint address) : base(context, address) { }

    /// <exception cref="DeviceException">The system does not let it be pinned.</exception>
    public static PinnedRegion Register(CudaContext context, void* address, long bytes)
    {
        context.Enter();
        CudaDriver.Check(CudaDriver.MemoryHostRegister(address, (nuint)bytes, CudaFlags.HostPortable), $"cuMemHostRegister_v2({bytes} bytes)");
        return new PinnedRegion(context, (nint)address);
    }

    protected override int Destroy(nint handle) => CudaDriver.MemoryHostUnregister(handle);
}
