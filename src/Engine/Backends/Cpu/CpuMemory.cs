using System.Runtime.InteropServices;
using ClipSegNative.Interop;
using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Native memory, aligned to cache lines, or to huge pages where it fills one. Not cleared.</summary>
sealed unsafe class CpuMemory : DeviceMemory
{
    const int CacheLine = 64;

    readonly bool _borrowed;

    public CpuMemory(long bytes) : base(bytes)
    {
        bool large = bytes >= HugePages.Size;
        Pointer = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, large ? (nuint)HugePages.Size : CacheLine);
        // Whole pages alone: an end that a huge page would back to its own end cost 41 MB of CLIPSeg's weights.
        if (large) HugePages.Request(Pointer, (nuint)(bytes / HugePages.Size * HugePages.Size));
    }

    /// <param name="start">Stays valid, and somebody else's.</param>
    /// <param name="bytes">How many.</param>
    public CpuMemory(void* start, long bytes) : base(bytes)
    {
        Pointer = (byte*)start;
        _borrowed = true;
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
        if (!_borrowed) NativeMemory.AlignedFree(Pointer);
        Pointer = null;
    }
}
