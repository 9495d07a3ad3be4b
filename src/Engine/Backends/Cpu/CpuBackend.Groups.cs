using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Group normalisation: sums per channel in parallel chunks, groups put together from them in double precision, then one affine pass.</summary>
sealed unsafe partial class CpuBackend<TSet, TVector>
{
    public void GroupNorm(Tensor x, Tensor gamma, Tensor beta, int groups, float epsilon, Tensor y)
    {
        GroupScratch scratch = MeasureGroups(x, groups, epsilon);
        float* scale = Pointer(gamma), offset = Pointer(beta);
        for (int entry = 0; entry < scratch.Chunks.Entries; entry++)
            for (int channel = 0; channel < x.Columns; channel++)
            {
                int at = entry * x.Columns + channel;
                float factor = scale[channel] * scratch.Inverse[at];
                scratch.Factor[at] = factor;
                scratch.Shift[at] = offset[channel] - scratch.Offset[at] * factor;
            }
        Run(scratch.Chunks.Count, MoveCost * x.Shape.Elements, new ChannelAffineWork<TSet, TVector>(
            Pointer(x), null, scratch.Centre, scratch.Factor, scratch.Shift, null, scratch.Chunks, Pointer(y)));
    }

    /// <summary>
    /// With x̂ the normalised input, r = 1/σ and n the elements of a group:
    /// dx = r·(γ·dy - Σγ·dy / n - x̂·Σγ·dy·x̂ / n), sums over the group (Wu and He 2018, differentiated).
    /// </summary>
    public void GroupNormBackward(Tensor x, Tensor dy, Tensor gamma, int groups, float epsilon, Tensor dx, Tensor dGamma, Tensor dBeta)
    {
        GroupScratch scratch = MeasureGroups(x, groups, epsilon);
        float* scale = Pointer(gamma), scaleGradient = Pointer(dGamma), shiftGradient = Pointer(dBeta);
        int channels = x.Columns, size = channels / groups;
        Run(scratch.Chunks.Count, MoveCost * x.Shape.Elements,
            new ChannelSumsWork<TSet, TVector>(Pointer(x), Pointer(dy), scratch.Centre, scratch.Chunks, scratch.Sums));
        for (int entry = 0; entry < scratch.Chunks.Entries; entry++)
            for (int group = 0; group < groups; group++)
            {
                double sum = 0, product = 0;
                int first = entry * channels + group * size;
                float inverse = scratch.Inverse[first], offset = scratch.Offset[first];
                for (int i = 0; i < size; i++)
                {
                    int channel = group * size + i;
                    (double gradient, double centred) = scratch.Total(entry, channel);
                    double normalised = (centred - offset * gradient) * inverse;
                    if (scaleGradient is not null) scaleGradient[channel] += (float)normalised;
                    if (shiftGradient is not null) shiftGradient[channel] += (float)gradient;
                    sum += scale[channel] * gradient;
                    product += scale[channel] * normalised;
                }
                double elements = (double)scratch.Chunks.Pixels * size, factor = -inverse * inverse * product / elements;
                for (int i = 0; i < size; i++)
                {
                    scratch.Factor[first + i] = (float)factor;
                    scratch.Shift[first + i] = (float)(-inverse * sum / elements - offset * factor);
                    scratch.Weight[first + i] = scale[group * size + i] * inverse;
                }
            }
        Run(scratch.Chunks.Count, MoveCost * x.Shape.Elements, new ChannelAffineWork<TSet, TVector>(
            Pointer(x), Pointer(dy), scratch.Centre, scratch.Factor, scratch.Shift, scratch.Weight, scratch.Chunks, Pointer(dx)));
    }

    /// <summary>Mean and deviation of every group: the mean in a first pass, the squares of the differences in a second, as layer norm does.</summary>
    GroupScratch MeasureGroups(Tensor x, int groups, float epsilon)
    {
        int channels = x.Columns, size = channels / groups;
        var chunks = new PixelChunks(x.Shape[0], x.Shape[1] * x.Shape[2], channels);
        var scratch = new GroupScratch(Scratch(GroupScratch.Floats(chunks), out _), chunks);
        double elements = (double)chunks.Pixels * size;
        new Span<float>(scratch.Centre, chunks.Entries * channels).Clear();
        var sums = new ChannelSumsWork<TSet, TVector>(Pointer(x), null, scratch.Centre, chunks, scratch.Sums);
        Run(chunks.Count, MoveCost * x.Shape.Elements, sums);
        for (int entry = 0; entry < chunks.Entries; entry++)
            for (int group = 0; group < groups; group++)
                new Span<float>(scratch.Centre + entry * channels + group * size, size).Fill((float)(scratch.GroupTotal(entry, group * size, size).Sum / elements));
        Run(chunks.Count, MoveCost * x.Shape.Elements, sums);
        for (int entry = 0; entry < chunks.Entries; entry++)
            for (int group = 0; group < groups; group++)
            {
                (double sum, double squares) = scratch.GroupTotal(entry, group * size, size);
                double offset = sum / elements, variance = squares / elements - offset * offset;
                int first = entry * channels + group * size;
                new Span<float>(scratch.Offset + first, size).Fill((float)offset);
                new Span<float>(scratch.Inverse + first, size).Fill((float)(1 / Math.Sqrt(variance + epsilon)));
            }
        return scratch;
    }

    /// <summary>Where the parts lie in the backend's scratch: numbers of each entry and channel, then the sums of each chunk.</summary>
    readonly struct GroupScratch(float* start, PixelChunks chunks)
    {
        const int Tables = 6;

        readonly long _table = (long)chunks.Entries * chunks.Channels;

        public PixelChunks Chunks => chunks;

        /// <summary>The group's mean, rounded to float32.</summary>
        public float* Centre => start;

        /// <summary>What the rounding left out.</summary>
        public float* Offset => start + _table;

        public float* Inverse => start + 2 * _table;

        public float* Factor => start + 3 * _table;

        public float* Shift => start + 4 * _table;

        public float* Weight => start + 5 * _table;

        public float* Sums => start + Tables * _table;

        public static long Floats(PixelChunks chunks) => Tables * (long)chunks.Entries * chunks.Channels + 2L * chunks.Count * chunks.Channels;

        public (double Sum, double Product) Total(int entry, int channel)
        {
            double sum = 0, product = 0;
            float* at = Sums + (long)entry * chunks.PerEntry * 2 * chunks.Channels + channel;
            for (int i = 0; i < chunks.PerEntry; i++, at += 2 * chunks.Channels)
            {
                sum += at[0];
                product += at[chunks.Channels];
            }
            return (sum, product);
        }

        public (double Sum, double Product) GroupTotal(int entry, int first, int count)
        {
            double sum = 0, product = 0;
            for (int channel = first; channel < first + count; channel++)
            {
                (double one, double other) = Total(entry, channel);
                sum += one;
                product += other;
            }
            return (sum, product);
        }
    }
}
