using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Reference;

/// <summary>Operations that rearrange or resample maps.</summary>
sealed partial class ReferenceBackend
{
    public void Permute(Tensor x, Shape order, Tensor y)
    {
        double[] from = Elements(x, (int)x.Shape.Elements);
        var to = new Matrix(y);
        var at = new int[4];
        for (int i = 0; i < from.Length; i++)
        {
            int rest = i;
            for (int axis = 3; axis >= 0; rest /= y.Shape[axis--]) at[order[axis]] = rest % y.Shape[axis];
            int source = ((at[0] * x.Shape[1] + at[1]) * x.Shape[2] + at[2]) * x.Shape[3] + at[3];
            to[i / y.Columns, i % y.Columns] = from[source];
        }
    }

    public void Patchify(Tensor pixels, int size, Tensor y)
    {
        int channels = pixels.Shape[1], height = pixels.Shape[2], width = pixels.Shape[3], across = width / size, patches = height / size * across;
        Matrix from = new(pixels), to = new(y);
        for (int row = 0; row < y.Rows; row++)
            for (int c = 0; c < y.Columns; c++)
            {
                int entry = row / patches, patch = row % patches, channel = c / (size * size), line = c / size % size;
                int pixelRow = patch / across * size + line, pixelColumn = patch % across * size + c % size;
                to[row, c] = from[(entry * channels + channel) * height + pixelRow, pixelColumn];
            }
    }

    /// <summary>As a transposed convolution is defined: every input adds its kernel to the output, here into doubles.</summary>
    public void Fold(Tensor columns, int kernel, int stride, int padding, Tensor bias, Tensor y)
    {
        Matrix from = new(columns), to = new(y);
        int batch = y.Shape[0], height = y.Shape[1], width = y.Shape[2], channels = y.Columns;
        double[] b = Elements(bias, channels);
        var sums = new double[batch * height * width, channels];
        for (int input = 0; input < columns.Rows; input++)
        {
            int column = input % columns.Shape[2], row = input / columns.Shape[2] % columns.Shape[1], entry = input / columns.Shape[2] / columns.Shape[1];
            for (int tap = 0; tap < kernel * kernel; tap++)
            {
                int toRow = row * stride - padding + tap / kernel, toColumn = column * stride - padding + tap % kernel;
                if (toRow < 0 || toRow >= height || toColumn < 0 || toColumn >= width) continue;
                for (int c = 0; c < channels; c++) sums[(entry * height + toRow) * width + toColumn, c] += from[input, tap * channels + c];
            }
        }
        for (int pixel = 0; pixel < batch * height * width; pixel++)
            for (int c = 0; c < channels; c++) to[pixel, c] = sums[pixel, c] + b[c];
    }

    public void Resize(Tensor x, ResizeMode mode, Tensor y)
    {
        Matrix from = new(x), to = new(y);
        int height = x.Shape[1], width = x.Shape[2];
        for (int pixel = 0; pixel < y.Rows; pixel++)
        {
            int column = pixel % y.Shape[2], row = pixel / y.Shape[2] % y.Shape[1], entry = pixel / y.Shape[2] / y.Shape[1];
            double[] down = ResizeWeights(mode, row, height, y.Shape[1]), across = ResizeWeights(mode, column, width, y.Shape[2]);
            for (int c = 0; c < y.Columns; c++)
            {
                double sum = 0;
                for (int fromRow = 0; fromRow < height; fromRow++)
                    for (int fromColumn = 0; fromColumn < width; fromColumn++)
                        if (down[fromRow] != 0 && across[fromColumn] != 0)
                            sum += down[fromRow] * across[fromColumn] * from[(entry * height + fromRow) * width + fromColumn, c];
                to[pixel, c] = sum;
            }
        }
    }

    /// <summary>The weight of every source sample in one output sample; a neighbour beyond the edge gives its weight to the edge.</summary>
    static double[] ResizeWeights(ResizeMode mode, int output, int from, int to)
    {
        double centre = (output + 0.5) * from / to - 0.5;
        int reach = mode == ResizeMode.Bicubic ? 2 : 1, nearest = (int)Math.Floor(centre);
        var weights = new double[from];
        for (int sample = nearest - reach + 1; sample <= nearest + reach; sample++)
        {
            double distance = Math.Abs(centre - sample);
            weights[Math.Clamp(sample, 0, from - 1)] += mode == ResizeMode.Bicubic ? Precise.CubicConvolution(distance) : 1 - distance;
        }
        return weights;
    }
}
