using System.Runtime.Intrinsics;
using ClipSegNative.Tests.Kernels.Ptx.Decoding;
using ClipSegNative.Tests.Kernels.Ptx.Execution;
using static ClipSegNative.Tests.Kernels.Ptx.PtxType;

namespace ClipSegNative.Tests.Kernels.Ptx.Instructions;

/// <summary>Values that stay what they are. A move of what nothing wrote is no fault: the result counts as unwritten too.</summary>
static unsafe class MoveInstructions
{
    public static Dictionary<string, Decoder> Table { get; } = new()
    {
        ["mov"] = Move,
        ["cvta"] = ConvertAddress,
    };

    /// <summary>Copies lanes of a register, and whether they were written.</summary>
    public static void Copy<T>(Warp warp, Register d, Register a, uint lanes) where T : unmanaged
    {
        Vector256<T>* y = warp.Lanes<Vector256<T>>(d.Offset), x = warp.Lanes<Vector256<T>>(a.Offset);
        for (int i = 0; i < Warp.Size / Vector256<T>.Count; i++) y[i] = Lanes.Select(lanes, i, x[i], y[i]);
        CopyWritten(warp, d, a, lanes);
    }

    static void CopyWritten(Warp warp, Register d, Register a, uint lanes) => Lanes.Set(ref warp.Written(d.Number), lanes, warp.Written(a.Number));

    static LaneOperation Move(InstructionReader reader)
    {
        PtxType type = reader.Type(Pred, B16, U16, S16, F16, B32, U32, S32, F32, B64, U64, S64, F64);
        if (reader.NextIsVector) return Unpack(reader, type);
        if (reader.VectorFollows) return Pack(reader, type);
        (Register d, Register a) = (reader.TrackedDestination(type), reader.TrackedSource(type));
        return type.Bytes() switch
        {
            0 => (warp, lanes) =>
            {
                Lanes.Set(ref warp.Predicate(d.Offset), lanes, warp.Predicate(a.Offset));
                CopyWritten(warp, d, a, lanes);
            }
            ,
            2 => (warp, lanes) => Copy<ushort>(warp, d, a, lanes),
            4 => (warp, lanes) => Copy<uint>(warp, d, a, lanes),
            _ => (warp, lanes) => Copy<ulong>(warp, d, a, lanes),
        };
    }

    static LaneOperation Unpack(InstructionReader reader, PtxType type)
    {
        (PtxType part, int count) = Parts(reader, type);
        Register[] d = reader.DestinationVector(part, count);
        Register a = reader.Source(type);
        int bits = 8 * part.Bytes();
        return (warp, lanes) =>
        {
            foreach (int lane in new LaneSet(lanes))
            {
                ulong value = Get(warp, a, lane);
                for (int i = 0; i < count; i++) Set(warp, d[i], lane, value >> i * bits);
            }
        };
    }

    static LaneOperation Pack(InstructionReader reader, PtxType type)
    {
        Register d = reader.Destination(type);
        (PtxType part, int count) = Parts(reader, type);
        Register[] a = reader.SourceVector(part, count);
        int bits = 8 * part.Bytes();
        return (warp, lanes) =>
        {
            foreach (int lane in new LaneSet(lanes))
            {
                ulong value = 0;
                for (int i = 0; i < count; i++) value |= Get(warp, a[i], lane) << i * bits;
                Set(warp, d, lane, value);
            }
        };
    }

    static (PtxType Part, int Count) Parts(InstructionReader reader, PtxType type) => (type, reader.NextVectorLength) switch
    {
        (B32, 2) => (B16, 2),
        (B64, 2) => (B32, 2),
        (B64, 4) => (B16, 4),
        _ => throw reader.Error($"a .{type.Suffix()} does not consist of {reader.NextVectorLength}"),
    };

    public static ulong Get(Warp warp, Register register, int lane) => register.Type.Bytes() switch
    {
        2 => warp.Lanes<ushort>(register.Offset)[lane],
        4 => warp.Lanes<uint>(register.Offset)[lane],
        _ => warp.Lanes<ulong>(register.Offset)[lane],
    };

    public static void Set(Warp warp, Register register, int lane, ulong value)
    {
        switch (register.Type.Bytes())
        {
            case 2: warp.Lanes<ushort>(register.Offset)[lane] = (ushort)value; break;
            case 4: warp.Lanes<uint>(register.Offset)[lane] = (uint)value; break;
            default: warp.Lanes<ulong>(register.Offset)[lane] = value; break;
        }
    }

    /// <summary>Generic addresses of global memory are its own; shared memory has a window.</summary>
    static LaneOperation ConvertAddress(InstructionReader reader)
    {
        bool fromGeneric = reader.Flag("to");
        bool shared = reader.OneOf("global", "const", "shared") == "shared";
        reader.Type(U64);
        (Register d, Register a) = (reader.Destination(U64), reader.Source(U64));
        if (!shared) return (warp, lanes) => Copy<ulong>(warp, d, a, lanes);
        // Out of the window is no shared address: the access faults.
        return fromGeneric
            ? Lanes.Map<ulong, ulong>(d, a, address => address - GlobalAccess.SharedWindow)
            : Lanes.Map<ulong, ulong>(d, a, address => address + GlobalAccess.SharedWindow);
    }
}
