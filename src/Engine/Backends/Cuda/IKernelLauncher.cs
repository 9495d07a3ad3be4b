using ClipSegNative.Interop;

namespace ClipSegNative.Backends.Cuda;

/// <summary>Whoever runs kernels by name: a stream of a device, or the interpreter of the tests.</summary>
interface IKernelLauncher
{
    /// <param name="kernel">Its entry in the PTX.</param>
    /// <param name="grid">Blocks.</param>
    /// <param name="block">Threads of each.</param>
    /// <param name="sharedBytes">Dynamic shared memory of each block.</param>
    /// <param name="arguments">One word a parameter; narrower ones in its low bytes.</param>
    void Launch(string kernel, CudaExtent grid, CudaExtent block, int sharedBytes, ReadOnlySpan<ulong> arguments);
}
