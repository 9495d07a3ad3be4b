// Layer norm (Ba et al. 2016), group norm (Wu and He 2018), rows of unit length, and their gradients. Values are taken as their difference to
// a first element, the shift: what is left of large values after a large mean would have lost its digits.
#include "common.cuh"

constexpr u32 RowsPerBlock = 8;

struct Moments
{
    float mean, scale;   // mean of x - shift; scale = 1 / √(variance + ε)
};

template <typename V> constexpr u32 Width = sizeof(V) / sizeof(float);

DEVICE float first(const float* row) { return row[0]; }
DEVICE float first(const float4* row) { return row[0].x; }
DEVICE float total(float a) { return a; }
DEVICE float total(float4 a) { return (a.x + a.y) + (a.z + a.w); }

// Of one row, by a warp; two passes, so that the variance does not cancel either.
template <typename V> DEVICE Moments moments(const V* row, u32 columns, float epsilon)
{
    float shift = first(row), sum = 0, squares = 0, count = columns * Width<V>;
    for (u32 i = lane(); i < columns; i += Warp) sum += total(map(row[i], [=](float a) { return a - shift; }));
    float mean = warpSum(sum) / count;
    for (u32 i = lane(); i < columns; i += Warp) squares += total(map(row[i], [=](float a) { float d = (a - shift) - mean; return d * d; }));
    return {mean, 1 / sqrt(warpSum(squares) / count + epsilon)};
}

template <typename V>
DEVICE void layer(const V* x, u32 pitchX, const V* gamma, const V* beta, float epsilon, V* y, u32 pitchY, u32 rows, u32 columns)
{
    u32 index = blockX() * RowsPerBlock + warp();
    if (index >= rows) return;
    const V* row = x + (u64)index * pitchX;
    V* to = y + (u64)index * pitchY;
    float shift = first(row);
    Moments m = moments(row, columns, epsilon);
    warpBarrier();   // y may be x: nobody writes the shift before all have read it
    for (u32 i = lane(); i < columns; i += Warp)
        to[i] = map(row[i], gamma[i], beta[i], [=](float a, float g, float b) { return fma(((a - shift) - m.mean) * m.scale, g, b); });
}

// dx = scale · (g - mean(g) - x̂ · mean(g · x̂)), g = dy · γ.
template <typename V>
DEVICE void layerBackward(const V* x, u32 pitchX, const V* dy, u32 pitchDy, const V* gamma, float epsilon, V* dx, u32 pitchDx, u32 rows, u32 columns)
{
    u32 index = blockX() * RowsPerBlock + warp();
    if (index >= rows) return;
    const V* row = x + (u64)index * pitchX;
    const V* gradient = dy + (u64)index * pitchDy;
    V* to = dx + (u64)index * pitchDx;
    float shift = first(row), along = 0, across = 0, count = columns * Width<V>;
    Moments m = moments(row, columns, epsilon);
    for (u32 i = lane(); i < columns; i += Warp)
    {
        V scaled = map(gradient[i], gamma[i], [](float d, float g) { return d * g; });
        along += total(scaled);
        across += total(map(scaled, row[i], [=](float g, float a) { return g * (((a - shift) - m.mean) * m.scale); }));
    }
    along = warpSum(along) / count;
    across = warpSum(across) / count;
    for (u32 i = lane(); i < columns; i += Warp)
    {
        V scaled = map(gradient[i], gamma[i], [](float d, float g) { return d * g; });
        to[i] = map(scaled, row[i], [=](float g, float a) { return (g - along - ((a - shift) - m.mean) * m.scale * across) * m.scale; });
    }
}

KERNEL(256) norms_layer_f32(const float* x, u32 pitchX, const float* gamma, const float* beta, float epsilon, float* y, u32 pitchY, u32 rows, u32 columns)
{
    layer(x, pitchX, gamma, beta, epsilon, y, pitchY, rows, columns);
}

KERNEL(256) norms_layer_f32x4(const float4* x, u32 pitchX, const float4* gamma, const float4* beta, float epsilon, float4* y, u32 pitchY, u32 rows, u32 columns)
{
    layer(x, pitchX, gamma, beta, epsilon, y, pitchY, rows, columns);
}

KERNEL(256) norms_layer_backward_f32(
    const float* x, u32 pitchX, const float* dy, u32 pitchDy, const float* gamma, float epsilon, float* dx, u32 pitchDx, u32 rows, u32 columns)
{
    layerBackward(x, pitchX, dy, pitchDy, gamma, epsilon, dx, pitchDx, rows, columns);
}

KERNEL(256) norms_layer_backward_f32x4(
    const float4* x, u32 pitchX, const float4* dy, u32 pitchDy, const float4* gamma, float epsilon, float4* dx, u32 pitchDx, u32 rows, u32 columns)
{
    layerBackward(x, pitchX, dy, pitchDy, gamma, epsilon, dx, pitchDx, rows, columns);
}

// [rows, 2]: mean of x - shift, and scale.
KERNEL(256) norms_layer_moments_f32(const float* x, u32 pitchX, float epsilon, float* result, u32 rows, u32 columns)
{
    u32 index = blockX() * RowsPerBlock + warp();
    if (index >= rows) return;
    Moments m = moments(x + (u64)index * pitchX, columns, epsilon);
    if (lane() != 0) return;
    result[2 * index] = m.mean;
    result[2 * index + 1] = m.scale;
}

// partial[chunk, 0] = Σ over the chunk's rows of dy·x̂ = dGamma, partial[chunk, 1] = Σ dy = dBeta. Grid: columns / 32, chunks.
KERNEL(256) norms_layer_parameters_f32(
    const float* x, u32 pitchX, const float* dy, u32 pitchDy, const float* rowMoments, float* partial, u32 chunkRows, u32 rows, u32 columns)
{
    u32 column = blockColumn(), start = blockY() * chunkRows, end = min(start + chunkRows, rows);
    float sums[2] = {0, 0};
    if (column < columns)
        for (u32 row = start + warp(); row < end; row += Lanes)
        {
            const float* at = x + (u64)row * pitchX;
            float gradient = dy[(u64)row * pitchDy + column];
            sums[0] = fma(gradient, ((at[column] - at[0]) - rowMoments[2 * row]) * rowMoments[2 * row + 1], sums[0]);
            sums[1] += gradient;
        }
    if (!columnSums(sums) || column >= columns) return;
    partial[(u64)blockY() * 2 * columns + column] = sums[0];
    partial[(u64)blockY() * 2 * columns + columns + column] = sums[1];
}

// dGamma and dBeta, each absent or added to, from `chunks` partial sums [2, columns].
KERNEL(256) norms_add_parameters_f32(const float* partial, u32 chunks, float* dGamma, float* dBeta, u32 columns)
{
    u32 column = globalThread();
    if (column >= columns) return;
    float gamma = 0, beta = 0;
    for (u32 chunk = 0; chunk < chunks; chunk++)
    {
        gamma += partial[(u64)chunk * 2 * columns + column];
        beta += partial[(u64)chunk * 2 * columns + columns + column];
    }
    if (dGamma) dGamma[column] += gamma;
    if (dBeta) dBeta[column] += beta;
}

// Each row to unit length; shorter ones than 1e-12 stay shorter.
KERNEL(256) norms_unit_f32(const float* x, u32 pitchX, float* y, u32 pitchY, u32 rows, u32 columns)
{
    u32 index = blockX() * RowsPerBlock + warp();
    if (index >= rows) return;
    const float* row = x + (u64)index * pitchX;
    float squares = 0;
    for (u32 i = lane(); i < columns; i += Warp) squares = fma(row[i], row[i], squares);
    float inverse = 1 / max(sqrt(warpSum(squares)), 1e-12f);
    for (u32 i = lane(); i < columns; i += Warp) y[(u64)index * pitchY + i] = row[i] * inverse;
}

// dx = (dy - x̂ · Σ dy·x̂) / ‖x‖.
KERNEL(256) norms_unit_backward_f32(const float* x, u32 pitchX, const float* dy, u32 pitchDy, float* dx, u32 pitchDx, u32 rows, u32 columns)
{
    u32 index = blockX() * RowsPerBlock + warp();
    if (index >= rows) return;
    const float* row = x + (u64)index * pitchX;
    const float* gradient = dy + (u64)index * pitchDy;
    float squares = 0, product = 0;
    for (u32 i = lane(); i < columns; i += Warp)
    {
        squares = fma(row[i], row[i], squares);
        product = fma(gradient[i], row[i], product);
    }
    float inverse = 1 / max(sqrt(warpSum(squares)), 1e-12f), along = warpSum(product) * inverse * inverse;
    for (u32 i = lane(); i < columns; i += Warp) dx[(u64)index * pitchDx + i] = (gradient[i] - row[i] * along) * inverse;
}

// Of group norm's sums: partial [entry, chunk, channel, 2]; grid: channels / 32, chunks, entries.
DEVICE void storeChannelSums(float* partial, float (&sums)[2], u32 channels)
{
    if (!columnSums(sums) || blockColumn() >= channels) return;
    u64 at = (((u64)blockZ() * blocksY() + blockY()) * channels + blockColumn()) * 2;
    partial[at] = sums[0];
    partial[at + 1] = sums[1];
}

// Group norm. x [entries, pixels, channels]. partial[entry, chunk, channel] = Σ (x - shift), Σ (x - shift)², the shift being the channel's value
// at the entry's first pixel. Grid: channels / 32, chunks, entries.
KERNEL(256) norms_group_sums_f32(const float* x, float* partial, u32 chunkPixels, u32 pixels, u32 channels)
{
    u32 channel = blockColumn(), start = blockY() * chunkPixels, end = min(start + chunkPixels, pixels);
    const float* map = x + (u64)blockZ() * pixels * channels;
    float sums[2] = {0, 0};
    if (channel < channels)
        for (u32 pixel = start + warp(); pixel < end; pixel += Lanes)
        {
            float difference = map[(u64)pixel * channels + channel] - map[channel];
            sums[0] += difference;
            sums[1] = fma(difference, difference, sums[1]);
        }
    storeChannelSums(partial, sums, channels);
}

// mean - shift and scale of every channel [entry, channel, 2], from the group's sums in double precision. One thread a group and entry.
KERNEL(64) norms_group_moments_f32(const float* x, const float* partial, u32 chunks, float epsilon, float* result, u32 pixels, u32 channels, u32 groups, u32 entries)
{
    u32 index = globalThread();
    if (index >= groups * entries) return;
    u32 size = channels / groups, entry = index / groups, start = index % groups * size;
    const float* shifts = x + (u64)entry * pixels * channels;
    double count = (double)pixels * size, origin = shifts[start], total = 0, squares = 0;
    for (u32 channel = start; channel < start + size; channel++)
    {
        double sum = 0, square = 0, offset = shifts[channel] - origin;
        for (u32 chunk = 0; chunk < chunks; chunk++)
        {
            u64 at = (((u64)entry * chunks + chunk) * channels + channel) * 2;
            sum += partial[at];
            square += partial[at + 1];
        }
        total += sum + offset * pixels;
        squares += square + 2 * offset * sum + offset * offset * pixels;
    }
    double mean = total / count, variance = squares / count - mean * mean;
    double scale = 1 / sqrt((variance > 0 ? variance : 0) + epsilon);
    for (u32 channel = start; channel < start + size; channel++)
    {
        u64 at = ((u64)entry * channels + channel) * 2;
        result[at] = (float)(mean - (shifts[channel] - origin));
        result[at + 1] = (float)scale;
    }
}

// The shifts are a copy [entries, channels] of the first pixels, as y may be x.
KERNEL(256) norms_group_f32(
    const float* x, const float* shifts, const float* channelMoments, const float* gamma, const float* beta, float* y, u32 perEntry, u32 channels, u32 count)
{
    for (u32 i = globalThread(); i < count; i += globalThreads())
    {
        u32 channel = i % channels;
        u64 at = (u64)(i / perEntry) * channels + channel;
        y[i] = fma(((x[i] - shifts[at]) - channelMoments[2 * at]) * channelMoments[2 * at + 1], gamma[channel], beta[channel]);
    }
}

// partial[entry, chunk, channel] = Σ dy·x̂, Σ dy. Grid: channels / 32, chunks, entries.
KERNEL(256) norms_group_gradient_sums_f32(const float* x, const float* dy, const float* channelMoments, float* partial, u32 chunkPixels, u32 pixels, u32 channels)
{
    u32 channel = blockColumn(), start = blockY() * chunkPixels, end = min(start + chunkPixels, pixels);
    u64 map = (u64)blockZ() * pixels * channels;
    float sums[2] = {0, 0};
    if (channel < channels)
    {
        u64 moment = ((u64)blockZ() * channels + channel) * 2;
        float shift = x[map + channel], mean = channelMoments[moment], scale = channelMoments[moment + 1];
        for (u32 pixel = start + warp(); pixel < end; pixel += Lanes)
        {
            u64 at = map + (u64)pixel * channels + channel;
            sums[0] = fma(dy[at], ((x[at] - shift) - mean) * scale, sums[0]);
            sums[1] += dy[at];
        }
    }
    storeChannelSums(partial, sums, channels);
}

// dGamma and dBeta, each absent or added to. One thread a channel.
KERNEL(64) norms_group_parameters_f32(const float* partial, u32 chunks, float* dGamma, float* dBeta, u32 channels, u32 entries)
{
    u32 channel = globalThread();
    if (channel >= channels) return;
    double gamma = 0, beta = 0;
    for (u32 i = 0; i < entries * chunks; i++)
    {
        gamma += partial[((u64)i * channels + channel) * 2];
        beta += partial[((u64)i * channels + channel) * 2 + 1];
    }
    if (dGamma) dGamma[channel] += (float)gamma;
    if (dBeta) dBeta[channel] += (float)beta;
}

// The means over a group of γ·dy·x̂ and γ·dy [entry, group, 2]. One thread a group and entry.
KERNEL(64) norms_group_gradient_means_f32(const float* partial, u32 chunks, const float* gamma, float* result, u32 pixels, u32 channels, u32 groups, u32 entries)
{
    u32 index = globalThread();
    if (index >= groups * entries) return;
    u32 size = channels / groups, entry = index / groups, start = index % groups * size;
    double product = 0, sum = 0;
    for (u32 channel = start; channel < start + size; channel++)
        for (u32 chunk = 0; chunk < chunks; chunk++)
        {
            u64 at = (((u64)entry * chunks + chunk) * channels + channel) * 2;
            product = fma((double)gamma[channel], (double)partial[at], product);
            sum = fma((double)gamma[channel], (double)partial[at + 1], sum);
        }
    result[2 * index] = (float)(product / ((double)pixels * size));
    result[2 * index + 1] = (float)(sum / ((double)pixels * size));
}

KERNEL(256) norms_group_backward_f32(
    const float* x, const float* dy, const float* channelMoments, const float* groupMeans, const float* gamma, float* dx, u32 perEntry, u32 channels, u32 groups,
    u32 count)
{
    for (u32 i = globalThread(); i < count; i += globalThreads())
    {
        u32 channel = i % channels, entry = i / perEntry, group = entry * groups + channel / (channels / groups);
        u64 moment = ((u64)entry * channels + channel) * 2;
        float scale = channelMoments[moment + 1], normal = ((x[i] - x[(u64)entry * perEntry + channel]) - channelMoments[moment]) * scale;
        dx[i] = (fma(dy[i], gamma[channel], -groupMeans[2 * group + 1]) - normal * groupMeans[2 * group]) * scale;
    }
}
