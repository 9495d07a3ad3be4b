namespace ClipSegNative.Interop;

/// <summary>What may be done with a page; nothing is ever both written and executed.</summary>
enum PageAccess
{
    /// <summary>Touching it ends the process: a guard.</summary>
    None,

    ReadWrite,

    ReadExecute,
}

/// <summary>Whole pages of memory from the system, so that tests can be a system that refuses.</summary>
unsafe interface IMemoryPages
{
    /// <summary>Bytes in a page.</summary>
    int PageSize { get; }

    /// <summary>New pages that nobody may touch.</summary>
    /// <param name="bytes">A multiple of <see cref="PageSize"/>.</param>
    /// <returns>Null, and why, where there are none.</returns>
    (nint Start, string Reason) Reserve(nint bytes);

    /// <returns>Null where the system allowed it, else why not.</returns>
    string? Protect(nint start, nint bytes, PageAccess access);

    /// <summary>Gives all pages of one <see cref="Reserve"/> back.</summary>
    void Free(nint start, nint bytes);
}
