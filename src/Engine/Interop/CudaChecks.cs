using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ClipSegNative.Interop;

/// <summary>Failures of native calls become a <see cref="DeviceException"/> with the call, its arguments, and the error's name and description.</summary>
static unsafe partial class CudaDriver
{
    /// <exception cref="DeviceException">The call failed.</exception>
    public static void Check(int result, [InterpolatedStringHandlerArgument(nameof(result))] CallText call)
    {
        if (result == 0) return;
        string name = GetErrorName(result, out byte* found) == 0 ? Utf8(found) : "an unknown error";
        string text = GetErrorString(result, out byte* description) == 0 ? $", {Utf8(description)}" : "";
        throw new DeviceException($"{call.Finish()} failed: {name} ({result}){text}{Advice(result)}.");
    }

    public static string Utf8(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    static string Advice(int result) => result switch
    {
        CudaError.OutOfMemory => ": take a smaller batch or working size, or end what else uses the device",
        CudaError.NoDevice => ": see whether nvidia-smi lists one and what CUDA_VISIBLE_DEVICES hides",
        CudaError.InvalidPtx or CudaError.UnsupportedPtxVersion => ": the driver cannot compile these kernels; install a newer one",
        CudaError.IllegalAddress => ": nothing more can be done in this process; please report it",
        CudaError.SystemDriverMismatch or CudaError.CompatNotSupported => ": the driver's library and kernel module differ; restart the machine or the container",
        _ => "",
    };
}

static unsafe partial class Cublas
{
    /// <exception cref="DeviceException">The call failed.</exception>
    public static void Check(int result, [InterpolatedStringHandlerArgument(nameof(result))] CallText call)
    {
        if (result == 0) return;
        throw new DeviceException($"{call.Finish()} failed: {CudaDriver.Utf8(GetStatusName(result))} ({result}), {CudaDriver.Utf8(GetStatusString(result))}.");
    }
}

static unsafe partial class CublasLt
{
    /// <exception cref="DeviceException">The call failed.</exception>
    public static void Check(int result, [InterpolatedStringHandlerArgument(nameof(result))] CallText call)
    {
        if (result == 0) return;
        throw new DeviceException($"{call.Finish()} failed: {CudaDriver.Utf8(GetStatusName(result))} ({result}), {CudaDriver.Utf8(GetStatusString(result))}.");
    }
}

static unsafe partial class Cudnn
{
    const int MessageBytes = 512;

    /// <exception cref="DeviceException">The call failed.</exception>
    public static void Check(int result, [InterpolatedStringHandlerArgument(nameof(result))] CallText call)
    {
        if (result == 0) return;
        byte* message = stackalloc byte[MessageBytes];
        message[0] = 0;
        GetLastErrorString(message, MessageBytes);
        throw new DeviceException($"{call.Finish()} failed: {CudaDriver.Utf8(GetErrorString(result))} ({result}), {CudaDriver.Utf8(message)}.");
    }
}
