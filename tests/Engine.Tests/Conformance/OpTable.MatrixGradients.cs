using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Conformance;

/// <summary>Gradients of linear layers, convolution, attention. What is added to holds something before.</summary>
static partial class OpTable
{
    static IEnumerable<OpCase> MatrixGradients() => [.. TransposedPackings(), .. LinearGradients(), .. ConvolutionGradients(), .. AttentionGradients()];

    static IEnumerable<OpCase> TransposedPackings()
    {
        foreach ((int[] pieces, int outputs) in new[] { (new[] { 1, 1 }, 3), ([33, 31, 7], 24), ([7, 16], 33), ([64, 64, 64], 64), ([5, 32, 1], 17) })
        {
            int inputs = pieces.Sum();
            yield return new("PackTransposed", $"{string.Join('+', pieces)} of {outputs}", Tolerance.Sum(inputs), space =>
            {
                Tensor x = space.Random(6, inputs), y = space.Output(6, outputs);
                Tensor[] weights = [.. pieces.Select(rows => space.SpreadInside(2, 3, 1 / Math.Sqrt(inputs), 0, rows, outputs))];
                PackedMatrix matrix = space.EmptyMatrix(outputs, inputs);
                return backend =>
                {
                    int first = 0;
                    foreach (Tensor weight in weights)
                    {
                        backend.PackTransposed(weight, first, matrix);
                        first += weight.Rows;
                    }
                    backend.Linear(x, matrix, default, y);
                };
            });
        }
        yield return new("PackTransposed", "again, some of the inputs", Tolerance.Sum(12), space =>
        {
            Tensor x = space.Random(3, 12), later = space.Spread(0.3, 0, 5, 33), y = space.Output(3, 33);
            PackedMatrix matrix = space.Weights(33, 12);
            return backend =>
            {
                backend.PackTransposed(later, 4, matrix);
                backend.Linear(x, matrix, default, y);
            };
        });
    }

    static IEnumerable<OpCase> LinearGradients()
    {
        foreach (int rows in AwkwardRows)
            foreach ((int inputs, int outputs) in AwkwardMatrices) yield return LinearGradient(rows, inputs, outputs);
        // Blocks of rows, groups of outputs and inputs, and, in the last two, sums over ranges of rows.
        yield return LinearGradient(485, 64, 192);
        yield return LinearGradient(485, 48, 300);
        yield return LinearGradient(257, 300, 31);
        yield return LinearGradient(2100, 20, 17);
        yield return LinearGradient(4100, 33, 1);
        foreach ((bool weights, bool bias) in new[] { (true, false), (false, true), (false, false) })
            foreach (int rows in new[] { 15, 2100 })
            {
                yield return new("LinearBackward", $"{rows}x24 to 31{(weights ? "" : ", no dw")}{(bias ? "" : ", no db")}", Tolerance.Sum(rows), space =>
                {
                    Tensor x = space.Random(rows, 24), dy = space.Spread(1 / Math.Sqrt(rows), 0, rows, 31);
                    Tensor dw = space.RandomInPlace(31, 24), db = space.RandomInPlace(31);
                    return backend => backend.LinearBackward(x, dy, weights ? dw : default, bias ? db : default);
                });
            }
        foreach (int outputs in new[] { 7, 16, 32, 33 })
        {
            yield return new("LinearBackward", $"2x7x31 to {outputs}, column ranges", Tolerance.Sum(14), space =>
            {
                Tensor x = space.RandomInside(5, 3, 2, 7, 31), dy = space.SpreadInside(3, 9, 1 / Math.Sqrt(14), 0, 2, 7, outputs);
                Tensor dw = space.RandomInPlace(outputs, 40).ColumnRange(6, 31), db = space.RandomInPlace(outputs);
                return backend => backend.LinearBackward(x, dy, dw, db);
            });
        }
    }

    static OpCase LinearGradient(int rows, int inputs, int outputs) =>
        new("LinearBackward", $"{rows}x{inputs} to {outputs}", Tolerance.Sum(rows), space =>
        {
            Tensor x = space.Random(rows, inputs), dy = space.Spread(1 / Math.Sqrt(rows), 0, rows, outputs);
            Tensor dw = space.RandomInPlace(outputs, inputs), db = space.RandomInPlace(outputs);
            return backend => backend.LinearBackward(x, dy, dw, db);
        });

    static IEnumerable<OpCase> ConvolutionGradients()
    {
        (int Batch, int Height, int Width, int Inputs, int Outputs)[] maps =
            [(1, 1, 1, 3, 7), (2, 2, 3, 1, 1), (2, 5, 4, 16, 16), (1, 5, 4, 7, 33), (1, 22, 22, 12, 33), (3, 19, 41, 8, 5), (2, 7, 9, 8, 12)];
        foreach ((int batch, int height, int width, int inputs, int outputs) in maps)
            foreach (int kernel in new[] { 1, 3, 5 })
            {
                bool bias = kernel != 5;
                int pixels = batch * height * width;
                yield return new("ConvolutionBackward", $"{batch}x{height}x{width}x{inputs} to {outputs}, kernel {kernel}{(bias ? ", bias" : "")}", Tolerance.Sum(pixels), space =>
                {
                    Tensor x = space.Random(batch, height, width, inputs), dy = space.SpreadInside(0, bias ? 4 : 0, 1 / Math.Sqrt(pixels), 0, batch, height, width, outputs);
                    Tensor dw = space.RandomInPlace(outputs, kernel * kernel * inputs), db = bias ? space.RandomInPlace(outputs) : default;
                    return backend => backend.ConvolutionBackward(x, dy, kernel, dw, db);
                });
            }
    }

    static IEnumerable<OpCase> AttentionGradients()
    {
        (int Size, int Heads)[] shapes = [(4, 1), (12, 2), (16, 3), (32, 2), (64, 2), (7, 3), (1, 2)];
        foreach ((int size, int heads) in shapes)
            foreach (int keys in new[] { 1, 2, 9, 17, 37 })
            {
                int batch = (size + keys) % 2 == 0 ? 3 : 1;
                yield return AttentionGradient(batch, heads, size, queries: keys == 17 ? 5 : keys == 9 ? 31 : keys, keys, causal: false);
                yield return AttentionGradient(batch, heads, size, queries: keys == 37 ? 14 : keys, keys, causal: true);
            }
        // More than one block of queries.
        yield return AttentionGradient(batch: 1, heads: 2, size: 16, queries: 485, keys: 485, causal: false);
        yield return AttentionGradient(batch: 1, heads: 1, size: 33, queries: 131, keys: 300, causal: true);
        foreach (bool causal in new[] { false, true })
        {
            foreach ((int size, int keys) in new[] { (16, 37), (64, 9) })
            {
                yield return AttentionGradient($"large logits, head size {size}, {keys} keys{Mask(causal)}", 1, 2, size, keys, keys, causal, scale: Math.Sqrt(80)) with { Regime = "large logits" };
            }
            yield return new("AttentionBackward", $"3x2x12, 13 tokens of one matrix{Mask(causal)}", AttentionGradientTolerance(12, 13, 1), space =>
            {
                Tensor qkv = space.Random(3, 13, 72), y = space.Output(3, 13, 24), dy = space.Random(3, 13, 24), dqkv = space.Output(3, 13, 72);
                Tensor q = qkv.ColumnRange(0, 24), k = qkv.ColumnRange(24, 24), v = qkv.ColumnRange(48, 24);
                space.Prepare(backend => backend.Attention(q, k, v, 2, causal, y));
                return backend => backend.AttentionBackward(q, k, v, y, dy, 2, causal, dqkv.ColumnRange(0, 24), dqkv.ColumnRange(24, 24), dqkv.ColumnRange(48, 24));
            });
        }
    }

    static OpCase AttentionGradient(int batch, int heads, int size, int queries, int keys, bool causal) =>
        AttentionGradient($"{batch}x{heads}x{size}, {queries} queries, {keys} keys{Mask(causal)}", batch, heads, size, queries, keys, causal, scale: 1);

    static OpCase AttentionGradient(string detail, int batch, int heads, int size, int queries, int keys, bool causal, double scale) =>
        new("AttentionBackward", detail, AttentionGradientTolerance(size, Math.Max(queries, keys), scale), space =>
        {
            Tensor q = space.Spread(scale, 0, batch, queries, heads * size), k = space.Spread(scale, 0, batch, keys, heads * size), v = space.Random(batch, keys, heads * size);
            Tensor y = space.Output(batch, queries, heads * size), dy = space.Random(batch, queries, heads * size);
            Tensor dq = space.Output(batch, queries, heads * size), dk = space.Output(batch, keys, heads * size), dv = space.Output(batch, keys, heads * size);
            space.Prepare(backend => backend.Attention(q, k, v, heads, causal, y));
            return backend => backend.AttentionBackward(q, k, v, y, dy, heads, causal, dq, dk, dv);
        });

    /// <summary>
    /// A score's gradient is a probability times a difference of products of <paramref name="size"/> terms, which is of size √d; divided by √d and times
    /// a query or key it is summed over the other side. The probability's relative error is that of its logit: see <see cref="AttentionTolerance"/>.
    /// </summary>
    static Tolerance AttentionGradientTolerance(int size, int count, double scale)
    {
        Tolerance forward = AttentionTolerance(size, count, largestLogit: scale > 1 ? 320 : 8);
        return forward with { Absolute = scale * forward.Absolute };
    }
}
