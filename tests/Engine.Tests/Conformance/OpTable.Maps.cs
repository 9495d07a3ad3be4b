using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Conformance;

/// <summary>Operations that rearrange or resample maps.</summary>
static partial class OpTable
{
    static readonly (int Kernel, int Stride, int Padding)[] FoldKinds =
        [(2, 2, 0), (4, 4, 0), (16, 16, 0), (4, 2, 1), (3, 2, 0), (5, 3, 2), (3, 1, 1), (2, 3, 0)];

    static readonly (int Batch, int Height, int Width, int Channels)[] FoldMaps = [(1, 1, 2, 1), (2, 3, 2, 7), (1, 5, 4, 16)];

    static readonly (int Height, int Width, int ToHeight, int ToWidth)[] ResizeSizes =
        [(1, 1, 3, 5), (5, 4, 13, 11), (7, 9, 3, 2), (22, 22, 44, 44), (22, 22, 7, 31), (14, 14, 22, 22), (6, 5, 6, 5), (2, 31, 1, 1)];

    static IEnumerable<OpCase> Folds()
    {
        foreach ((int kernel, int stride, int padding) in FoldKinds)
            foreach ((int batch, int height, int width, int channels) in FoldMaps)
                foreach (bool bias in new[] { false, true })
                {
                    int outHeight = (height - 1) * stride - 2 * padding + kernel, outWidth = (width - 1) * stride - 2 * padding + kernel;
                    if (outHeight < 1 || outWidth < 1) continue;
                    string detail = $"{batch}x{height}x{width}x{channels}, kernel {kernel}, stride {stride}, padding {padding}{(bias ? ", bias" : "")}";
                    yield return new("Fold", detail, Tolerance.Sum(kernel * kernel / (stride * stride)), space =>
                    {
                        Tensor columns = space.RandomInside(0, bias ? 3 : 0, batch, height, width, kernel * kernel * channels);
                        Tensor b = bias ? space.Random(channels) : default, y = space.Output(batch, outHeight, outWidth, channels);
                        return backend => backend.Fold(columns, kernel, stride, padding, b, y);
                    });
                }
        yield return new("Fold", "1x22x22x1, kernel 16, stride 16, bias", Tolerance.Elementwise, space =>
        {
            Tensor columns = space.Random(1, 22, 22, 256), bias = space.Random(1), y = space.Output(1, 352, 352, 1);
            return backend => backend.Fold(columns, 16, 16, 0, bias, y);
        });
    }

    static IEnumerable<OpCase> Maps()
    {
        foreach ((int height, int width, int toHeight, int toWidth) in ResizeSizes)
            foreach (ResizeMode mode in Enum.GetValues<ResizeMode>())
                foreach ((int batch, int channels) in new[] { (1, 1), (2, 3), (1, 16) })
                {
                    yield return new("Resize", $"{batch}x{height}x{width}x{channels} to {toHeight}x{toWidth}, {mode}", new(1e-6, 5e-7), space =>
                    {
                        Tensor x = space.Random(batch, height, width, channels), y = space.Output(batch, toHeight, toWidth, channels);
                        return backend => backend.Resize(x, mode, y);
                    });
                }
        foreach (int[] order in new int[][] { [0, 1, 2, 3], [0, 2, 1, 3], [0, 3, 1, 2], [0, 2, 3, 1], [3, 2, 1, 0], [1, 0, 3, 2], [2, 0, 1, 3], [3, 0, 2, 1] })
            foreach (int[] from in new int[][] { [2, 3, 5, 7], [1, 4, 1, 33], [3, 16, 2, 12] })
            {
                yield return new("Permute", $"{string.Join('x', from)} by {string.Join("", order)}", Tolerance.Exact, space =>
                {
                    Tensor x = space.Random(from), y = space.Output([.. order.Select(axis => from[axis])]);
                    return backend => backend.Permute(x, new Shape(order), y);
                });
            }
        (int Batch, int Channels, int Down, int Across, int Size)[] patches = [(1, 1, 1, 1, 1), (2, 3, 2, 3, 4), (1, 3, 3, 2, 16), (2, 1, 4, 1, 7), (1, 3, 7, 7, 32)];
        foreach ((int batch, int channels, int down, int across, int size) in patches)
        {
            yield return new("Patchify", $"{batch}x{channels}x{down * size}x{across * size} by {size}", Tolerance.Exact, space =>
            {
                Tensor pixels = space.Random(batch, channels, down * size, across * size);
                Tensor y = space.Output(batch, down * across, channels * size * size);
                return backend => backend.Patchify(pixels, size, y);
            });
        }
    }
}
