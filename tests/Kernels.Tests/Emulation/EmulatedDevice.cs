using System.Text;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.Tests.Kernels.Ptx;

namespace ClipSegNative.Tests.Kernels.Emulation;

/// <summary>The shipped kernels, parsed once, on an interpreter.</summary>
static class EmulatedDevice
{
    static readonly Lazy<PtxModule[]> Shipped = new(() => [.. CudaKernels.Modules.Select(module => PtxModule.Parse(Encoding.ASCII.GetString(CudaKernels.Ptx(module))))]);

    public static InterpretedDevice Create() => new(Shipped.Value);

    public static CudaBackend CreateBackend(out EmulatedRuntime runtime)
    {
        runtime = new EmulatedRuntime(Create());
        return new CudaBackend(runtime);
    }
}
