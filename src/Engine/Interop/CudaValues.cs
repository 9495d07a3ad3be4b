namespace ClipSegNative.Interop;

/// <summary>CUdevice_attribute, those that are asked for.</summary>
enum CudaDeviceAttribute
{
    MaxThreadsPerBlock = 1,
    Multiprocessors = 16,
    L2CacheBytes = 38,
    ComputeCapabilityMajor = 75,
    ComputeCapabilityMinor = 76,
    MaxSharedBytesPerBlock = 97,   // ..._OPTIN: what a function may ask for, beyond the 48 KiB that it gets
}

/// <summary>CUfunction_attribute.</summary>
enum CudaFunctionAttribute
{
    MaxThreadsPerBlock = 0,
    SharedBytes = 1,
    LocalBytes = 3,
    Registers = 4,
    MaxDynamicSharedBytes = 8,
}

/// <summary>CUjit_option.</summary>
enum CudaCompileOption
{
    ErrorLog = 5,
    ErrorLogBytes = 6,
}

/// <summary>CUstreamCaptureMode: which calls of other threads make a capture fail.</summary>
enum CudaCaptureMode
{
    Global = 0,
    ThreadLocal = 1,
    Relaxed = 2,
}

/// <summary>Flags of streams, events and host memory.</summary>
static class CudaFlags
{
    public const uint StreamNonBlocking = 1, EventDisableTiming = 2, HostPortable = 1;
}

/// <summary>CUresult, those that are told apart.</summary>
static class CudaError
{
    public const int OutOfMemory = 2, NoDevice = 100, InvalidPtx = 218, UnsupportedPtxVersion = 222, IllegalAddress = 700,
        NotReady = 600, SystemDriverMismatch = 803, CompatNotSupported = 804;
}

/// <summary>cudaDataType_t.</summary>
enum CudaDataType
{
    Float32 = 0,
    Float16 = 2,
    BFloat16 = 14,
}
