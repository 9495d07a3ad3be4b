using System.Runtime.CompilerServices;

namespace ClipSegNative.Backends.Cpu;

/// <summary>One task a row of patches: every patch of that row, channels outermost, then its lines.</summary>
readonly unsafe struct PatchifyWork(float* pixels, int channels, int height, int width, int size, Rows y) : IParallelWork
{
    public void Run(int task, int worker)
    {
        int across = width / size, down = height / size, entry = task / down, patchRow = task % down;
        for (int patch = 0; patch < across; patch++)
        {
            float* to = y[(long)task * across + patch];
            for (int channel = 0; channel < channels; channel++)
            {
                float* from = pixels + (((long)entry * channels + channel) * height + patchRow * size) * width + patch * size;
                for (int line = 0; line < size; line++, to += size, from += width)
                    new ReadOnlySpan<float>(from, size).CopyTo(new Span<float>(to, size));
            }
        }
    }
}

/// <summary>
/// Square convolution without a whole-map im2col: each task gathers the neighbourhoods of one row of pixels into its worker's scratch
/// and multiplies them while they are in cache.
/// </summary>
readonly unsafe struct ConvolutionWork<TSet, TVector>(
    float* x, int height, int width, int channels, CpuMatrix weight, int kernel, Epilogue epilogue, Rows y, float* scratch, long scratchPerWorker) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    public static long ScratchFloats(int width, int kernel, int channels) => (long)width * kernel * kernel * channels;

    public void Run(int task, int worker)
    {
        int entry = task / height, row = task % height, depth = weight.Inputs;
        float* neighbourhoods = scratch + worker * scratchPerWorker;
        Gather(x + (long)entry * height * width * channels, row, neighbourhoods);
        long pitch = y[1] - y[0];
        var product = new SingleProduct<TSet, TVector>(neighbourhoods, depth, weight);
        for (int panel = 0; panel < weight.Panels; panel++)
        {
            int column = panel * weight.PanelWidth, columns = Math.Min(weight.PanelWidth, weight.Outputs - column);
            var shifted = epilogue.At(0, column);
            Gemm<TSet, TVector>.Panel(product, product.Open(panel, worker), panel, first: 0, width, columns, shifted, y[(long)task * width] + column, pitch);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Gather(float* map, int row, float* to)
    {
        int half = kernel / 2;
        for (int column = 0; column < width; column++)
            for (int dy = -half; dy <= half; dy++)
                for (int dx = -half; dx <= half; dx++, to += channels)
                {
                    int fromRow = row + dy, fromColumn = column + dx;
                    var destination = new Span<float>(to, channels);
                    if (fromRow < 0 || fromRow >= height || fromColumn < 0 || fromColumn >= width) destination.Clear();
                    else new ReadOnlySpan<float>(map + ((long)fromRow * width + fromColumn) * channels, channels).CopyTo(destination);
                }
    }
}

/// <summary>Shape of a fold: <paramref name="Height"/> x <paramref name="Width"/> columns become outHeight x outWidth pixels.</summary>
readonly record struct FoldShape(int Height, int Width, int Channels, int Kernel, int Stride, int Padding)
{
    public int OutHeight => (Height - 1) * Stride - 2 * Padding + Kernel;

    public int OutWidth => (Width - 1) * Stride - 2 * Padding + Kernel;

    /// <summary>Kernel = stride: no two columns meet, pixels only move.</summary>
    public bool IsShuffle => Kernel == Stride && Padding == 0;
}

/// <summary>One task a row of output pixels: each pixel gathers the columns that cover it, so no two tasks write the same place.</summary>
readonly unsafe struct FoldWork(Rows columns, FoldShape shape, float* bias, float* y) : IParallelWork
{
    public void Run(int task, int worker)
    {
        int entry = task / shape.OutHeight, row = task % shape.OutHeight;
        float* to = y + (long)task * shape.OutWidth * shape.Channels;
        if (shape.IsShuffle && bias is null) Shuffle(entry, row, to);
        else Sum(entry, row, to);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Shuffle(int entry, int row, float* to)
    {
        int length = shape.Kernel * shape.Channels;
        long first = ((long)entry * shape.Height + row / shape.Kernel) * shape.Width;
        int line = row % shape.Kernel * length;
        for (int column = 0; column < shape.Width; column++, to += length)
            new ReadOnlySpan<float>(columns[first + column] + line, length).CopyTo(new Span<float>(to, length));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Sum(int entry, int row, float* to)
    {
        int channels = shape.Channels;
        for (int column = 0; column < shape.OutWidth; column++, to += channels)
        {
            for (int c = 0; c < channels; c++) to[c] = bias is null ? 0 : bias[c];
            for (int ky = (row + shape.Padding) % shape.Stride; ky < shape.Kernel; ky += shape.Stride)
            {
                int fromRow = (row + shape.Padding - ky) / shape.Stride;
                if (row + shape.Padding < ky || fromRow >= shape.Height) continue;
                for (int kx = (column + shape.Padding) % shape.Stride; kx < shape.Kernel; kx += shape.Stride)
                {
                    int fromColumn = (column + shape.Padding - kx) / shape.Stride;
                    if (column + shape.Padding < kx || fromColumn >= shape.Width) continue;
                    float* from = columns[((long)entry * shape.Height + fromRow) * shape.Width + fromColumn] + (ky * shape.Kernel + kx) * channels;
                    for (int c = 0; c < channels; c++) to[c] += from[c];
                }
            }
        }
    }
}
