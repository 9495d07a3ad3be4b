using ClipSegNative.Backends.Cuda;
using ClipSegNative.Tests.Kernels.Ptx.Execution;

namespace ClipSegNative.Tests.Kernels.Emulation;

/// <summary>A product as its definition has it, its operands rounded as asked, summed in double precision.</summary>
static class EmulatedProduct
{
    public static void Run(InterpretedDevice device, in MatrixProduct product)
    {
        int rows = product.Rows, columns = product.Columns, depth = product.Depth;
        Check(product);
        float[] left = Read(device, product.Left, product.TransposeLeft ? depth : rows, product.TransposeLeft ? rows : depth);
        float[] right = Read(device, product.Right, product.TransposeRight ? columns : depth, product.TransposeRight ? depth : columns);
        float[] bias = product.Bias == 0 ? new float[columns] : Read(device, new DeviceMatrix(product.Bias, columns), 1, columns);
        float[] result = product.Addend.Address == 0 ? new float[rows * columns] : Read(device, product.Addend, rows, columns);
        Round(left, product.Precision);
        Round(right, product.Precision);
        if (product.TransposeLeft) left = Transpose(left, depth, rows);
        if (!product.TransposeRight) right = Transpose(right, depth, columns);
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> x = left.AsSpan(row * depth, depth);
            for (int column = 0; column < columns; column++)
            {
                ReadOnlySpan<float> w = right.AsSpan(column * depth, depth);
                double sum = (double)bias[column] + result[row * columns + column];
                for (int i = 0; i < x.Length; i++) sum += (double)x[i] * w[i];
                result[row * columns + column] = (float)sum;
            }
            device.Write<float>(product.Result.Address + (ulong)row * (ulong)product.Result.Pitch * sizeof(float), result.AsSpan(row * columns, columns));
        }
    }

    /// <summary>What cuBLASLt asks for: rows that do not overlap, single floats at their own addresses, a result that is no operand but perhaps, in the same layout, the addend.</summary>
    static void Check(in MatrixProduct product)
    {
        DeviceMatrix left = product.Left, right = product.Right, addend = product.Addend, result = product.Result;
        bool rowsFit = left.Pitch >= (product.TransposeLeft ? product.Rows : product.Depth) && right.Pitch >= (product.TransposeRight ? product.Depth : product.Columns)
            && result.Pitch >= product.Columns && (addend.Address == 0 || addend.Pitch >= product.Columns);
        bool whole = (left.Address | right.Address | addend.Address | result.Address | product.Bias) % sizeof(float) == 0;
        bool apart = result.Address != left.Address && result.Address != right.Address && (result.Address != addend.Address || result.Pitch == addend.Pitch);
        if (!rowsFit || !whole || !apart) throw new LaunchException($"cuBLASLt would refuse {product}.");
    }

    public static float[] Read(InterpretedDevice device, DeviceMatrix matrix, int rows, int columns)
    {
        var values = new float[rows * columns];
        for (int row = 0; row < rows; row++)
            device.Read(matrix.Address + (ulong)row * (ulong)matrix.Pitch * sizeof(float), values.AsSpan(row * columns, columns));
        return values;
    }

    public static void Round(float[] values, CudaPrecision precision)
    {
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = precision switch
            {
                CudaPrecision.TensorFloat32 => Mantissa(values[i], bits: 10),
                CudaPrecision.BFloat16 => Mantissa(values[i], bits: 7),
                CudaPrecision.Float16 => (float)(Half)values[i],
                _ => values[i],
            };
        }
    }

    /// <summary>To the nearest, ties to even.</summary>
    static float Mantissa(float value, int bits)
    {
        int dropped = 23 - bits;
        uint word = BitConverter.SingleToUInt32Bits(value), half = (1u << (dropped - 1)) - 1 + ((word >> dropped) & 1);
        return BitConverter.UInt32BitsToSingle((word + half) >> dropped << dropped);
    }

    static float[] Transpose(float[] values, int rows, int columns)
    {
        var result = new float[values.Length];
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column];
        return result;
    }
}
