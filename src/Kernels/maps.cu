// Moves between maps, patches and columns, and resampling. Maps are channels-last with adjacent rows.
#include "common.cuh"

// y[i,j,k,l] takes x at strides given per axis of y; x has adjacent rows, y a pitch.
KERNEL(256) maps_permute_f32(const float* x, u32 stride0, u32 stride1, u32 stride2, u32 stride3, float* y, u32 pitchY, u32 extent1, u32 extent2, u32 columns, u32 count)
{
    for (u32 i = globalThread(); i < count; i += globalThreads())
    {
        u32 l = i % columns, row = i / columns, k = row % extent2, j = row / extent2 % extent1, first = row / extent2 / extent1;
        y[(u64)row * pitchY + l] = x[(u64)first * stride0 + (u64)j * stride1 + (u64)k * stride2 + (u64)l * stride3];
    }
}

// pixels [batch, channels, height, width] -> y [batch, patches, channels·size·size].
KERNEL(256) maps_patchify_f32(const float* pixels, u32 pitchPixels, u32 channels, u32 height, u32 width, u32 size, float* y, u32 pitchY, u32 columns, u32 count)
{
    u32 across = width / size, patches = height / size * across;
    for (u32 i = globalThread(); i < count; i += globalThreads())
    {
        u32 c = i % columns, row = i / columns, entry = row / patches, patch = row % patches;
        u32 channel = c / (size * size), line = c / size % size;
        u32 pixelRow = patch / across * size + line, pixelColumn = patch % across * size + c % size;
        y[(u64)row * pitchY + c] = pixels[((u64)(entry * channels + channel) * height + pixelRow) * pitchPixels + pixelColumn];
    }
}

// The neighbourhoods of pixels [first, ...): columns [count / (kernel²·c), kernel·kernel·c], zero beyond the edge.
KERNEL(256) maps_unfold_f32(const float* x, u32 height, u32 width, u32 channels, u32 kernel, u32 first, float* columns, u32 count)
{
    u32 perPixel = kernel * kernel * channels;
    i32 reach = (i32)kernel / 2;
    for (u32 i = globalThread(); i < count; i += globalThreads())
    {
        u32 pixel = first + i / perPixel, tap = i % perPixel / channels, channel = i % channels;
        i32 column = (i32)(pixel % width) + (i32)(tap % kernel) - reach, row = (i32)(pixel / width % height) + (i32)(tap / kernel) - reach;
        bool inside = column >= 0 && column < (i32)width && row >= 0 && row < (i32)height;
        u64 map = (u64)(pixel / width / height) * height;
        columns[i] = inside ? x[((map + row) * width + column) * channels + channel] : 0;
    }
}

// Second half of a transposed convolution: every output pixel adds up the columns that cover it. A bias of null is none.
KERNEL(256) maps_fold_f32(
    const float* columns, u32 pitchColumns, u32 height, u32 width, u32 kernel, u32 stride, u32 padding, const float* bias, float* y, u32 toHeight, u32 toWidth, u32 channels, u32 count)
{
    for (u32 i = globalThread(); i < count; i += globalThreads())
    {
        u32 channel = i % channels, pixel = i / channels;
        u32 right = pixel % toWidth + padding, down = pixel / toWidth % toHeight + padding, entry = pixel / toWidth / toHeight;
        // Input row r covers output rows [r·stride, r·stride + kernel) before the padding is cut off.
        u32 firstRow = down < kernel ? 0 : (down - kernel) / stride + 1, lastRow = min(down / stride, height - 1);
        u32 firstColumn = right < kernel ? 0 : (right - kernel) / stride + 1, lastColumn = min(right / stride, width - 1);
        float sum = 0;
        for (u32 row = firstRow; row <= lastRow; row++)
            for (u32 column = firstColumn; column <= lastColumn; column++)
            {
                u32 tap = (down - row * stride) * kernel + right - column * stride;
                sum += columns[(((u64)entry * height + row) * width + column) * pitchColumns + tap * channels + channel];
            }
        y[i] = bias ? sum + bias[channel] : sum;
    }
}

KERNEL(256) maps_fold_backward_f32(
    const float* dy, u32 toHeight, u32 toWidth, u32 kernel, u32 stride, u32 padding, float* dColumns, u32 pitchColumns, u32 height, u32 width, u32 channels,
    u32 count)
{
    u32 perInput = kernel * kernel * channels;
    for (u32 i = globalThread(); i < count; i += globalThreads())
    {
        u32 input = i / perInput, tap = i % perInput / channels, channel = i % channels;
        i32 row = (i32)(input / width % height * stride + tap / kernel) - (i32)padding, column = (i32)(input % width * stride + tap % kernel) - (i32)padding;
        bool inside = row >= 0 && row < (i32)toHeight && column >= 0 && column < (i32)toWidth;
        u64 map = (u64)(input / width / height) * toHeight;
        dColumns[(u64)input * pitchColumns + i % perInput] = inside ? dy[((map + row) * toWidth + column) * channels + channel] : 0;
    }
}

// One output's place between samples of an axis: ((2·output + 1)·from - to) / (2·to), kept as floor and remainder so that nothing is rounded.
struct Place
{
    i32 floor;
    float fraction;
};

DEVICE Place place(u32 output, u32 from, u32 to)
{
    i32 above = (i32)((2 * output + 1) * from) - (i32)to, below = 2 * (i32)to;
    i32 floor = above < 0 ? -1 : above / below;   // never under -below: half a sample at most
    return {floor, (float)(above - floor * below) / (float)below};
}

// Keys 1981 with a = -0.75: weights of the samples at distances inside 1, and from 1 to 2.
DEVICE float inner(float x) { return fma(fma(1.25f, x, -2.25f), x * x, 1.0f); }
DEVICE float outer(float x) { return fma(fma(fma(-0.75f, x, 3.75f), x, -6.0f), x, 3.0f); }

// Bilinear: floor and floor + 1. Bicubic: floor - 1 to floor + 2.
DEVICE float weight(Place at, i32 tap, bool cubic)
{
    float f = at.fraction;
    if (!cubic) return tap == 0 ? 1 - f : f;
    return tap == -1 ? outer(f + 1) : tap == 0 ? inner(f) : tap == 1 ? inner(1 - f) : outer(2 - f);
}

template <bool Cubic>
DEVICE void resize(const float* x, u32 height, u32 width, float* y, u32 toHeight, u32 toWidth, u32 channels, u32 count)
{
    constexpr i32 First = Cubic ? -1 : 0, Last = Cubic ? 2 : 1;
    for (u32 i = globalThread(); i < count; i += globalThreads())
    {
        u32 channel = i % channels, pixel = i / channels;
        Place down = place(pixel / toWidth % toHeight, height, toHeight), across = place(pixel % toWidth, width, toWidth);
        const float* map = x + (u64)(pixel / toWidth / toHeight) * height * width * channels + channel;
        float sum = 0;
        UNROLL for (i32 v = First; v <= Last; v++)
        {
            const float* row = map + (u64)min(max(down.floor + v, 0), (i32)height - 1) * width * channels;
            float line = 0;
            UNROLL for (i32 h = First; h <= Last; h++)
                line = fma(weight(across, h, Cubic), row[(u64)min(max(across.floor + h, 0), (i32)width - 1) * channels], line);
            sum = fma(weight(down, v, Cubic), line, sum);
        }
        y[i] = sum;
    }
}

// The weight of sample `sample` in output `output`: all taps that the edge gathers on it.
template <bool Cubic> DEVICE float share(u32 output, i32 sample, u32 from, u32 to)
{
    constexpr i32 First = Cubic ? -1 : 0, Last = Cubic ? 2 : 1;
    Place at = place(output, from, to);
    float sum = 0;
    UNROLL for (i32 tap = First; tap <= Last; tap++)
        if (min(max(at.floor + tap, 0), (i32)from - 1) == sample) sum += weight(at, tap, Cubic);
    return sum;
}

// Outputs whose taps can reach a sample: those within two samples of it, and one for the edges.
DEVICE u32 firstOutput(i32 sample, u32 from, u32 to) { return (u32)max((sample - 2) * (i32)to / (i32)from - 1, 0); }
DEVICE u32 endOutput(i32 sample, u32 from, u32 to) { return min((u32)((u32)(sample + 3) * to / from) + 2, to); }

template <bool Cubic>
DEVICE void resizeBackward(const float* dy, u32 toHeight, u32 toWidth, float* dx, u32 height, u32 width, u32 channels, u32 count)
{
    for (u32 i = globalThread(); i < count; i += globalThreads())
    {
        u32 channel = i % channels, pixel = i / channels;
        i32 column = (i32)(pixel % width), row = (i32)(pixel / width % height);
        const float* map = dy + (u64)(pixel / width / height) * toHeight * toWidth * channels + channel;
        u32 firstColumn = firstOutput(column, width, toWidth), endColumn = endOutput(column, width, toWidth);
        float sum = 0;
        for (u32 v = firstOutput(row, height, toHeight); v < endOutput(row, height, toHeight); v++)
        {
            float down = share<Cubic>(v, row, height, toHeight);
            if (down == 0) continue;
            float line = 0;
            for (u32 h = firstColumn; h < endColumn; h++)
                line = fma(share<Cubic>(h, column, width, toWidth), map[((u64)v * toWidth + h) * channels], line);
            sum = fma(down, line, sum);
        }
        dx[i] = sum;
    }
}

KERNEL(256) maps_resize_bilinear_f32(const float* x, u32 height, u32 width, float* y, u32 toHeight, u32 toWidth, u32 channels, u32 count)
{
    resize<false>(x, height, width, y, toHeight, toWidth, channels, count);
}

KERNEL(256) maps_resize_bicubic_f32(const float* x, u32 height, u32 width, float* y, u32 toHeight, u32 toWidth, u32 channels, u32 count)
{
    resize<true>(x, height, width, y, toHeight, toWidth, channels, count);
}

KERNEL(256) maps_resize_bilinear_backward_f32(const float* dy, u32 toHeight, u32 toWidth, float* dx, u32 height, u32 width, u32 channels, u32 count)
{
    resizeBackward<false>(dy, toHeight, toWidth, dx, height, width, channels, count);
}

KERNEL(256) maps_resize_bicubic_backward_f32(const float* dy, u32 toHeight, u32 toWidth, float* dx, u32 height, u32 width, u32 channels, u32 count)
{
    resizeBackward<true>(dy, toHeight, toWidth, dx, height, width, channels, count);
}
