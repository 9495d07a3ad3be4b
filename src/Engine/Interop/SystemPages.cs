using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace ClipSegNative.Interop;

/// <summary>Pages of Linux and macOS (mmap) and Windows (VirtualAlloc).</summary>
sealed unsafe partial class SystemPages : IMemoryPages
{
    const int ProtectNone = 0, ProtectRead = 1, ProtectWrite = 2, ProtectExecute = 4;   // PROT_*

    const int MapPrivate = 0x2, MapAnonymous = 0x20;   // MAP_*, as Linux numbers them

    const int AppleMapAnonymous = 0x1000, AppleMapCode = 0x800;   // MAP_ANON, and MAP_JIT, which a hardened process needs

    const uint Commit = 0x1000, ReserveAddresses = 0x2000, Release = 0x8000;   // MEM_*

    const uint PageNoAccess = 0x01, PageReadWrite = 0x04, PageExecuteRead = 0x20;   // PAGE_*

    public int PageSize => Environment.SystemPageSize;

    public (nint Start, string Reason) Reserve(nint bytes)
    {
        nint start;
        if (OperatingSystem.IsWindows()) start = VirtualAlloc(0, bytes, ReserveAddresses | Commit, PageNoAccess);
        else if (OperatingSystem.IsLinux()) start = Map(0, bytes, ProtectNone, MapPrivate | MapAnonymous, file: -1, offset: 0);
        // Apple's own processors, which would want a switch per thread as well, have none of the instructions.
        else if (OperatingSystem.IsMacOS() && X86Base.IsSupported) start = Map(0, bytes, ProtectNone, MapPrivate | AppleMapAnonymous | AppleMapCode, file: -1, offset: 0);
        else return (0, "memory for code is taken on Linux, Windows and Macs with Intel processors only");
        return start is 0 or -1 ? (0, LastError()) : (start, "");
    }

    public string? Protect(nint start, nint bytes, PageAccess access)
    {
        if (OperatingSystem.IsWindows())
        {
            uint protection = access switch { PageAccess.None => PageNoAccess, PageAccess.ReadWrite => PageReadWrite, _ => PageExecuteRead };
            if (VirtualProtect(start, bytes, protection, out _) == 0) return LastError();
            return access != PageAccess.ReadExecute || FlushInstructionCache(CurrentProcess(), start, bytes) != 0 ? null : LastError();
        }
        int bits = access switch { PageAccess.None => ProtectNone, PageAccess.ReadWrite => ProtectRead | ProtectWrite, _ => ProtectRead | ProtectExecute };
        return Protect(start, bytes, bits) == 0 ? null : LastError();
    }

    public void Free(nint start, nint bytes)
    {
        if (OperatingSystem.IsWindows()) _ = VirtualFree(start, 0, Release);
        else _ = Unmap(start, bytes);
    }

    static string LastError() => Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()).TrimEnd('.');

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint start, nint bytes, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint start, nint bytes, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint start, nint bytes);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial nint VirtualAlloc(nint start, nint bytes, uint type, uint protection);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial int VirtualProtect(nint start, nint bytes, uint protection, out uint former);

    [LibraryImport("kernel32")]
    private static partial int VirtualFree(nint start, nint bytes, uint type);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial int FlushInstructionCache(nint process, nint start, nint bytes);

    [LibraryImport("kernel32", EntryPoint = "GetCurrentProcess")]
    private static partial nint CurrentProcess();
}
