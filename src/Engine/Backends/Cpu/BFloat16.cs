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
readonly unsafe struct PackBf16Work<TSet, TVector>(float* weight, long pitch, int rows, int firstOutput, CpuMatrix matrix) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    [SkipLocalsInit]
    public void Run(int task, int worker)
    {
        var piece = new PanelPiece(task, rows, firstOutput, matrix);
        int width = matrix.PanelWidth, block = PanelPiece.ScratchBytes / sizeof(ushort) / width;   // a power of two: whole pairs
        ushort* rounded = stackalloc ushort[block * width];
        float* to = matrix.Panel(piece.Panel) + piece.Place;
        for (int start = 0; start < matrix.Inputs; start += block)
        {
            int count = Math.Min(block, matrix.Inputs - start);
            for (int row = 0; row < piece.Rows; row++)
                RoundRowsWork<TSet, TVector>.Narrow(weight + (piece.FirstRow + row) * pitch + start, count, rounded + row * block);
            WordTranspose.Run((float*)rounded, block / 2, piece.Rows, (count + 1) / 2, to + (long)start / 2 * width, width);
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
            if (wide is null) Narrow(x[row], columns, rounded + row * pitch);
            else Widen(x[row], wide + row * pitch);
        }
    }

    /// <summary>One row, with a zero to a whole pair.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Narrow(float* from, int columns, ushort* to)
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
