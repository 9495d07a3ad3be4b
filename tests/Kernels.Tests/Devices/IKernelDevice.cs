using ClipSegNative.Backends.Cuda;

namespace ClipSegNative.Tests.Kernels;

/// <summary>What a kernel test needs of a device: memory, and launches. The PTX interpreter is one, a graphics card another.</summary>
interface IKernelDevice : IKernelLauncher, IDisposable
{
    /// <summary>A block of memory, aligned to 256 bytes, whose contents are undefined: the interpreter traps their read.</summary>
    /// <param name="bytes">Above 0.</param>
    ulong Allocate(long bytes);

    void Free(ulong address);

    void Write<T>(ulong address, ReadOnlySpan<T> values) where T : unmanaged;

    /// <summary>Waits for all launches before.</summary>
    void Read<T>(ulong address, Span<T> values) where T : unmanaged;

    /// <summary>Says that kernels only read this allocation: the interpreter traps their writes. A real device does not check it.</summary>
    void Protect(ulong address);

    /// <summary>Lets a kernel be launched with more than 48 KiB of shared memory, its own and the launch's together.</summary>
    /// <param name="kernel">Its entry in the PTX.</param>
    /// <param name="bytes">Dynamic ones; at most 99 KiB with those that the kernel declares.</param>
    void AllowSharedBytes(string kernel, int bytes);
}
