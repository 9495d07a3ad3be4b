using ClipSegNative.Interop;

namespace ClipSegNative.Tests.Backends.Assembly;

/// <summary>A block that ends where a page ends, with a page behind it that nobody may touch.</summary>
sealed unsafe class GuardedMemory : IDisposable
{
    static readonly SystemPages Pages = new();

    readonly nint _reserved, _all;

    public GuardedMemory(nint bytes)
    {
        nint page = Pages.PageSize, body = (bytes + page - 1) / page * page;
        _all = body + 2 * page;
        (_reserved, string reason) = Pages.Reserve(_all);
        Assert.True(_reserved != 0, reason);
        Assert.Null(Pages.Protect(_reserved + page, body, PageAccess.ReadWrite));
        Start = (byte*)(_reserved + page + body - bytes);
        Bytes = bytes;
    }

    public byte* Start { get; }

    public nint Bytes { get; }

    public void Dispose() => Pages.Free(_reserved, _all);
}
