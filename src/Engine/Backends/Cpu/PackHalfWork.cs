using System.Runtime.CompilerServices;
using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Writes some rows of a weight matrix [rows, inputs] into their panels as F16; one task a panel.</summary>
readonly unsafe struct PackHalfWork(float* weight, long pitch, int rows, int firstOutput, CpuMatrix matrix) : IParallelWork
{
    [SkipLocalsInit]
    public void Run(int task, int worker)
    {
        var piece = new PanelPiece(task, rows, firstOutput, matrix);
        int width = matrix.PanelWidth, block = PanelPiece.ScratchBytes / sizeof(float) / width;
        Half* to = matrix.Panel<Half>(piece.Panel) + piece.Place;
        float* from = weight + piece.FirstRow * pitch, columns = stackalloc float[block * width];
        for (int start = 0; start < matrix.Inputs; start += block)
        {
            int count = Math.Min(block, matrix.Inputs - start);
            WordTranspose.Run(from + start, pitch, piece.Rows, count, columns, piece.Rows);
            int pieces = piece.Rows == width ? 1 : count, length = count * piece.Rows / pieces;
            for (int i = 0; i < pieces; i++)
                if (!HalfFormat.TryNarrow(columns + i * length, length, to + (long)(start + i) * width)) matrix.Overflowed = true;
        }
    }
}
