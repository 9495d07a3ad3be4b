using System.Numerics;
using ClipSegNative.Tests.Kernels.Ptx.Decoding;
using ClipSegNative.Tests.Kernels.Ptx.Execution;
using ClipSegNative.Tests.Kernels.Ptx.Syntax;
using static ClipSegNative.Tests.Kernels.Ptx.PtxType;

namespace ClipSegNative.Tests.Kernels.Ptx.Instructions;

/// <summary>Reads and writes in one. They need no lock: blocks with atomics in global memory run one after the other.</summary>
static unsafe class AtomicInstructions
{
    public static Dictionary<string, Decoder> Table { get; } = new()
    {
        ["atom"] = reader => Decode(reader, returns: true),
        ["red"] = reader => Decode(reader, returns: false),
    };

    static LaneOperation Decode(InstructionReader reader, bool returns)
    {
        reader.Maybe("relaxed", "acquire", "release", "acq_rel");
        // The manual has the scope in front of the space, LLVM behind it.
        reader.Maybe("cta", "gpu", "sys");
        Space space = MemoryInstructions.ReadSpace(reader);
        if (space is Space.Const or Space.Param) throw reader.Error("the space has no atomics");
        reader.Maybe("cta", "gpu", "sys");
        string operation = reader.OneOf("add", "min", "max", "and", "or", "xor", "inc", "dec", "exch", "cas");
        if (!returns && operation is "exch" or "cas") throw reader.Error($"a reduction cannot .{operation}");
        PtxType type = reader.Type(TypesOf(operation));
        Register? d = returns ? reader.Destination(type) : null;
        Address address = reader.MemoryAddress(space);
        Register b = reader.Source(type);
        Register c = operation == "cas" ? reader.Source(type) : b;
        if (space != Space.Global) reader.SharedAccess = type.Bytes();
        reader.IsGlobalAtomic = space != Space.Shared;
        return type switch
        {
            U32 or B32 => Apply(space, address, d, b, c, Integer<uint>(operation)),
            S32 => Apply(space, address, d, b, c, Integer<int>(operation)),
            U64 or B64 => Apply(space, address, d, b, c, Integer<ulong>(operation)),
            S64 => Apply(space, address, d, b, c, Integer<long>(operation)),
            F32 => Apply<float>(space, address, d, b, c, (old, value, _) => old + value),
            _ => Apply<double>(space, address, d, b, c, (old, value, _) => old + value),
        };
    }

    static PtxType[] TypesOf(string operation) => operation switch
    {
        "add" => [U32, S32, U64, F32, F64],
        "min" or "max" => [U32, S32, U64, S64],
        "inc" or "dec" => [U32],
        _ => [B32, B64],
    };

    static Func<T, T, T, T> Integer<T>(string operation) where T : IBinaryInteger<T> => operation switch
    {
        "add" => (old, value, _) => old + value,
        "min" => (old, value, _) => T.Min(old, value),
        "max" => (old, value, _) => T.Max(old, value),
        "and" => (old, value, _) => old & value,
        "or" => (old, value, _) => old | value,
        "xor" => (old, value, _) => old ^ value,
        "inc" => (old, limit, _) => old >= limit ? T.Zero : old + T.One,
        "dec" => (old, limit, _) => T.IsZero(old) || old > limit ? limit : old - T.One,
        "exch" => (_, value, _) => value,
        _ => (old, expected, value) => old == expected ? value : old,
    };

    /// <param name="space">Of the address.</param>
    /// <param name="address">Where.</param>
    /// <param name="d">Gets the old value, where one is wanted.</param>
    /// <param name="b">The operand.</param>
    /// <param name="c">The second operand, or the first again.</param>
    /// <param name="operation">Of the old value and the operands.</param>
    static LaneOperation Apply<T>(Space space, Address address, Register? d, Register b, Register c, Func<T, T, T, T> operation) where T : unmanaged =>
        (warp, lanes) =>
        {
            Addresses addresses = new(warp, space, address);
            T* first = warp.Lanes<T>(b.Offset), second = warp.Lanes<T>(c.Offset);
            foreach (int lane in new LaneSet(lanes))
            {
                T* at = (T*)addresses.Atomic(lane, sizeof(T));
                T old = *at;
                *at = operation(old, first[lane], second[lane]);
                if (d is not null) warp.Lanes<T>(d.Offset)[lane] = old;
            }
        };
}
