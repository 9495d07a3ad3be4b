using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cuda;

/// <summary>Element-wise operations and those that move rows: src/Kernels/rows.cu.</summary>
sealed partial class CudaBackend
{
    static readonly ElementKernel FillRows = new("rows_fill"), CopyRows = new("rows_copy"), AddRows = new("rows_add"), ActivateRows = new("rows_activate"),
        ActivateRowsBackward = new("rows_activate_backward"), FilmRows = new("rows_film"), GatherTableRows = new("rows_gather"), SliceRows = new("rows_slice"),
        PrependRows = new("rows_prepend");

    public void Fill(float value, Tensor y)
    {
        ElementLoop loop = Loop(y.Shape, sameRows: true, y);
        Launch(FillRows, loop, At(y), loop.Pitch(y), loop.Columns, loop.Count, value);
    }

    public void Copy(Tensor x, Tensor y)
    {
        ElementLoop loop = Loop(y.Shape, sameRows: true, x, y);
        Launch(CopyRows, loop, At(x), loop.Pitch(x), At(y), loop.Pitch(y), loop.Columns, loop.Count);
    }

    public void Add(Tensor x, Tensor r, Tensor y)
    {
        ElementLoop loop = Loop(y.Shape, sameRows: r.Rows == x.Rows, x, r, y);
        Launch(AddRows, loop, At(x), loop.Pitch(x), At(r), loop.Pitch(r), loop.Rows(r), At(y), loop.Pitch(y), loop.Columns, loop.Count);
    }

    public void Activate(Tensor x, Activation activation, Tensor y)
    {
        ElementLoop loop = Loop(y.Shape, sameRows: true, x, y);
        Launch(ActivateRows, loop, At(x), loop.Pitch(x), At(y), loop.Pitch(y), loop.Columns, loop.Count, (int)activation);
    }

    public void ActivateBackward(Tensor x, Tensor dy, Activation activation, Tensor dx)
    {
        ElementLoop loop = Loop(dx.Shape, sameRows: true, x, dy, dx);
        Launch(ActivateRowsBackward, loop, At(x), loop.Pitch(x), At(dy), loop.Pitch(dy), At(dx), loop.Pitch(dx), loop.Columns, loop.Count, (int)activation);
    }

    public void Film(Tensor x, Tensor scale, Tensor shift, Tensor y)
    {
        ElementLoop loop = Loop(y.Shape, sameRows: false, x, scale, shift, y);
        Launch(FilmRows, loop, At(x), loop.Pitch(x), x.Rows, At(scale), loop.Pitch(scale), At(shift), loop.Pitch(shift), At(y), loop.Pitch(y), y.Shape[1], loop.Columns, loop.Count);
    }

    public void GatherRows(Tensor table, Tensor indices, Tensor y)
    {
        ElementLoop loop = Loop(y.Shape, sameRows: false, table, y);
        Launch(GatherTableRows, loop, At(table), loop.Pitch(table), At(indices), At(y), loop.Pitch(y), loop.Columns, loop.Count);
    }

    public void SliceTokens(Tensor x, int first, Tensor y) => Slice(x, first, y);

    /// <summary>Token t of dx is token t - first of dy.</summary>
    public void SliceTokensBackward(Tensor dy, int first, Tensor dx) => Slice(dy, -first, dx);

    public void PrependClassToken(Tensor tokens, Tensor classToken, Tensor positions, Tensor y)
    {
        ElementLoop loop = Loop(y.Shape, sameRows: false, tokens, classToken, positions, y);
        Launch(PrependRows, loop, At(tokens), loop.Pitch(tokens), At(classToken), At(positions), loop.Pitch(positions), At(y), loop.Pitch(y), y.Shape[1], loop.Columns, loop.Count);
    }

    void Slice(Tensor x, int first, Tensor y)
    {
        ElementLoop loop = Loop(y.Shape, sameRows: false, x, y);
        Launch(SliceRows, loop, At(x), loop.Pitch(x), x.Shape[1], first, At(y), loop.Pitch(y), y.Shape[1], loop.Columns, loop.Count);
    }

    static ElementLoop Loop(Shape shape, bool sameRows, params ReadOnlySpan<Tensor> tensors)
    {
        Span<ulong> addresses = stackalloc ulong[tensors.Length];
        for (int i = 0; i < tensors.Length; i++) addresses[i] = At(tensors[i]);
        return new ElementLoop(shape, sameRows, tensors, addresses);
    }

    void Launch(ElementKernel kernel, in ElementLoop loop, params ReadOnlySpan<KernelArgument> arguments) =>
        Launch(loop.ByFours ? kernel.Fours : kernel.Single, Blocks(loop.Count), BlockThreads, arguments);
}
