using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Reference;

/// <summary>Gradients of row-wise operations and of those that move rows or resample maps.</summary>
sealed partial class ReferenceBackend
{
    public void Fill(float value, Tensor y)
    {
        var to = new Matrix(y);
        for (int row = 0; row < y.Rows; row++) to.Row(row, y.Columns).Fill(value);
    }

    public void AddBackward(Tensor dy, Tensor dr)
    {
        var from = new Matrix(dy);
        var sums = new double[dr.Rows, dr.Columns];
        for (int row = 0; row < dy.Rows; row++)
            for (int c = 0; c < dy.Columns; c++) sums[row % dr.Rows, c] += from[row, c];
        AddTo(dr, sums);
    }

    public void ActivateBackward(Tensor x, Tensor dy, Activation activation, Tensor dx)
    {
        Matrix at = new(x), from = new(dy), to = new(dx);
        for (int row = 0; row < dx.Rows; row++)
            for (int c = 0; c < dx.Columns; c++) to[row, c] = from[row, c] * Precise.Slope(at[row, c], activation);
    }

    public void LayerNormBackward(Tensor x, Tensor dy, Tensor gamma, float epsilon, Tensor dx, Tensor dGamma, Tensor dBeta)
    {
        Matrix at = new(x), from = new(dy), to = new(dx);
        int columns = x.Columns;
        double[] scale = Elements(gamma, columns), normal = new double[columns], gradient = new double[columns];
        double[,] gammaSums = new double[1, columns], betaSums = new double[1, columns];
        for (int row = 0; row < x.Rows; row++)
        {
            double mean = 0, variance = 0, along = 0, across = 0;
            for (int c = 0; c < columns; c++) mean += at[row, c] / columns;
            for (int c = 0; c < columns; c++) variance += Math.Pow(at[row, c] - mean, 2) / columns;
            double deviation = Math.Sqrt(variance + epsilon);
            for (int c = 0; c < columns; c++)
            {
                normal[c] = (at[row, c] - mean) / deviation;
                gradient[c] = from[row, c] * scale[c];
                along += gradient[c] / columns;
                across += gradient[c] * normal[c] / columns;
                gammaSums[0, c] += from[row, c] * normal[c];
                betaSums[0, c] += from[row, c];
            }
            for (int c = 0; c < columns; c++) to[row, c] = (gradient[c] - along - normal[c] * across) / deviation;
        }
        AddTo(dGamma, gammaSums);
        AddTo(dBeta, betaSums);
    }

    public void FilmBackward(Tensor x, Tensor scale, Tensor dy, Tensor dx, Tensor dScale, Tensor dShift)
    {
        Matrix at = new(x), times = new(scale), from = new(dy);
        int tokens = dy.Shape[1], columns = dy.Columns;
        double[,] inputs = new double[x.Rows, columns], scales = new double[dy.Shape[0], columns], shifts = new double[dy.Shape[0], columns];
        for (int row = 0; row < dy.Rows; row++)
            for (int c = 0; c < columns; c++)
            {
                int source = row % x.Rows, entry = row / tokens;
                inputs[source, c] += from[row, c] * times[entry, c];
                scales[entry, c] += from[row, c] * at[source, c];
                shifts[entry, c] += from[row, c];
            }
        if (!dx.IsAbsent) Write(inputs, dx);
        Write(scales, dScale);
        Write(shifts, dShift);
    }

    public void GatherRowsBackward(Tensor dy, Tensor indices, Tensor dTable)
    {
        int[] wanted = new Matrix(indices).IntegerRow(0, dy.Rows);
        var from = new Matrix(dy);
        var sums = new double[dTable.Rows, dTable.Columns];
        for (int row = 0; row < dy.Rows; row++)
            for (int c = 0; c < dy.Columns; c++) sums[wanted[row], c] += from[row, c];
        AddTo(dTable, sums);
    }

    public void PrependClassTokenBackward(Tensor dy, Tensor dTokens, Tensor dClassToken, Tensor dPositions)
    {
        Matrix from = new(dy), to = new(dTokens);
        int count = dy.Shape[1], columns = dy.Columns;
        double[,] first = new double[1, columns], positions = new double[count, columns];
        for (int row = 0; row < dy.Rows; row++)
            for (int c = 0; c < columns; c++)
            {
                int entry = row / count, token = row % count;
                positions[token, c] += from[row, c];
                if (token == 0) first[0, c] += from[row, c];
                else to[entry * (count - 1) + token - 1, c] = from[row, c];
            }
        AddTo(dClassToken, first);
        AddTo(dPositions, positions);
    }

    public void SliceTokensBackward(Tensor dy, int first, Tensor dx)
    {
        Matrix from = new(dy), to = new(dx);
        int tokens = dx.Shape[1], count = dy.Shape[1];
        for (int row = 0; row < dx.Rows; row++)
            for (int c = 0; c < dx.Columns; c++)
            {
                int entry = row / tokens, taken = row % tokens - first;
                to[row, c] = taken >= 0 && taken < count ? from[entry * count + taken, c] : 0;
            }
    }

    public void FoldBackward(Tensor dy, int kernel, int stride, int padding, Tensor dColumns)
    {
        Matrix from = new(dy), to = new(dColumns);
        int height = dy.Shape[1], width = dy.Shape[2], channels = dy.Columns;
        for (int input = 0; input < dColumns.Rows; input++)
        {
            int column = input % dColumns.Shape[2], row = input / dColumns.Shape[2] % dColumns.Shape[1], entry = input / dColumns.Shape[2] / dColumns.Shape[1];
            for (int tap = 0; tap < kernel * kernel; tap++)
            {
                int pixelRow = row * stride - padding + tap / kernel, pixelColumn = column * stride - padding + tap % kernel;
                bool inside = pixelRow >= 0 && pixelRow < height && pixelColumn >= 0 && pixelColumn < width;
                for (int c = 0; c < channels; c++)
                    to[input, tap * channels + c] = inside ? from[(entry * height + pixelRow) * width + pixelColumn, c] : 0;
            }
        }
    }

    public void ResizeBackward(Tensor dy, ResizeMode mode, Tensor dx)
    {
        var from = new Matrix(dy);
        int height = dx.Shape[1], width = dx.Shape[2];
        var sums = new double[dx.Rows, dx.Columns];
        for (int pixel = 0; pixel < dy.Rows; pixel++)
        {
            int column = pixel % dy.Shape[2], row = pixel / dy.Shape[2] % dy.Shape[1], entry = pixel / dy.Shape[2] / dy.Shape[1];
            double[] down = ResizeWeights(mode, row, height, dy.Shape[1]), across = ResizeWeights(mode, column, width, dy.Shape[2]);
            for (int toRow = 0; toRow < height; toRow++)
                for (int toColumn = 0; toColumn < width; toColumn++)
                    if (down[toRow] != 0 && across[toColumn] != 0)
                        for (int c = 0; c < dx.Columns; c++)
                            sums[(entry * height + toRow) * width + toColumn, c] += down[toRow] * across[toColumn] * from[pixel, c];
        }
        Write(sums, dx);
    }
}
