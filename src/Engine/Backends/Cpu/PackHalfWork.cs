using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Writes some rows of a weight matrix [rows, inputs] into their panels as F16; one task a panel.</summary>
readonly unsafe struct PackHalfWork(float* weight, long pitch, int rows, int firstOutput, CpuMatrix matrix) : IParallelWork
{
    /// <summary>One cache line of a row.</summary>
    const int Block = 16;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int task, int worker)
    {
        int panel = PackWork.FirstPanel(firstOutput, matrix) + task, width = matrix.PanelWidth, inputs = matrix.Inputs;
        int first = Math.Max(firstOutput, panel * width), end = Math.Min(firstOutput + rows, (panel + 1) * width);
        Half* to = matrix.Panel<Half>(panel);
        Span<Half> halves = stackalloc Half[Block];
        for (int start = 0; start < inputs; start += Block)
            for (int output = first; output < end; output++)
            {
                var values = new ReadOnlySpan<float>(weight + (output - firstOutput) * pitch + start, Math.Min(Block, inputs - start));
                TensorPrimitives.ConvertToHalf(values, halves);
                for (int i = 0; i < values.Length; i++)
                {
                    to[(start + i) * (long)width + output % width] = halves[i];
                    if (!Half.IsFinite(halves[i])) matrix.Overflowed = true;
                }
            }
    }
}
