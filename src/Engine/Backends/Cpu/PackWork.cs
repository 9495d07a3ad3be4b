using System.Runtime.CompilerServices;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Writes some rows of a weight matrix [rows, inputs] into their panels; one task a panel.</summary>
readonly unsafe struct PackWork(float* weight, long pitch, int rows, int firstOutput, CpuMatrix matrix) : IParallelWork
{
    public static int FirstPanel(int firstOutput, CpuMatrix matrix) => firstOutput / matrix.PanelWidth;

    public void Run(int task, int worker)
    {
        int panel = FirstPanel(firstOutput, matrix) + task, width = matrix.PanelWidth, inputs = matrix.Inputs;
        int first = Math.Max(firstOutput, panel * width), end = Math.Min(firstOutput + rows, (panel + 1) * width);
        Pack(weight + (first - firstOutput) * pitch, pitch, end - first, inputs, matrix.Panel(panel) + first % width, width);
    }

    /// <summary>A block of 16 inputs of every output is one cache line a row: each line is read once and the panel is written in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Pack(float* weight, long pitch, int outputs, int inputs, float* panel, int width)
    {
        const int Block = 16;
        for (int start = 0; start < inputs; start += Block)
        {
            int count = Math.Min(Block, inputs - start);
            for (int output = 0; output < outputs; output++)
            {
                float* from = weight + output * pitch + start, to = panel + (long)start * width + output;
                for (int i = 0; i < count; i++) to[i * width] = from[i];
            }
        }
    }
}

/// <summary>Writes rows of the transpose of a matrix into some columns of the packed one: in a panel, they are its rows; one task a panel.</summary>
readonly unsafe struct PackTransposedWork(float* weight, long pitch, int rows, int firstInput, CpuMatrix matrix) : IParallelWork
{
    public void Run(int task, int worker)
    {
        int width = matrix.PanelWidth, first = task * width, count = Math.Min(width, matrix.Outputs - first);
        float* from = weight + first, to = matrix.Panel(task) + (long)firstInput * width;
        for (int row = 0; row < rows; row++, from += pitch, to += width) new ReadOnlySpan<float>(from, count).CopyTo(new Span<float>(to, count));
    }
}
