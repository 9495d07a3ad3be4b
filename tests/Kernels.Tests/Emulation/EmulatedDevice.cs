using System.Text;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.Tests.Kernels.Ptx;

namespace ClipSegNative.Tests.Kernels.Emulation;

/// <summary>The shipped kernels, parsed once, on an interpreter.</summary>
static class EmulatedDevice
{
    static readonly Lazy<Dictionary<string, PtxModule>> Shipped =
        new(() => CudaKernels.Modules.ToDictionary(module => module, module => PtxModule.Parse(Encoding.ASCII.GetString(CudaKernels.Ptx(module)))));

    public static PtxModule Module(string name) => Shipped.Value[name];

    /// <param name="backwards">Blocks and warps take turns from the last to the first.</param>
    public static InterpretedDevice Create(bool backwards = false) => new(Shipped.Value.Values) { Backwards = backwards };

    /// <param name="precision">Of products.</param>
    /// <param name="backwards">As for <see cref="Create"/>.</param>
    /// <param name="eager">Nothing is recorded.</param>
    /// <param name="convolves">As with cuDNN; else as without.</param>
    public static CudaBackend CreateBackend(CudaPrecision precision = CudaPrecision.Float32, bool backwards = false, bool eager = false, bool convolves = true) =>
        new(new EmulatedRuntime(Create(backwards), convolves), precision, eager);
}
