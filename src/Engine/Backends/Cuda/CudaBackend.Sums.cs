using ClipSegNative.Interop;
using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cuda;

/// <summary>Sums over rows, as gradients of what is repeated or gathered: src/Kernels/sums.cu.</summary>
sealed partial class CudaBackend
{
    /// <summary>Rows, at least, whose sum one block makes; and how many such sums at most are then added up in turn.</summary>
    const int LeastChunk = 64, MostChunks = 128;

    public void AddBackward(Tensor dy, Tensor dr) => AddColumnSums(dy, dr);

    public void FilmBackward(Tensor x, Tensor scale, Tensor dy, Tensor dx, Tensor dScale, Tensor dShift)
    {
        int entries = dy.Shape[0], tokens = dy.Shape[1];
        Launch("sums_film_f32", new CudaExtent(ColumnBlocks(dy.Columns), (uint)entries), BlockThreads,
            At(x), x.Pitch, x.Rows, At(dy), dy.Pitch, At(dScale), dScale.Pitch, At(dShift), dShift.Pitch, tokens, dy.Columns);
        if (dx.IsAbsent) return;
        Launch("sums_film_inputs_f32", Blocks(dx.Shape.Elements), BlockThreads,
            At(scale), scale.Pitch, At(dy), dy.Pitch, dy.Rows, At(dx), dx.Pitch, dx.Rows, tokens, dx.Columns, (uint)dx.Shape.Elements);
    }

    public void GatherRowsBackward(Tensor dy, Tensor indices, Tensor dTable) =>
        Launch("sums_gather_backward_f32", new CudaExtent((uint)dy.Rows), 128, At(dy), dy.Pitch, dy.Rows, At(indices), At(dTable), dTable.Pitch, dTable.Columns);

    public void PrependClassTokenBackward(Tensor dy, Tensor dTokens, Tensor dClassToken, Tensor dPositions)
    {
        Slice(dy, 1, dTokens);
        int entries = dy.Shape[0], count = dy.Shape[1];
        if (!dPositions.IsAbsent) AddColumnSums(dy, dPositions);
        if (dClassToken.IsAbsent) return;
        // Rows of class tokens lie a whole entry apart.
        var classTokens = new Tensor(dy.Storage, dy.Offset, new Shape(entries, dy.Columns), dy.Pitch * count);
        AddColumnSums(classTokens, dClassToken);
    }

    public void PoolTokens(Tensor x, Tensor entries, Tensor weights, Tensor y) =>
        Launch("sums_pool_f32", Blocks(y.Shape.Elements), BlockThreads,
            At(x), x.Pitch, x.Shape[1], At(entries), At(weights), weights.Pitch, At(y), y.Pitch, y.Columns, (uint)y.Shape.Elements);

    public void PoolTokensBackward(Tensor dy, Tensor entries, Tensor weights, Tensor dx) =>
        Launch("sums_pool_backward_f32", Blocks(dx.Shape.Elements), BlockThreads,
            At(dy), dy.Pitch, dy.Rows, At(entries), At(weights), weights.Pitch, At(dx), dx.Pitch, dx.Shape[1], dx.Columns, (uint)dx.Shape.Elements);

    public void SumOfSquares(Tensor x, Tensor sum)
    {
        CudaExtent blocks = Blocks(x.Shape.Elements);
        ulong partial = Scratch(blocks.X * sizeof(double));
        Launch("sums_squares_f32", blocks, BlockThreads, At(x), x.Pitch, RowLength(x), (uint)x.Shape.Elements, partial);
        Launch("sums_total_f32", new CudaExtent(1), WarpThreads, partial, blocks.X, At(sum));
    }

    public void AdamW(Tensor dw, Tensor settings, Tensor w, Tensor m, Tensor v)
    {
        Launch("optimiser_adamw_f32", Blocks(w.Shape.Elements), BlockThreads,
            At(dw), dw.Pitch, At(settings), At(w), w.Pitch, At(m), m.Pitch, At(v), v.Pitch, RowLength(dw, w, m, v), (uint)w.Shape.Elements);
    }

    /// <summary>y += the sum of the rows of x that fall on each row of y, x's row i on y's row i modulo its rows. A bias is a matrix of one row.</summary>
    void AddColumnSums(Tensor x, Tensor y)
    {
        int columns = x.Columns, repeat = (int)(y.Shape.Elements / columns), rowsEach = x.Rows / repeat;
        int chunk = ChunkOf(rowsEach);
        uint chunks = Parts(rowsEach, chunk);
        ulong partial = Scratch((long)chunks * repeat * columns * sizeof(float));
        Launch("sums_columns_f32", new CudaExtent(ColumnBlocks(columns), (uint)repeat, chunks), BlockThreads, At(x), x.Pitch, x.Rows, repeat, chunk, partial, columns);
        uint count = (uint)(repeat * columns);
        Launch("sums_add_chunks_f32", Blocks(count), BlockThreads, partial, chunks, At(y), y.Columns == columns ? y.Pitch : columns, columns, count);
    }

    /// <summary>Elements of a row of matrices of one shape: where all their rows are adjacent, they are one.</summary>
    static int RowLength(params ReadOnlySpan<Tensor> tensors)
    {
        foreach (Tensor tensor in tensors)
            if (!tensor.IsContiguous) return tensor.Columns;
        return checked((int)tensors[0].Shape.Elements);
    }

    static int ChunkOf(int rows) => (int)Math.Max(LeastChunk, Parts(rows, MostChunks));

    static uint ColumnBlocks(int columns) => Parts(columns, WarpThreads);
}
