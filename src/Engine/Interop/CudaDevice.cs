namespace ClipSegNative.Interop;

/// <summary>A device as the driver describes it.</summary>
/// <param name="Ordinal">Its number among those that <c>CUDA_VISIBLE_DEVICES</c> leaves.</param>
/// <param name="Name">As sold.</param>
/// <param name="ComputeCapability">From 8.0 the kernels run on it.</param>
/// <param name="MemoryBytes">In all.</param>
/// <param name="Multiprocessors">How many.</param>
/// <param name="L2CacheBytes">Of the whole device.</param>
/// <param name="SharedBytesPerBlock">The most a block may ask for.</param>
sealed unsafe record CudaDevice(
    int Ordinal, string Name, Version ComputeCapability, long MemoryBytes, int Multiprocessors, int L2CacheBytes, int SharedBytesPerBlock)
{
    const int NameBytes = 256;

    public override string ToString() => $"{Name}, compute capability {ComputeCapability}, {MemoryBytes / 1e9:0.0} GB, {Multiprocessors} multiprocessors";

    /// <summary>What the kernels are compiled for.</summary>
    public static Version Least { get; } = new(8, 0);

    /// <exception cref="DeviceException">There is no driver, or none that works.</exception>
    public static IReadOnlyList<CudaDevice> All()
    {
        CudaLibraries.Shared.Require(CudaLibrary.Driver);
        CudaDriver.Check(CudaDriver.Init(0), $"cuInit(0)");
        CudaDriver.Check(CudaDriver.DeviceGetCount(out int count), $"cuDeviceGetCount()");
        return [.. Enumerable.Range(0, count).Select(Read)];
    }

    /// <summary>The driver's own number of a device.</summary>
    /// <exception cref="DeviceException">There is no such device.</exception>
    public static int Handle(int ordinal)
    {
        CudaDriver.Check(CudaDriver.DeviceGet(out int device, ordinal), $"cuDeviceGet({ordinal})");
        return device;
    }

    static CudaDevice Read(int ordinal)
    {
        int device = Handle(ordinal);
        byte* name = stackalloc byte[NameBytes];
        CudaDriver.Check(CudaDriver.DeviceGetName(name, NameBytes, device), $"cuDeviceGetName({device})");
        CudaDriver.Check(CudaDriver.DeviceTotalMemory(out nuint bytes, device), $"cuDeviceTotalMem_v2({device})");
        return new CudaDevice(
            ordinal,
            CudaDriver.Utf8(name),
            new Version(Attribute(CudaDeviceAttribute.ComputeCapabilityMajor), Attribute(CudaDeviceAttribute.ComputeCapabilityMinor)),
            (long)bytes,
            Attribute(CudaDeviceAttribute.Multiprocessors),
            Attribute(CudaDeviceAttribute.L2CacheBytes),
            Attribute(CudaDeviceAttribute.MaxSharedBytesPerBlock));

        int Attribute(CudaDeviceAttribute attribute)
        {
            CudaDriver.Check(CudaDriver.DeviceGetAttribute(out int value, attribute, device), $"cuDeviceGetAttribute({attribute}, {device})");
            return value;
        }
    }
}
