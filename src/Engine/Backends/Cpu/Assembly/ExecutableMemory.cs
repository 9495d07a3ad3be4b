using ClipSegNative.Interop;

namespace ClipSegNative.Backends.Cpu.Assembly;

/// <summary>
/// Machine code between two guard pages. It is written while nobody may execute it and executed when nobody may write it any more; at no time both.
/// </summary>
sealed unsafe class ExecutableMemory : IDisposable
{
    readonly IMemoryPages _pages;
    readonly nint _bytes;
    nint _reserved;

    ExecutableMemory(IMemoryPages pages, nint reserved, nint bytes) => (_pages, _reserved, _bytes) = (pages, reserved, bytes);

    ~ExecutableMemory() => Free();

    /// <summary>Where the code begins.</summary>
    /// <exception cref="ObjectDisposedException">It was freed.</exception>
    public nint Start
    {
        get
        {
            ObjectDisposedException.ThrowIf(_reserved == 0, this);
            return _reserved + _pages.PageSize;
        }
    }

    /// <summary>Bytes of pages in all, guards included.</summary>
    public nint Bytes => _bytes;

    /// <summary>Takes pages, writes the code and makes it executable.</summary>
    /// <param name="pages">The system.</param>
    /// <param name="code">Position-independent; at least one byte.</param>
    /// <param name="problem">Why there is none, where the result is null.</param>
    public static ExecutableMemory? TryCreate(IMemoryPages pages, ReadOnlySpan<byte> code, out string problem)
    {
        ArgumentOutOfRangeException.ThrowIfZero(code.Length);
        nint page = pages.PageSize, body = (code.Length + page - 1) / page * page, all = body + 2 * page;
        (nint reserved, problem) = pages.Reserve(all);
        if (reserved == 0) return null;
        var memory = new ExecutableMemory(pages, reserved, all);
        nint start = reserved + page;
        string? refused = pages.Protect(start, body, PageAccess.ReadWrite);
        if (refused is null)
        {
            code.CopyTo(new Span<byte>((void*)start, code.Length));
            refused = pages.Protect(start, body, PageAccess.ReadExecute);
        }
        if (refused is null) return memory;
        problem = refused;
        memory.Dispose();
        return null;
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    void Free()
    {
        if (_reserved != 0) _pages.Free(_reserved, _bytes);
        _reserved = 0;
    }
}
