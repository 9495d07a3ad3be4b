using System.Runtime.Intrinsics;
using ClipSegNative.Tests.Kernels.Ptx.Decoding;
using ClipSegNative.Tests.Kernels.Ptx.Execution;
using ClipSegNative.Tests.Kernels.Ptx.Syntax;
using static ClipSegNative.Tests.Kernels.Ptx.PtxType;

namespace ClipSegNative.Tests.Kernels.Ptx.Instructions;

/// <summary>Products of small matrices whose elements lie in the registers of a warp's lanes, and loads of such.</summary>
static unsafe class MatrixInstructions
{
    /// <summary>Of the result and of both factors' other side.</summary>
    const int Rows = 16, Columns = 8;

    public static Dictionary<string, Decoder> Table { get; } = new()
    {
        ["ldmatrix"] = LoadMatrix,
        ["mma"] = MultiplyAccumulate,
    };

    /// <summary>Matrices of 8 x 8 16-bit elements. Lane 8m + r has the address of row r of matrix m; lane 4r + c/2 gets its columns c and c + 1.</summary>
    static LaneOperation LoadMatrix(InstructionReader reader)
    {
        reader.Expect("sync", "aligned", "m8n8");
        int count = reader.OneOf("x1", "x2", "x4") switch { "x1" => 1, "x2" => 2, _ => 4 };
        bool transposed = reader.Flag("trans");
        Space space = reader.Flag("shared") ? Space.Shared : Space.Generic;
        reader.Type(B16);
        Register[] d = reader.DestinationVector(B32, count);
        Address address = reader.MemoryAddress(space);
        reader.SharedAccess = 16;
        reader.Flow = Flow.Gather;
        return (warp, lanes) =>
        {
            Addresses addresses = new(warp, space, address);
            // The addresses may lie where the results go.
            ushort** rows = stackalloc ushort*[8 * count];
            for (int row = 0; row < 8 * count; row++) rows[row] = (ushort*)addresses.Read(row, 16);
            for (int row = 0; row < 8 * count; row++)
            {
                ushort* to = warp.Lanes<ushort>(d[row / 8].Offset);
                for (int column = 0; column < 8; column++)
                {
                    (int r, int c) = transposed ? (column, row % 8) : (row % 8, column);
                    to[8 * r + c] = rows[row][column];
                }
            }
        };
    }

    /// <summary>D = A · B + C with A [16, depth], B [depth, 8], summed in single precision.</summary>
    static LaneOperation MultiplyAccumulate(InstructionReader reader)
    {
        reader.Expect("sync", "aligned");
        int depth = reader.OneOf("m16n8k8", "m16n8k16") == "m16n8k8" ? 8 : 16;
        reader.Expect("row", "col");
        reader.Type(F32);
        PtxType type = depth == 8 ? reader.Type(F16, Bf16, Tf32) : reader.Type(F16, Bf16);
        reader.Type(type);
        reader.Type(F32);
        // A register of a lane holds two elements of 16 bits along the depth, or one of 32.
        int registers = type == Tf32 ? depth / 4 : depth / 8;
        Register[] d = reader.DestinationVector(F32, 4);
        Register[] a = reader.SourceVector(B32, 2 * registers), b = reader.SourceVector(B32, registers), c = reader.SourceVector(F32, 4);
        reader.Flow = Flow.Gather;
        Action<uint, nint> unpack = type switch
        {
            Bf16 => (pair, to) => Put(to, BitConverter.UInt32BitsToSingle(pair << 16), BitConverter.UInt32BitsToSingle(pair & 0xffff0000)),
            F16 => (pair, to) => Put(to, (float)BitConverter.UInt16BitsToHalf((ushort)pair), (float)BitConverter.UInt16BitsToHalf((ushort)(pair >> 16))),
            _ => (bits, to) => *(float*)to = BitConverter.UInt32BitsToSingle(bits & 0xffffe000),
        };
        int perRegister = type == Tf32 ? 1 : 2;
        return (warp, lanes) =>
        {
            float* left = stackalloc float[Rows * 16], right = stackalloc float[Columns * 16], product = stackalloc float[Rows * Columns];
            for (int lane = 0; lane < Warp.Size; lane++)
            {
                (int group, int within) = (lane / 4, lane % 4);
                for (int i = 0; i < 2 * registers; i++)
                    unpack(warp.Lanes<uint>(a[i].Offset)[lane], (nint)(left + (group + 8 * (i % 2)) * depth + perRegister * (within + 4 * (i / 2))));
                for (int i = 0; i < registers; i++)
                    unpack(warp.Lanes<uint>(b[i].Offset)[lane], (nint)(right + group * depth + perRegister * (within + 4 * i)));
            }
            Multiply(left, right, depth, product);
            for (int lane = 0; lane < Warp.Size; lane++)
                for (int i = 0; i < 4; i++)
                    warp.Lanes<float>(d[i].Offset)[lane] = warp.Lanes<float>(c[i].Offset)[lane] + product[(lane / 4 + 8 * (i / 2)) * Columns + 2 * (lane % 4) + i % 2];
        };
    }

    static void Put(nint to, float first, float second)
    {
        ((float*)to)[0] = first;
        ((float*)to)[1] = second;
    }

    /// <summary>product[r, c] = left[r] · right[c].</summary>
    static void Multiply(float* left, float* right, int depth, float* product)
    {
        for (int row = 0; row < Rows; row++)
        {
            for (int column = 0; column < Columns; column++)
            {
                Vector256<float> sum = Vector256.Load(left + row * depth) * Vector256.Load(right + column * depth);
                if (depth == 16) sum += Vector256.Load(left + row * depth + 8) * Vector256.Load(right + column * depth + 8);
                product[row * Columns + column] = Vector256.Sum(sum);
            }
        }
    }
}
