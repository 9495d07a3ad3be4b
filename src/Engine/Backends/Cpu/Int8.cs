using System.Runtime.CompilerServices;

namespace ClipSegNative.Backends.Cpu;

/// <summary>
/// Bytes that stand for floats: value = scale · byte, the scale such that the largest size becomes <see cref="Most"/>. A token of x has one, and so have the
/// weights of one output (Dettmers et al. 2022, section 2.1.1: vector-wise quantisation).
/// </summary>
static class Int8
{
    public const int Most = 127;

    /// <summary>What unsigned weights have been raised by.</summary>
    public const int Raised = 128;

    /// <summary>Sums of products of so many bytes, one of them raised, fit an int32.</summary>
    public const int MostInputs = int.MaxValue / (byte.MaxValue * Most);

    /// <summary>Rows of nothing larger are taken for zero, as 127 over that need not be finite.</summary>
    const float Nothing = 1e-30f;

    /// <summary>What to multiply with to get bytes.</summary>
    public static float Inverse(float largest) => largest > Nothing ? Most / largest : 0;

    /// <summary>What to multiply bytes with; NaN stays NaN.</summary>
    public static float Scale(float largest) => largest > Nothing ? largest / Most : largest * 0;
}

/// <summary>
/// Writes some rows of a weight matrix [rows, inputs] into their panels as bytes, and their scales behind these; one task a panel.
/// Quads are raised by 128: of the operands of vpdpbusd one is unsigned, and it is the one that is not broadcast from memory.
/// </summary>
readonly unsafe struct PackInt8Work(float* weight, long pitch, int rows, int firstOutput, CpuMatrix matrix) : IParallelWork
{
    /// <summary>One cache line of a row.</summary>
    const int Block = 16;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int task, int worker)
    {
        int panel = PackWork.FirstPanel(firstOutput, matrix) + task, width = matrix.PanelWidth, inputs = matrix.Inputs, group = matrix.Group;
        int first = Math.Max(firstOutput, panel * width), end = Math.Min(firstOutput + rows, (panel + 1) * width);
        int raised = matrix.Format == WeightFormat.Int8Quads ? Int8.Raised : 0;
        float* inverses = stackalloc float[width];
        for (int output = first; output < end; output++)
        {
            float largest = 0;
            foreach (float value in new ReadOnlySpan<float>(weight + (output - firstOutput) * pitch, inputs)) largest = MathF.Max(largest, MathF.Abs(value));
            inverses[output % width] = Int8.Inverse(largest);
            matrix.Scales[output] = Int8.Scale(largest);
        }
        byte* to = matrix.Panel<byte>(panel);
        for (int start = 0; start < inputs; start += Block)
            for (int output = first; output < end; output++)
            {
                float* from = weight + (output - firstOutput) * pitch;
                float inverse = inverses[output % width];
                for (int i = start; i < Math.Min(inputs, start + Block); i++)
                    to[(i / group * (long)width + output % width) * group + i % group] = (byte)((int)MathF.Round(from[i] * inverse) + raised);
            }
    }
}

/// <summary>Where the bytes of x lie, and what they stand for.</summary>
/// <param name="values">sbyte beside quads of weights, short beside pairs; zeros to a whole group.</param>
/// <param name="pitch">Bytes from row to row.</param>
/// <param name="scales">One a row.</param>
/// <param name="raises">One a row: what raised weights add to its products.</param>
readonly unsafe struct Int8Rows(byte* values, long pitch, float* scales, int* raises)
{
    public byte* this[long row] => values + row * pitch;

    public long Pitch => pitch;

    public float* Scales => scales;

    public int* Raises => raises;
}

/// <summary>Rows of x as bytes; 16 rows a task. A value that is not finite makes the scale of its row, and so all that is computed from it, NaN.</summary>
readonly unsafe struct QuantiseRowsWork<TSet, TVector>(Rows x, int rows, int columns, CpuMatrix weight, Int8Rows bytes) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    public void Run(int task, int worker)
    {
        int end = Math.Min(rows, (task + 1) * RowTasks.Rows);
        for (int row = task * RowTasks.Rows; row < end; row++)
        {
            float largest = Largest(x[row], columns, out float poison), inverse = Int8.Inverse(largest);
            bytes.Scales[row] = Int8.Scale(largest) + poison;
            if (weight.Format == WeightFormat.Int8Quads) bytes.Raises[row] = Int8.Raised * Quads(x[row], inverse, (sbyte*)bytes[row]);
            else
            {
                bytes.Raises[row] = 0;
                Pairs(x[row], inverse, (short*)bytes[row]);
            }
        }
    }

    /// <param name="from">The values.</param>
    /// <param name="count">How many.</param>
    /// <param name="poison">0, or NaN where one is not finite.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static float Largest(float* from, int count, out float poison)
    {
        TVector most = default, zero = default;
        int i = 0;
        for (; i <= count - TSet.Width; i += TSet.Width)
        {
            TVector value = TSet.Load(from + i);
            most = TSet.Max(most, TSet.Absolute(value));
            zero = TSet.MultiplyAdd(value, default, zero);
        }
        float largest = TSet.MaxAcross(most);
        poison = TSet.Sum(zero);
        for (; i < count; i++)
        {
            largest = MathF.Max(largest, MathF.Abs(from[i]));
            poison += from[i] * 0;
        }
        return largest;
    }

    /// <returns>The sum of the bytes.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    int Quads(float* from, float inverse, sbyte* to)
    {
        TVector factor = TSet.Broadcast(inverse), sums = default;
        int i = 0;
        for (; i <= columns - TSet.Width; i += TSet.Width)
        {
            TVector value = TSet.Round(TSet.Multiply(TSet.Load(from + i), factor));
            sums = TSet.Add(sums, value);   // exact: whole numbers below 2^24
            TSet.StoreInt8(value, to + i);
        }
        int sum = (int)TSet.Sum(sums);
        for (; i < weight.Depth; i++)
        {
            to[i] = i < columns ? (sbyte)MathF.Round(from[i] * inverse) : (sbyte)0;
            sum += to[i];
        }
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Pairs(float* from, float inverse, short* to)
    {
        TVector factor = TSet.Broadcast(inverse);
        int i = 0;
        for (; i <= columns - TSet.Width; i += TSet.Width) TSet.StoreInt16(TSet.Round(TSet.Multiply(TSet.Load(from + i), factor)), to + i);
        for (; i < weight.Depth; i++) to[i] = i < columns ? (short)MathF.Round(from[i] * inverse) : (short)0;
    }
}
