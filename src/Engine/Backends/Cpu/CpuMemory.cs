using System.Runtime.InteropServices;
using ClipSegNative.Interop;
using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Native memory, aligned to cache lines, or to huge pages where it is large enough to profit. Not cleared.</summary>
sealed unsafe class CpuMemory : DeviceMemory
{
    const int CacheLine = 64;

    public CpuMemory(long bytes) : base(bytes)
    {
        bool large = bytes >= 2 * HugePages.Size;
        nuint alignment = large ? (nuint)HugePages.Size : CacheLine;
        nuint size = ((nuint)bytes + alignment - 1) / alignment * alignment;
        Pointer = (byte*)NativeMemory.AlignedAlloc(size, alignment);
        if (large) HugePages.Request(Pointer, size);
    }

    ~CpuMemory() => Free();

    public byte* Pointer { get; private set; }

    public override void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    void Free()
    {
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
    }
}
