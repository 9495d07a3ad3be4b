using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Reference;

/// <summary>Gradients of matrix products.</summary>
sealed partial class ReferenceBackend
{
    public void PackTransposed(Tensor weight, int firstInput, PackedMatrix destination)
    {
        var from = new Matrix(weight);
        var to = (ReferenceMatrix)destination;
        for (int row = 0; row < weight.Rows; row++)
            for (int output = 0; output < to.Outputs; output++) to.Values[output, firstInput + row] = from[row, output];
    }

    public void LinearBackward(Tensor x, Tensor dy, Tensor dw, Tensor db)
    {
        Matrix inputs = new(x), gradients = new(dy);
        var sums = new double[dy.Columns, x.Columns];
        for (int row = 0; row < x.Rows; row++)
            for (int output = 0; output < dy.Columns; output++)
                for (int i = 0; i < x.Columns; i++) sums[output, i] += gradients[row, output] * inputs[row, i];
        AddTo(dw, sums);
        AddTo(db, ColumnSums(dy));
    }

    /// <summary>Every probability p = exp(s) / Σ exp(s) has ds = p · (dp - Σ p · dp): y is not needed.</summary>
    public void AttentionBackward(Tensor q, Tensor k, Tensor v, Tensor y, Tensor dy, int heads, bool causal, Tensor dq, Tensor dk, Tensor dv)
    {
        Matrix queriesOf = new(q), keysOf = new(k), valuesOf = new(v), gradients = new(dy);
        int batch = q.Shape[0], queries = q.Shape[1], keys = k.Shape[1], size = q.Columns / heads;
        double[,] toQueries = new double[q.Rows, q.Columns], toKeys = new double[k.Rows, k.Columns], toValues = new double[v.Rows, v.Columns];
        double[] weights = new double[keys], toWeights = new double[keys];
        for (int entry = 0; entry < batch; entry++)
            for (int head = 0; head < heads; head++)
                for (int query = 0; query < queries; query++)
                {
                    int visible = causal ? query + 1 + keys - queries : keys, row = entry * queries + query, first = entry * keys, column = head * size;
                    for (int key = 0; key < visible; key++)
                    {
                        weights[key] = Dot(queriesOf, row, keysOf, first + key, column, size) / Math.Sqrt(size);
                        toWeights[key] = Dot(gradients, row, valuesOf, first + key, column, size);
                    }
                    Softmax(weights.AsSpan(0, visible));
                    double mean = 0;
                    for (int key = 0; key < visible; key++) mean += weights[key] * toWeights[key];
                    for (int key = 0; key < visible; key++)
                    {
                        double toScore = weights[key] * (toWeights[key] - mean) / Math.Sqrt(size);
                        for (int c = column; c < column + size; c++)
                        {
                            toQueries[row, c] += toScore * keysOf[first + key, c];
                            toKeys[first + key, c] += toScore * queriesOf[row, c];
                            toValues[first + key, c] += weights[key] * gradients[row, c];
                        }
                    }
                }
        Write(toQueries, dq);
        Write(toKeys, dk);
        Write(toValues, dv);
    }

    public void ConvolutionBackward(Tensor x, Tensor dy, int kernel, Tensor dw, Tensor db)
    {
        Matrix inputs = new(x), gradients = new(dy);
        int height = x.Shape[1], width = x.Shape[2], channels = x.Columns, padding = kernel / 2;
        var sums = new double[dy.Columns, kernel * kernel * channels];
        for (int pixel = 0; pixel < x.Rows; pixel++)
        {
            int column = pixel % width, row = pixel / width % height, entry = pixel / width / height;
            for (int tap = 0; tap < kernel * kernel; tap++)
            {
                int fromRow = row + tap / kernel - padding, fromColumn = column + tap % kernel - padding;
                if (fromRow < 0 || fromRow >= height || fromColumn < 0 || fromColumn >= width) continue;
                int neighbour = (entry * height + fromRow) * width + fromColumn;
                for (int output = 0; output < dy.Columns; output++)
                    for (int c = 0; c < channels; c++) sums[output, tap * channels + c] += gradients[pixel, output] * inputs[neighbour, c];
            }
        }
        AddTo(dw, sums);
        AddTo(db, ColumnSums(dy));
    }

    static double Dot(Matrix a, int aRow, Matrix b, int bRow, int column, int count)
    {
        double dot = 0;
        for (int c = column; c < column + count; c++) dot += a[aRow, c] * b[bRow, c];
        return dot;
    }

    static double[,] ColumnSums(Tensor x)
    {
        var from = new Matrix(x);
        var sums = new double[1, x.Columns];
        for (int row = 0; row < x.Rows; row++)
            for (int c = 0; c < x.Columns; c++) sums[0, c] += from[row, c];
        return sums;
    }

    static void Write(double[,] values, Tensor y)
    {
        var to = new Matrix(y);
        for (int row = 0; row < y.Rows; row++)
            for (int c = 0; c < y.Columns; c++) to[row, c] = values[row, c];
    }

    /// <summary>The gradient of a parameter, which may be frozen, grows by <paramref name="values"/>.</summary>
    static void AddTo(Tensor gradient, double[,] values)
    {
        if (gradient.IsAbsent) return;
        var to = new Matrix(gradient);
        for (int row = 0; row < gradient.Rows; row++)
            for (int c = 0; c < gradient.Columns; c++) to[row, c] += values[row, c];
    }
}
