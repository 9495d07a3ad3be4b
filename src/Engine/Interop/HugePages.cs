using System.Runtime.InteropServices;

namespace ClipSegNative.Interop;

/// <summary>Asks Linux to back a large block with 2 MiB pages: weights are read end to end, and 4 KiB pages cost a page walk every row.</summary>
static unsafe partial class HugePages
{
    public const int Size = 2 << 20;

    const int Advice = 14;   // MADV_HUGEPAGE

    /// <summary>A hint: where the kernel does not know it, nothing changes.</summary>
    public static void Request(void* start, nuint bytes)
    {
        if (OperatingSystem.IsLinux()) _ = Advise(start, bytes, Advice);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint bytes, int advice);
}
