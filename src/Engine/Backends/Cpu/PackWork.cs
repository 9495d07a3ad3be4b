namespace ClipSegNative.Backends.Cpu;

/// <summary>Writes some rows of a weight matrix [rows, inputs] into their panels; one task a panel.</summary>
readonly unsafe struct PackWork(float* weight, long pitch, int rows, int firstOutput, CpuMatrix matrix) : IParallelWork
{
    public void Run(int task, int worker)
    {
        var piece = new PanelPiece(task, rows, firstOutput, matrix);
        WordTranspose.Run(weight + piece.FirstRow * pitch, pitch, piece.Rows, matrix.Inputs, matrix.Panel(piece.Panel) + piece.Place, matrix.PanelWidth);
    }
}

/// <summary>What a packing task does: which rows of the weight go into which panel.</summary>
/// <param name="Panel">The panel.</param>
/// <param name="Place">Of the first row in the panel.</param>
/// <param name="FirstRow">Of the weight.</param>
/// <param name="Rows">How many.</param>
readonly record struct PanelPiece(int Panel, int Place, int FirstRow, int Rows)
{
    /// <summary>Bytes of scratch in which rows are brought to their format: half of a first-level cache.</summary>
    public const int ScratchBytes = 1 << 14;

    public PanelPiece(int task, int rows, int firstOutput, CpuMatrix matrix) : this(First(firstOutput, matrix) + task, 0, 0, 0)
    {
        int first = Math.Max(firstOutput, Panel * matrix.PanelWidth), end = Math.Min(firstOutput + rows, (Panel + 1) * matrix.PanelWidth);
        (Place, FirstRow, Rows) = (first % matrix.PanelWidth, first - firstOutput, end - first);
    }

    /// <summary>How many tasks it takes to pack so many rows.</summary>
    public static int Count(int rows, int firstOutput, CpuMatrix matrix) => First(firstOutput + rows - 1, matrix) - First(firstOutput, matrix) + 1;

    static int First(int output, CpuMatrix matrix) => output / matrix.PanelWidth;
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
