using System.Numerics.Tensors;

namespace ClipSegNative.Tensors;

/// <summary>Resizes a channels-last map in host memory, row by row: across first, then down, so that both passes run along memory.</summary>
static class MapResizer
{
    /// <summary>One source row [width, channels] -> [taps.Length / taps.Count, channels].</summary>
    public static void Across(ReadOnlySpan<float> row, int channels, ResizeTaps taps, Span<float> destination)
    {
        if (channels == 1 && taps.Count == 2)
        {
            AcrossBilinear(row, taps, destination);
            return;
        }
        int outputs = destination.Length / channels;
        for (int o = 0; o < outputs; o++)
            Mix(taps, o, row, channels, destination.Slice(o * channels, channels));
    }

    /// <summary>Output row <paramref name="output"/> from rows of <paramref name="length"/> floats each.</summary>
    public static void Down(ReadOnlySpan<float> rows, int length, ResizeTaps taps, int output, Span<float> destination) =>
        Mix(taps, output, rows, length, destination);

    /// <summary>A map of one channel, enlarged or reduced bilinearly: [height, width] -> [outHeight, outWidth]; scratch holds height · outWidth floats.</summary>
    public static void Bilinear(ReadOnlySpan<float> map, int height, int width, Span<float> destination, int outHeight, int outWidth, Span<float> scratch)
    {
        var across = ResizeTaps.Bilinear(width, outWidth);
        var down = ResizeTaps.Bilinear(height, outHeight);
        for (int y = 0; y < height; y++) Across(map.Slice(y * width, width), 1, across, scratch.Slice(y * outWidth, outWidth));
        for (int y = 0; y < outHeight; y++) Down(scratch, outWidth, down, y, destination.Slice(y * outWidth, outWidth));
    }

    /// <summary>destination = the weighted sum of one output's taps, each a run of <paramref name="length"/> floats.</summary>
    static void Mix(ResizeTaps taps, int output, ReadOnlySpan<float> source, int length, Span<float> destination)
    {
        int first = output * taps.Count;
        TensorPrimitives.Multiply(source.Slice(taps.Indices[first] * length, length), taps.Weights[first], destination);
        for (int tap = first + 1; tap < first + taps.Count; tap++)
        {
            if (taps.Weights[tap] != 0)
                TensorPrimitives.MultiplyAdd(source.Slice(taps.Indices[tap] * length, length), taps.Weights[tap], destination, destination);
        }
    }

    static void AcrossBilinear(ReadOnlySpan<float> row, ResizeTaps taps, Span<float> destination)
    {
        ReadOnlySpan<int> indices = taps.Indices;
        ReadOnlySpan<float> weights = taps.Weights;
        for (int o = 0; o < destination.Length; o++)
            destination[o] = row[indices[2 * o]] * weights[2 * o] + row[indices[2 * o + 1]] * weights[2 * o + 1];
    }
}
