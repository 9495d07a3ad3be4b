namespace ClipSegNative.Imaging;

/// <summary>
/// Turns a picture into the model's input: PIL resize to 8 bits straight to the working size, rescale, then (x - mean) / std.
/// The same bits as the reference's image processor. Warm calls allocate nothing. Not thread-safe.
/// </summary>
sealed class PicturePreprocessor
{
    const int Levels = 256;

    readonly ResizeFilter _filter;
    readonly PilResizer _resizer = new();
    readonly byte[] _resized;
    readonly float[] _normalised;

    /// <summary>Fixes the working size and tabulates all 3 * 256 results there can be.</summary>
    /// <param name="mean">3 values, R G B, in units of the rescaled sample.</param>
    /// <param name="std">3 values, R G B, not 0.</param>
    /// <param name="rescale">What samples 0..255 are multiplied by first, usually 1/255.</param>
    /// <param name="filter">How the picture is resized.</param>
    /// <param name="width">Working width in pixels.</param>
    /// <param name="height">Working height in pixels.</param>
    public PicturePreprocessor(ReadOnlySpan<float> mean, ReadOnlySpan<float> std, double rescale, ResizeFilter filter, int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(mean.Length, Picture.Channels);
        ArgumentOutOfRangeException.ThrowIfNotEqual(std.Length, Picture.Channels);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        (Width, Height, _filter) = (width, height, filter);
        _normalised = new float[Picture.Channels * Levels];
        _resized = new byte[checked(width * height * Picture.Channels)];
        for (int c = 0; c < Picture.Channels; c++)
        {
            for (int level = 0; level < Levels; level++)
            {
                // The reference multiplies in float64 and rounds once to float32 (transformers, image_transforms.rescale);
                // a float32 product would be one unit off in the last place for some levels.
                float scaled = (float)(level * rescale);
                _normalised[c * Levels + level] = (scaled - mean[c]) / std[c];
            }
        }
    }

    PicturePreprocessor(PicturePreprocessor other)
    {
        (Width, Height, _filter, _normalised) = (other.Width, other.Height, other._filter, other._normalised);
        _resized = new byte[other._resized.Length];
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>One that does the same, for another thread.</summary>
    public PicturePreprocessor Again() => new(this);

    /// <summary>[H, W, 3] of any size -> [3, Height, Width], new.</summary>
    public float[] Run(Picture picture)
    {
        var pixels = new float[Picture.Channels * Width * Height];
        Run(picture, pixels);
        return pixels;
    }

    /// <summary>[H, W, 3] of any size -> [3, Height, Width].</summary>
    /// <exception cref="ArgumentException"><paramref name="destination"/> does not hold exactly 3 * Height * Width floats.</exception>
    public void Run(Picture picture, Span<float> destination)
    {
        int plane = Width * Height;
        if (destination.Length != Picture.Channels * plane)
            throw new ArgumentException($"[3,{Height},{Width}] does not fill {destination.Length} floats.", nameof(destination));
        _resizer.Resize(picture.Pixels, picture.Width, picture.Height, Picture.Channels, _resized, Width, Height, _filter);

        ReadOnlySpan<float> red = _normalised.AsSpan(0, Levels), green = _normalised.AsSpan(Levels, Levels), blue = _normalised.AsSpan(2 * Levels, Levels);
        Span<float> r = destination[..plane], g = destination.Slice(plane, plane), b = destination.Slice(2 * plane, plane);
        ReadOnlySpan<byte> pixels = _resized;
        for (int i = 0, p = 0; i < plane; i++, p += Picture.Channels)
        {
            r[i] = red[pixels[p]];
            g[i] = green[pixels[p + 1]];
            b[i] = blue[pixels[p + 2]];
        }
    }
}
