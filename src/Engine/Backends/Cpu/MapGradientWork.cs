using System.Runtime.CompilerServices;
using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cpu;

/// <summary>One task a row of columns: each line of a column's kernel is a run of pixels, cut off where it leaves the map.</summary>
readonly unsafe struct FoldBackwardWork(float* dy, FoldShape shape, Rows dColumns) : IParallelWork
{
    public void Run(int task, int worker)
    {
        int entry = task / shape.Height, row = task % shape.Height, line = shape.Kernel * shape.Channels;
        for (int column = 0; column < shape.Width; column++)
        {
            int first = column * shape.Stride - shape.Padding;
            int before = Math.Clamp(-first, 0, shape.Kernel) * shape.Channels;
            int count = Math.Max(0, (Math.Min(shape.OutWidth, first + shape.Kernel) - Math.Max(first, 0)) * shape.Channels);
            float* to = dColumns[(long)task * shape.Width + column];
            for (int ky = 0; ky < shape.Kernel; ky++, to += line)
            {
                int fromRow = row * shape.Stride - shape.Padding + ky;
                if (fromRow < 0 || fromRow >= shape.OutHeight || count == 0)
                {
                    new Span<float>(to, line).Clear();
                    continue;
                }
                float* from = dy + (((long)entry * shape.OutHeight + fromRow) * shape.OutWidth + Math.Max(first, 0)) * shape.Channels;
                new Span<float>(to, before).Clear();
                new ReadOnlySpan<float>(from, count).CopyTo(new Span<float>(to + before, count));
                new Span<float>(to + before + count, line - before - count).Clear();
            }
        }
    }
}

/// <summary>
/// One task a row of dx: sums the rows of dy that had taken from it into scratch, then spreads that row's samples over those they had mixed.
/// </summary>
readonly unsafe struct ResizeBackwardWork<TSet, TVector>(
    float* dy, int outHeight, int outWidth, ResizeTaps down, ResizeTaps across, float* dx, int height, int width, int channels,
    float* scratch, long scratchPerWorker) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int task, int worker)
    {
        int entry = task / height, row = task % height, length = outWidth * channels;
        float* sums = scratch + worker * scratchPerWorker, map = dy + (long)entry * outHeight * length, to = dx + (long)task * width * channels;
        new Span<float>(sums, length).Clear();
        for (int tap = 0; tap < outHeight * down.Count; tap++)
            if (down.Indices[tap] == row) VectorMath<TSet, TVector>.AddScaledTo(map + (long)(tap / down.Count) * length, down.Weights[tap], sums, length);
        new Span<float>(to, width * channels).Clear();
        int[] indices = across.Indices;
        float[] weights = across.Weights;
        for (int o = 0, tap = 0; o < outWidth; o++, sums += channels)
            for (int end = tap + across.Count; tap < end; tap++)
            {
                if (channels == 1) to[indices[tap]] += weights[tap] * *sums;
                else VectorMath<TSet, TVector>.AddScaledTo(sums, weights[tap], to + indices[tap] * channels, channels);
            }
    }
}
