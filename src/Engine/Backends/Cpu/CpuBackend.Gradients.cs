using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Gradients of row-wise operations and of those that move rows or resample maps.</summary>
sealed unsafe partial class CpuBackend<TSet, TVector>
{
    /// <summary>Columns from which on rows are summed as they are; narrower ones that are adjacent are read several at once.</summary>
    const int WideColumns = 256;

    public void AddBackward(Tensor dy, Tensor dr)
    {
        int repeats = dy.Rows / dr.Rows;
        for (int row = 0; row < dr.Rows; row++) AddColumnSums(View(dy)[row], dr.Rows * dy.Pitch, repeats, dr.Columns, View(dr)[row]);
    }

    public void ActivateBackward(Tensor x, Tensor dy, Activation activation, Tensor dx) =>
        Run(RowTasks.Count(x.Rows), MoveCost * x.Shape.Elements,
            new ActivateBackwardWork<TSet, TVector>(View(x), View(dy), activation, View(dx), x.Rows, x.Columns));

    public void LayerNormBackward(Tensor x, Tensor dy, Tensor gamma, float epsilon, Tensor dx, Tensor dGamma, Tensor dBeta)
    {
        int tasks = SumTasks.Count(x.Rows), width = 2 * x.Columns;
        var partial = new Rows(Scratch((long)tasks * width, out _), width);
        Run(tasks, MoveCost * x.Shape.Elements,
            new LayerNormBackwardWork<TSet, TVector>(View(x), View(dy), Pointer(gamma), epsilon, View(dx), x.Rows, x.Columns, partial));
        float* sums = AddUp(partial, tasks, width);
        if (!dGamma.IsAbsent) VectorMath<TSet, TVector>.AddTo(sums, Pointer(dGamma), x.Columns);
        if (!dBeta.IsAbsent) VectorMath<TSet, TVector>.AddTo(sums + x.Columns, Pointer(dBeta), x.Columns);
    }

    public void FilmBackward(Tensor x, Tensor scale, Tensor dy, Tensor dx, Tensor dScale, Tensor dShift)
    {
        int tokens = dy.Shape[1];
        Run(dy.Shape[0], MoveCost * dy.Shape.Elements,
            new FilmParametersBackwardWork<TSet, TVector>(View(x), x.Rows, View(dy), View(dScale), View(dShift), tokens, dy.Columns));
        if (dx.IsAbsent) return;
        Run(RowTasks.Count(dx.Rows), MoveCost * dy.Shape.Elements,
            new FilmInputBackwardWork<TSet, TVector>(View(scale), View(dy), dy.Rows, View(dx), dx.Rows, tokens, dx.Columns));
    }

    public void GatherRowsBackward(Tensor dy, Tensor indices, Tensor dTable)
    {
        CheckedIndices(indices, dTable);
        Run(GatherRowsBackwardWork<TSet, TVector>.Tasks(dy.Columns), MoveCost * dy.Shape.Elements,
            new GatherRowsBackwardWork<TSet, TVector>(View(dy), (int*)Pointer(indices), View(dTable), dy.Rows, dy.Columns));
    }

    public void PrependClassTokenBackward(Tensor dy, Tensor dTokens, Tensor dClassToken, Tensor dPositions)
    {
        int batch = dy.Shape[0], count = dy.Shape[1];
        SliceTokens(dy, 1, dTokens);
        if (!dClassToken.IsAbsent) AddColumnSums(Pointer(dy), count * dy.Pitch, batch, dy.Columns, Pointer(dClassToken));
        if (!dPositions.IsAbsent) AddBackward(dy, dPositions);
    }

    public void SliceTokensBackward(Tensor dy, int first, Tensor dx)
    {
        int tokens = dx.Shape[1], count = dy.Shape[1];
        Fill(0, dx);
        for (int entry = 0; entry < dy.Shape[0]; entry++)
            Copy(dy.RowRange(entry * count, count), dx.RowRange(entry * tokens + first, count));
    }

    public void FoldBackward(Tensor dy, int kernel, int stride, int padding, Tensor dColumns)
    {
        var shape = new FoldShape(dColumns.Shape[1], dColumns.Shape[2], dy.Columns, kernel, stride, padding);
        Run(dColumns.Shape[0] * shape.Height, MoveCost * dColumns.Shape.Elements, new FoldBackwardWork(Pointer(dy), shape, View(dColumns)));
    }

    public void ResizeBackward(Tensor dy, ResizeMode mode, Tensor dx)
    {
        int height = dx.Shape[1], width = dx.Shape[2], outHeight = dy.Shape[1], outWidth = dy.Shape[2], channels = dx.Columns;
        float* scratch = Scratch((long)outWidth * channels, out long perWorker);
        Run(dx.Shape[0] * height, MoveCost * dy.Shape.Elements,
            new ResizeBackwardWork<TSet, TVector>(Pointer(dy), outHeight, outWidth, Taps(mode, height, outHeight), Taps(mode, width, outWidth),
                Pointer(dx), height, width, channels, scratch, perWorker));
    }

    /// <summary>sums[c] += Σ x[row, c] over rows that start <paramref name="pitch"/> apart.</summary>
    void AddColumnSums(float* x, long pitch, int rows, int columns, float* sums)
    {
        int together = pitch == columns ? Math.Max(1, WideColumns / columns) : 1, wideRows = rows / together, width = together * columns;
        int tasks = SumTasks.Count(wideRows);
        var partial = new Rows(Scratch((long)Math.Max(1, tasks) * width, out _), width);
        Run(tasks, MoveCost * (long)wideRows * width, new ColumnSumWork<TSet, TVector>(new Rows(x, pitch * together), wideRows, width, partial));
        float* wide = AddUp(partial, tasks, width);
        for (int c = 0; c < columns; c++)
        {
            double total = 0;
            for (int i = c; tasks > 0 && i < width; i += columns) total += wide[i];
            for (int row = wideRows * together; row < rows; row++) total += x[row * pitch + c];
            sums[c] += (float)total;
        }
    }

    /// <summary>Adds rows of partial sums up in their order, into the first.</summary>
    static float* AddUp(Rows partial, int count, int width)
    {
        for (int row = 1; row < count; row++) VectorMath<TSet, TVector>.AddTo(partial[row], partial[0], width);
        return partial[0];
    }
}
