using System.Runtime.InteropServices;
using ClipSegNative.Interop;

namespace ClipSegNative.Tests.Backends.Assembly;

/// <summary>Pages of plain memory that note what is done with them, in pages; one step can be refused.</summary>
sealed unsafe class FakePages : IMemoryPages
{
    nint _start;

    public List<string> Calls { get; } = [];

    /// <summary>How the refused call begins.</summary>
    public string? Refuse { get; init; }

    /// <summary>Pages not given back.</summary>
    public nint Held { get; private set; }

    public int PageSize => 4096;

    public (nint Start, string Reason) Reserve(nint bytes)
    {
        if (Note($"reserve {bytes / PageSize}") is { } refusal) return (0, refusal);
        Held += bytes / PageSize;
        return (_start = (nint)NativeMemory.AlignedAlloc((nuint)bytes, (nuint)PageSize), "");
    }

    public string? Protect(nint start, nint bytes, PageAccess access) => Note($"{access} {(start - _start) / PageSize}+{bytes / PageSize}");

    public void Free(nint start, nint bytes)
    {
        Note($"free {bytes / PageSize}");
        Held -= bytes / PageSize;
        NativeMemory.AlignedFree((void*)start);
    }

    string? Note(string call)
    {
        Calls.Add(call);
        return Refuse is not null && call.StartsWith(Refuse, StringComparison.Ordinal) ? "this system allows no such pages" : null;
    }
}
