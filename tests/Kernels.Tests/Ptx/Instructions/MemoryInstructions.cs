using System.Numerics;
using ClipSegNative.Tests.Kernels.Ptx.Decoding;
using ClipSegNative.Tests.Kernels.Ptx.Execution;
using ClipSegNative.Tests.Kernels.Ptx.Syntax;
using static ClipSegNative.Tests.Kernels.Ptx.PtxType;

namespace ClipSegNative.Tests.Kernels.Ptx.Instructions;

/// <summary>Loads and stores. What they say of caches and of the order seen by other threads changes nothing here, where blocks see all at once.</summary>
static unsafe class MemoryInstructions
{
    static readonly PtxType[] Types = [B8, U8, S8, B16, U16, S16, B32, U32, S32, F32, B64, U64, S64, F64];

    public static Dictionary<string, Decoder> Table { get; } = new()
    {
        ["ld"] = Load,
        ["st"] = Store,
        ["prefetch"] = Prefetch,
    };

    /// <summary>Of memory, as modifiers name it.</summary>
    public static Space ReadSpace(InstructionReader reader) => reader.Maybe("global", "shared", "const", "param") switch
    {
        "global" => Space.Global,
        "shared" => Space.Shared,
        "const" => Space.Const,
        "param" => Space.Param,
        _ => Space.Generic,
    };

    /// <summary>What is said of the order of accesses.</summary>
    public static void SkipOrder(InstructionReader reader)
    {
        if (reader.Maybe("weak", "volatile", "relaxed", "acquire", "release", "acq_rel") is not (null or "weak" or "volatile")) reader.OneOf("cta", "gpu", "sys");
    }

    static LaneOperation Load(InstructionReader reader)
    {
        SkipOrder(reader);
        Space space = ReadSpace(reader);
        if (space == Space.Param) return LoadParameter(reader);
        reader.Maybe("ca", "cg", "cs", "lu", "cv");
        if (reader.Flag("nc") && space != Space.Global) throw reader.Error("only global memory is read as constant");
        SkipCaching(reader);
        (int count, PtxType type) = VectorType(reader);
        Register[] d = reader.DestinationVector(type, count, wide: true);
        Address address = reader.MemoryAddress(space);
        NoteShared(reader, space, type);
        return (type.Bytes(), type.IsSigned(), Width(reader, d)) switch
        {
            (1, false, 2) => Load<byte, ushort>(space, address, d),
            (1, false, 4) => Load<byte, uint>(space, address, d),
            (1, false, _) => Load<byte, ulong>(space, address, d),
            (1, true, 2) => Load<sbyte, ushort>(space, address, d),
            (1, true, 4) => Load<sbyte, uint>(space, address, d),
            (1, true, _) => Load<sbyte, ulong>(space, address, d),
            (2, _, 2) => Load<ushort, ushort>(space, address, d),
            (2, false, 4) => Load<ushort, uint>(space, address, d),
            (2, false, _) => Load<ushort, ulong>(space, address, d),
            (2, true, 4) => Load<short, uint>(space, address, d),
            (2, true, _) => Load<short, ulong>(space, address, d),
            (4, _, 4) => Load<uint, uint>(space, address, d),
            (4, false, _) => Load<uint, ulong>(space, address, d),
            (4, true, _) => Load<int, ulong>(space, address, d),
            _ => Load<ulong, ulong>(space, address, d),
        };
    }

    static LaneOperation Load<TMemory, TRegister>(Space space, Address address, Register[] d)
        where TMemory : unmanaged, IBinaryInteger<TMemory>
        where TRegister : unmanaged, IBinaryInteger<TRegister>
    {
        int bytes = d.Length * sizeof(TMemory);
        int[] offsets = [.. d.Select(register => register.Offset)];
        return (warp, lanes) =>
        {
            Addresses addresses = new(warp, space, address);
            foreach (int lane in new LaneSet(lanes))
            {
                TMemory* from = (TMemory*)addresses.Read(lane, bytes);
                for (int i = 0; i < offsets.Length; i++) warp.Lanes<TRegister>(offsets[i])[lane] = TRegister.CreateTruncating(from[i]);
            }
        };
    }

    static LaneOperation Store(InstructionReader reader)
    {
        SkipOrder(reader);
        Space space = ReadSpace(reader);
        if (space is Space.Const or Space.Param) throw reader.Error("the space cannot be written");
        reader.Maybe("wb", "cg", "cs", "wt");
        SkipCaching(reader);
        (int count, PtxType type) = VectorType(reader);
        Address address = reader.MemoryAddress(space);
        Register[] a = reader.SourceVector(type, count, wide: true);
        NoteShared(reader, space, type);
        return (type.Bytes(), Width(reader, a)) switch
        {
            (1, 2) => Store<byte, ushort>(space, address, a),
            (1, 4) => Store<byte, uint>(space, address, a),
            (1, _) => Store<byte, ulong>(space, address, a),
            (2, 2) => Store<ushort, ushort>(space, address, a),
            (2, 4) => Store<ushort, uint>(space, address, a),
            (2, _) => Store<ushort, ulong>(space, address, a),
            (4, 4) => Store<uint, uint>(space, address, a),
            (4, _) => Store<uint, ulong>(space, address, a),
            _ => Store<ulong, ulong>(space, address, a),
        };
    }

    static LaneOperation Store<TMemory, TRegister>(Space space, Address address, Register[] a)
        where TMemory : unmanaged, IBinaryInteger<TMemory>
        where TRegister : unmanaged, IBinaryInteger<TRegister>
    {
        int bytes = a.Length * sizeof(TMemory);
        int[] offsets = [.. a.Select(register => register.Offset)];
        return (warp, lanes) =>
        {
            Addresses addresses = new(warp, space, address);
            foreach (int lane in new LaneSet(lanes))
            {
                TMemory* to = (TMemory*)addresses.Write(lane, bytes);
                for (int i = 0; i < offsets.Length; i++) to[i] = TMemory.CreateTruncating(warp.Lanes<TRegister>(offsets[i])[lane]);
            }
        };
    }

    static LaneOperation LoadParameter(InstructionReader reader)
    {
        (int count, PtxType type) = VectorType(reader);
        Register[] d = reader.DestinationVector(type, count, wide: true);
        (Parameter parameter, long offset) = reader.ParameterAddress();
        int bytes = type.Bytes();
        if (offset < 0 || offset + count * bytes > parameter.Bytes) throw reader.Error($"the parameter has {parameter.Bytes} bytes");
        if (offset % (count * bytes) != 0) throw reader.Error($"the offset is no multiple of {count * bytes}");
        return (warp, lanes) =>
        {
            for (int i = 0; i < count; i++)
            {
                byte* at = warp.Parameters + parameter.Offset + offset + i * bytes;
                ulong value = (type, bytes) switch
                {
                    (S8, _) => (ulong)*(sbyte*)at,
                    (S16, _) => (ulong)*(short*)at,
                    (S32, _) => (ulong)*(int*)at,
                    (_, 1) => *at,
                    (_, 2) => *(ushort*)at,
                    (_, 4) => *(uint*)at,
                    _ => *(ulong*)at,
                };
                foreach (int lane in new LaneSet(lanes)) MoveInstructions.Set(warp, d[i], lane, value);
            }
        };
    }

    /// <summary>A hint, but its address must hold.</summary>
    static LaneOperation Prefetch(InstructionReader reader)
    {
        Space space = reader.Flag("global") ? Space.Global : Space.Generic;
        reader.OneOf("L1", "L2");
        Address address = reader.MemoryAddress(space);
        return (warp, lanes) =>
        {
            Addresses addresses = new(warp, space, address);
            foreach (int lane in new LaneSet(lanes)) addresses.Read(lane, 1);
        };
    }

    /// <summary>How long caches should keep it, and how much they should fetch.</summary>
    static void SkipCaching(InstructionReader reader)
    {
        reader.Maybe("L1::evict_normal", "L1::evict_unchanged", "L1::evict_first", "L1::evict_last", "L1::no_allocate");
        reader.Maybe("L2::64B", "L2::128B", "L2::256B");
    }

    static (int Count, PtxType Type) VectorType(InstructionReader reader)
    {
        int count = reader.Maybe("v2", "v4") switch { "v2" => 2, "v4" => 4, _ => 1 };
        PtxType type = reader.Type(Types);
        return count * type.Bytes() <= 16 ? (count, type) : throw reader.Error("an access has at most 16 bytes");
    }

    static int Width(InstructionReader reader, Register[] registers)
    {
        int bytes = registers[0].Type.Bytes();
        return registers.All(register => register.Type.Bytes() == bytes) ? bytes : throw reader.Error("the registers of a vector have several sizes");
    }

    static void NoteShared(InstructionReader reader, Space space, PtxType type)
    {
        if (space is Space.Shared or Space.Generic) reader.SharedAccess = type.Bytes();
    }
}
