using System.Runtime.CompilerServices;
using ClipSegNative.Tests.Kernels.Ptx.Decoding;
using ClipSegNative.Tests.Kernels.Ptx.Execution;
using ClipSegNative.Tests.Kernels.Ptx.Syntax;

namespace ClipSegNative.Tests.Kernels.Ptx.Instructions;

/// <summary>The addresses of a warp's lanes, and the memory that they reach.</summary>
readonly unsafe ref struct Addresses(Warp warp, Space space, Address address)
{
    readonly byte* _register = warp.Lanes<byte>(address.Register.Offset);
    readonly bool _wide = address.Register.Type.Bytes() == 8;
    readonly ulong _offset = (ulong)address.Offset;

    public ulong this[int lane] => _wide ? ((ulong*)_register)[lane] + _offset : (uint)(((uint*)_register)[lane] + _offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Read(int lane, int bytes) =>
        IsShared(this[lane], out ulong at) ? warp.Shared.Read(warp, lane, at, bytes) : warp.Global.Read(warp, lane, at, bytes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Write(int lane, int bytes) =>
        IsShared(this[lane], out ulong at) ? warp.Shared.Write(warp, lane, at, bytes) : warp.Global.Write(warp, lane, at, bytes);

    public byte* Atomic(int lane, int bytes) =>
        IsShared(this[lane], out ulong at) ? warp.Shared.Atomic(warp, lane, at, bytes) : warp.Global.Atomic(warp, lane, at, bytes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    bool IsShared(ulong address, out ulong at)
    {
        bool window = space == Space.Generic && address >= GlobalAccess.SharedWindow;
        at = window ? address - GlobalAccess.SharedWindow : address;
        return window || space == Space.Shared;
    }
}
