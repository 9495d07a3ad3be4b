using System.Runtime.CompilerServices;

namespace ClipSegNative.Backends.Cpu;

/// <summary>bfloat16: the upper half of a float32.</summary>
static class BFloat16
{
    /// <summary>To nearest, ties to even; NaN stays NaN, also where its upper half is that of infinity.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort FromSingle(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((float.IsNaN(value) ? bits | 0x400000 : bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToSingle(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);
}

/// <summary>Writes some rows of a weight matrix [rows, inputs] into their panels, rounded to bfloat16; one task a panel.</summary>
readonly unsafe struct PackBf16Work(float* weight, long pitch, int rows, int firstOutput, CpuMatrix matrix) : IParallelWork
{
    /// <summary>One cache line of a row.</summary>
    const int Block = 16;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int task, int worker)
    {
        int panel = PackWork.FirstPanel(firstOutput, matrix) + task, width = matrix.PanelWidth, inputs = matrix.Inputs;
        int first = Math.Max(firstOutput, panel * width), end = Math.Min(firstOutput + rows, (panel + 1) * width);
        ushort* to = matrix.Panel<ushort>(panel);
        for (int start = 0; start < inputs; start += Block)
            for (int output = first; output < end; output++)
            {
                float* from = weight + (output - firstOutput) * pitch;
                for (int i = start; i < Math.Min(inputs, start + Block); i++)
                    to[(i / 2 * (long)width + output % width) * 2 + i % 2] = BFloat16.FromSingle(from[i]);
            }
    }
}

/// <summary>Rows of x rounded to bfloat16, with zeros to a whole pair; 16 rows a task.</summary>
/// <param name="x">The rows.</param>
/// <param name="rows">How many.</param>
/// <param name="columns">Values in each.</param>
/// <param name="rounded">Gets them as bfloat16.</param>
/// <param name="wide">Gets them as float32 instead, where that is not null.</param>
/// <param name="pitch">From row to row of either.</param>
readonly unsafe struct RoundRowsWork<TSet, TVector>(Rows x, int rows, int columns, ushort* rounded, float* wide, long pitch) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    public void Run(int task, int worker)
    {
        int end = Math.Min(rows, (task + 1) * RowTasks.Rows);
        for (int row = task * RowTasks.Rows; row < end; row++)
        {
            if (wide is null) Narrow(x[row], rounded + row * pitch);
            else Widen(x[row], wide + row * pitch);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Narrow(float* from, ushort* to)
    {
        int i = 0;
        for (; i <= columns - TSet.Width; i += TSet.Width) TSet.StoreBf16(TSet.RoundBf16(TSet.Load(from + i)), to + i);
        for (; i < columns; i++) to[i] = BFloat16.FromSingle(from[i]);
        if (columns % 2 != 0) to[columns] = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Widen(float* from, float* to)
    {
        int i = 0;
        for (; i <= columns - TSet.Width; i += TSet.Width) TSet.Store(TSet.RoundBf16(TSet.Load(from + i)), to + i);
        for (; i < columns; i++) to[i] = BFloat16.ToSingle(BFloat16.FromSingle(from[i]));
    }
}
