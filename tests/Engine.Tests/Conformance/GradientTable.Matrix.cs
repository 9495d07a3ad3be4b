using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Conformance;

/// <summary>Linear layers, convolution, attention.</summary>
static partial class GradientTable
{
    static IEnumerable<GradientCase> Matrices()
    {
        foreach ((int rows, int inputs, int outputs) in new[] { (1, 1, 1), (5, 3, 4), (2, 7, 5) }) yield return Linear(rows, inputs, outputs);
        foreach ((int batch, int height, int width, int inputs, int outputs, int kernel) in new[] { (1, 1, 1, 2, 3, 3), (2, 3, 4, 3, 2, 3), (1, 4, 3, 2, 3, 5), (2, 2, 2, 3, 4, 1) })
            yield return Convolution(batch, height, width, inputs, outputs, kernel);
        foreach ((int batch, int heads, int size, int queries, int keys, bool causal) in new[]
                 { (1, 1, 1, 1, 1, false), (2, 2, 3, 4, 4, false), (2, 2, 3, 4, 4, true), (1, 3, 4, 2, 5, false), (1, 1, 5, 3, 6, true), (1, 2, 4, 5, 1, false) })
            yield return Attention(batch, heads, size, queries, keys, causal);
    }

    /// <summary>The input's gradient is the linear layer by the transposed weights, here packed in two parts.</summary>
    static GradientCase Linear(int rows, int inputs, int outputs) => new("LinearBackward", $"{rows}x{inputs} to {outputs}", space =>
    {
        Variable x = space.Activation("x", rows, inputs), w = space.Parameter("w", outputs, inputs), b = space.Parameter("b", outputs);
        Result y = space.Result(rows, outputs);
        PackedMatrix weight = space.EmptyMatrix(outputs, inputs), transposed = space.EmptyMatrix(inputs, outputs);
        return new(
            backend =>
            {
                backend.PackMatrix(w.Value, 0, weight);
                backend.Linear(x.Value, weight, b.Value, y.Value);
            },
            backend =>
            {
                int half = outputs / 2;
                backend.PackTransposed(w.Value.RowRange(0, half), 0, transposed);
                backend.PackTransposed(w.Value.RowRange(half, outputs - half), half, transposed);
                backend.Linear(y.Gradient, transposed, default, x.Gradient);
                backend.LinearBackward(x.Value, y.Gradient, w.Gradient, b.Gradient);
            });
    });

    /// <summary>The input's gradient is the convolution by the flipped kernel: tap t of its rows is the transpose of the last tap but t.</summary>
    static GradientCase Convolution(int batch, int height, int width, int inputs, int outputs, int kernel) =>
        new("ConvolutionBackward", $"{batch}x{height}x{width}x{inputs} to {outputs}, kernel {kernel}", space =>
        {
            int taps = kernel * kernel;
            Variable x = space.Activation("x", batch, height, width, inputs), w = space.Parameter("w", outputs, taps * inputs), b = space.Parameter("b", outputs);
            Result y = space.Result(batch, height, width, outputs);
            PackedMatrix weight = space.EmptyMatrix(outputs, taps * inputs), flipped = space.EmptyMatrix(inputs, taps * outputs);
            return new(
                backend =>
                {
                    backend.PackMatrix(w.Value, 0, weight);
                    backend.Convolution(x.Value, weight, b.Value, kernel, y.Value);
                },
                backend =>
                {
                    for (int tap = 0; tap < taps; tap++) backend.PackTransposed(w.Value.ColumnRange((taps - 1 - tap) * inputs, inputs), tap * outputs, flipped);
                    backend.Convolution(y.Gradient, flipped, default, kernel, x.Gradient);
                    backend.ConvolutionBackward(x.Value, y.Gradient, kernel, w.Gradient, b.Gradient);
                });
        });

    static GradientCase Attention(int batch, int heads, int size, int queries, int keys, bool causal) =>
        new("AttentionBackward", $"{batch}x{heads}x{size}, {queries} queries, {keys} keys{(causal ? ", causal" : "")}", space =>
        {
            Variable q = space.Activation("q", batch, queries, heads * size);
            Variable k = space.Activation("k", batch, keys, heads * size), v = space.Activation("v", batch, keys, heads * size);
            Result y = space.Result(batch, queries, heads * size);
            return new(
                backend => backend.Attention(q.Value, k.Value, v.Value, heads, causal, y.Value),
                backend => backend.AttentionBackward(q.Value, k.Value, v.Value, y.Value, y.Gradient, heads, causal, q.Gradient, k.Gradient, v.Gradient));
        });
}
