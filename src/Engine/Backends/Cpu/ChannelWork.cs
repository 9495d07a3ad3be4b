using System.Runtime.CompilerServices;

namespace ClipSegNative.Backends.Cpu;

/// <summary>How the pixels of one map fall into tasks; fixed, so that sums have one order whatever the number of threads.</summary>
readonly record struct PixelChunks(int Entries, int Pixels, int Channels)
{
    /// <summary>64 channels of a chunk fit in a second-level cache twice.</summary>
    const int Chunk = 512;

    public int PerEntry => (Pixels + Chunk - 1) / Chunk;

    public int Count => Entries * PerEntry;

    public (int Entry, int First, int Count) this[int task]
    {
        get
        {
            int first = task % PerEntry * Chunk;
            return (task / PerEntry, first, Math.Min(Chunk, Pixels - first));
        }
    }
}

/// <summary>
/// Per channel of one chunk of pixels: Σw and Σw·(x - centre), w being dy or, where that is null, x - centre itself.
/// sums [chunks, 2, channels]; centre [entries, channels].
/// </summary>
readonly unsafe struct ChannelSumsWork<TSet, TVector>(float* x, float* dy, float* centre, PixelChunks chunks, float* sums) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int task, int worker)
    {
        (int entry, int first, int count) = chunks[task];
        int channels = chunks.Channels;
        long start = ((long)entry * chunks.Pixels + first) * channels;
        float* plain = sums + (long)task * 2 * channels, products = plain + channels, centres = centre + (long)entry * channels;
        int channel = 0;
        for (; channel <= channels - TSet.Width; channel += TSet.Width)
        {
            float* at = x + start + channel, weights = dy is null ? null : dy + start + channel;
            TVector middle = TSet.Load(centres + channel), sum = TSet.Broadcast(0f), product = TSet.Broadcast(0f);
            for (int pixel = 0; pixel < count; pixel++, at += channels)
            {
                TVector difference = TSet.Subtract(TSet.Load(at), middle), weight = difference;
                if (weights is not null)
                {
                    weight = TSet.Load(weights);
                    weights += channels;
                }
                sum = TSet.Add(sum, weight);
                product = TSet.MultiplyAdd(weight, difference, product);
            }
            TSet.Store(sum, plain + channel);
            TSet.Store(product, products + channel);
        }
        for (; channel < channels; channel++)
        {
            float sum = 0, product = 0;
            for (long at = start + channel, end = at + (long)count * channels; at < end; at += channels)
            {
                float difference = x[at] - centres[channel], weight = dy is null ? difference : dy[at];
                sum += weight;
                product += weight * difference;
            }
            (plain[channel], products[channel]) = (sum, product);
        }
    }
}

/// <summary>y = (x - centre)·factor + shift, + dy·weight where dy is given; all [entries, channels] but the maps. y may be x or dy.</summary>
readonly unsafe struct ChannelAffineWork<TSet, TVector>(
    float* x, float* dy, float* centre, float* factor, float* shift, float* weight, PixelChunks chunks, float* y) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int task, int worker)
    {
        (int entry, int first, int count) = chunks[task];
        int channels = chunks.Channels;
        long row = ((long)entry * chunks.Pixels + first) * channels, parameters = (long)entry * channels;
        for (int pixel = 0; pixel < count; pixel++, row += channels)
        {
            int channel = 0;
            for (; channel <= channels - TSet.Width; channel += TSet.Width)
            {
                TVector value = TSet.Subtract(TSet.Load(x + row + channel), TSet.Load(centre + parameters + channel));
                value = TSet.MultiplyAdd(value, TSet.Load(factor + parameters + channel), TSet.Load(shift + parameters + channel));
                if (dy is not null) value = TSet.MultiplyAdd(TSet.Load(dy + row + channel), TSet.Load(weight + parameters + channel), value);
                TSet.Store(value, y + row + channel);
            }
            for (; channel < channels; channel++)
            {
                float value = (x[row + channel] - centre[parameters + channel]) * factor[parameters + channel] + shift[parameters + channel];
                y[row + channel] = dy is null ? value : value + dy[row + channel] * weight[parameters + channel];
            }
        }
    }
}
