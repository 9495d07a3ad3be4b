using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Row-wise operations: norms, element-wise functions, moving rows.</summary>
sealed unsafe partial class CpuBackend<TSet, TVector>
{
    /// <summary>What a float read and written costs beside a multiply-add.</summary>
    const int MoveCost = 8;

    public void Add(Tensor x, Tensor r, Tensor y) => Elementwise(x, r, r.Rows, Activation.None, y);

    public void Activate(Tensor x, Activation activation, Tensor y) => Elementwise(x, default, 0, activation, y);

    public void LayerNorm(Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor y) =>
        Run(RowTasks.Count(x.Rows), MoveCost * x.Shape.Elements,
            new LayerNormWork<TSet, TVector>(View(x), Pointer(gamma), Pointer(beta), epsilon, View(y), x.Rows, x.Columns));

    public void Film(Tensor x, Tensor scale, Tensor shift, Tensor y) =>
        Run(RowTasks.Count(y.Rows), MoveCost * y.Shape.Elements,
            new FilmWork<TSet, TVector>(View(x), x.Rows, View(scale), View(shift), View(y), y.Rows, y.Shape[1], y.Columns));

    public void Fill(float value, Tensor y)
    {
        for (int row = 0; row < y.Rows; row++) new Span<float>(View(y)[row], y.Columns).Fill(value);
    }

    public void Copy(Tensor x, Tensor y) => CopyRows(View(x), y);

    void CopyRows(Rows from, Tensor y) =>
        Run(RowTasks.Count(y.Rows), MoveCost * y.Shape.Elements, new CopyWork(from, View(y), y.Rows, y.Columns));

    public void GatherRows(Tensor table, Tensor indices, Tensor y)
    {
        ReadOnlySpan<int> wanted = CheckedIndices(indices, table);
        for (int row = 0; row < y.Rows; row++) CopyWork.Row(View(table)[wanted[row]], View(y)[row], y.Columns);
    }

    public void PrependClassToken(Tensor tokens, Tensor classToken, Tensor positions, Tensor y)
    {
        int batch = y.Shape[0], count = y.Shape[1];
        for (int entry = 0; entry < batch; entry++)
        {
            Add(classToken.Reshape(1, y.Columns), positions.RowRange(0, 1), y.RowRange(entry * count, 1));
            Add(tokens.RowRange(entry * (count - 1), count - 1), positions.RowRange(1, count - 1), y.RowRange(entry * count + 1, count - 1));
        }
    }

    public void SliceTokens(Tensor x, int first, Tensor y)
    {
        int from = x.Shape[1], count = y.Shape[1];
        for (int entry = 0; entry < y.Shape[0]; entry++)
            Copy(x.RowRange(entry * from + first, count), y.RowRange(entry * count, count));
    }

    void Elementwise(Tensor x, Tensor r, int repeat, Activation activation, Tensor y) =>
        Run(RowTasks.Count(x.Rows), MoveCost * x.Shape.Elements,
            new ElementwiseWork<TSet, TVector>(View(x), View(r), repeat, activation, View(y), x.Rows, x.Columns));

    static ReadOnlySpan<int> CheckedIndices(Tensor indices, Tensor table)
    {
        var wanted = new ReadOnlySpan<int>(Pointer(indices), (int)indices.Shape.Elements);
        foreach (int index in wanted)
            if ((uint)index >= (uint)table.Rows) throw new ArgumentOutOfRangeException(nameof(indices), $"Index {index} is outside the table {table}.");
        return wanted;
    }
}
