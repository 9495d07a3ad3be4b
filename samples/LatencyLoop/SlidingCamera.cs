using ClipSegNative.Imaging;

namespace LatencyLoop;

/// <summary>Gives frames three quarters as wide and high as a picture, from a window that moves over it a few pixels at a time.</summary>
sealed class SlidingCamera
{
    const int Step = 3, PixelBytes = 4;

    readonly byte[] _bgra;
    readonly int _stride, _moves;
    int _frame;

    public SlidingCamera(Picture picture)
    {
        (Width, Height) = (Math.Max(1, picture.Width * 3 / 4), Math.Max(1, picture.Height * 3 / 4));
        _stride = picture.Width * PixelBytes;
        _moves = Math.Max(1, Math.Min(picture.Width - Width, picture.Height - Height));
        _bgra = new byte[_stride * picture.Height];
        ReadOnlySpan<byte> rgb = picture.Pixels;
        for (int i = 0; i < picture.Width * picture.Height; i++)
            (_bgra[PixelBytes * i + 2], _bgra[PixelBytes * i + 1], _bgra[PixelBytes * i]) = (rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]);
    }

    public int Width { get; }

    public int Height { get; }

    public Picture Next()
    {
        int at = _frame++ * Step % _moves;
        return Picture.FromPixels(_bgra.AsSpan(at * _stride + at * PixelBytes), PixelLayout.Bgra, Width, Height, _stride);
    }
}
