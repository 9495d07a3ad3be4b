using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Reference;

/// <summary>Row-wise operations and those that move rows.</summary>
sealed partial class ReferenceBackend
{
    public void Copy(Tensor x, Tensor y) => CopyRows(x, row => row, y);

    public void Add(Tensor x, Tensor r, Tensor y)
    {
        Matrix from = new(x), added = new(r), to = new(y);
        for (int row = 0; row < y.Rows; row++)
            for (int c = 0; c < y.Columns; c++) to[row, c] = from[row, c] + added[row % r.Rows, c];
    }

    public void Activate(Tensor x, Activation activation, Tensor y)
    {
        Matrix from = new(x), to = new(y);
        for (int row = 0; row < y.Rows; row++)
            for (int c = 0; c < y.Columns; c++) to[row, c] = Precise.Activate(from[row, c], activation);
    }

    public void LayerNorm(Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor y)
    {
        Matrix from = new(x), to = new(y);
        double[] scale = Elements(gamma, x.Columns), shift = Elements(beta, x.Columns);
        for (int row = 0; row < x.Rows; row++)
        {
            double mean = 0, variance = 0;
            for (int c = 0; c < x.Columns; c++) mean += from[row, c] / x.Columns;
            for (int c = 0; c < x.Columns; c++) variance += Math.Pow(from[row, c] - mean, 2) / x.Columns;
            for (int c = 0; c < x.Columns; c++) to[row, c] = (from[row, c] - mean) / Math.Sqrt(variance + epsilon) * scale[c] + shift[c];
        }
    }

    public void Film(Tensor x, Tensor scale, Tensor shift, Tensor y)
    {
        Matrix from = new(x), times = new(scale), plus = new(shift), to = new(y);
        int tokens = y.Shape[1];
        for (int entry = 0; entry < y.Shape[0]; entry++)
            for (int token = 0; token < tokens; token++)
                for (int c = 0; c < y.Columns; c++)
                {
                    int source = x.Shape[0] == 1 ? token : entry * tokens + token;
                    to[entry * tokens + token, c] = times[entry, c] * from[source, c] + plus[entry, c];
                }
    }

    public void GatherRows(Tensor table, Tensor indices, Tensor y)
    {
        int[] wanted = new Matrix(indices).IntegerRow(0, y.Rows);
        CopyRows(table, row => wanted[row], y);
    }

    public void PrependClassToken(Tensor tokens, Tensor classToken, Tensor positions, Tensor y)
    {
        Matrix from = new(tokens), position = new(positions), to = new(y);
        double[] first = Elements(classToken, y.Columns);
        for (int entry = 0; entry < y.Shape[0]; entry++)
            for (int token = 0; token < y.Shape[1]; token++)
                for (int c = 0; c < y.Columns; c++)
                {
                    double value = token == 0 ? first[c] : from[entry * tokens.Shape[1] + token - 1, c];
                    to[entry * y.Shape[1] + token, c] = value + position[token, c];
                }
    }

    public void SliceTokens(Tensor x, int first, Tensor y)
    {
        int from = x.Shape[1], count = y.Shape[1];
        CopyRows(x, row => row / count * from + first + row % count, y);
    }

    static void CopyRows(Tensor x, Func<int, int> source, Tensor y)
    {
        Matrix from = new(x), to = new(y);
        for (int row = 0; row < y.Rows; row++) from.Row(source(row), y.Columns).CopyTo(to.Row(row, y.Columns));
    }
}
