// A picture of bytes [height, width, 3] into the model's input, with the bits of the CPU's path: PIL's resize is whole numbers throughout, its weights
// (22 fractional bits), windows and the table of normalised levels come from the host.
#include "common.cuh"

constexpr i32 FractionBits = 22, Channels = 3, Levels = 256;

DEVICE u32 sample(const u8* first, u32 step, const i32* weights, i32 taps)
{
    i32 sum = 1 << (FractionBits - 1);
    for (i32 tap = 0; tap < taps; tap++) sum += (i32)first[(u64)tap * step] * weights[tap];
    return (u32)min(max(sum >> FractionBits, 0), Levels - 1);
}

// [rows, width, 3] -> [rows, toWidth, 3].
KERNEL(256) pictures_resize_across_u8(
    const u8* source, u32 width, const i32* first, const i32* counts, const i32* weights, u32 taps, u8* y, u32 toWidth, u32 count)
{
    for (u32 i = globalThread(); i < count; i += globalThreads())
    {
        u32 channel = i % Channels, column = i / Channels % toWidth, row = i / Channels / toWidth;
        y[i] = (u8)sample(source + ((u64)row * width + first[column]) * Channels + channel, Channels, weights + (u64)column * taps, counts[column]);
    }
}

// [height, width, 3] -> [3, toHeight, width], normalised: levels [3, 256] is what each byte of each channel becomes.
KERNEL(256) pictures_resize_down_f32(
    const u8* source, u32 width, const i32* first, const i32* counts, const i32* weights, u32 taps, const float* levels, float* y, u32 toHeight, u32 count)
{
    for (u32 i = globalThread(); i < count; i += globalThreads())
    {
        u32 column = i % width, row = i / width % toHeight, channel = i / width / toHeight;
        u32 level = sample(source + ((u64)first[row] * width + column) * Channels + channel, width * Channels, weights + (u64)row * taps, counts[row]);
        y[i] = levels[channel * Levels + level];
    }
}
