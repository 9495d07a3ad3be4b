namespace ClipSegNative.Imaging;

/// <summary>A decoded RGB picture: 8 bits a channel, no alpha, no colour profile. Immutable, so safe to share between threads.</summary>
public sealed class Picture
{
    internal const int Channels = 3;

    readonly byte[] _pixels;

    /// <summary>Takes ownership of <paramref name="pixels"/>: exactly height * width * 3 bytes.</summary>
    internal Picture(byte[] pixels, int width, int height, string? name)
    {
        _pixels = pixels;
        Width = width;
        Height = height;
        Name = name;
    }

    /// <summary>Pixels in a row, at least 1.</summary>
    public int Width { get; }

    /// <summary>Rows, at least 1.</summary>
    public int Height { get; }

    /// <summary>The file or stream it came from, for messages; null when made from pixels.</summary>
    public string? Name { get; }

    /// <summary>[Height, Width, 3] in R, G, B order, rows from the top, no padding.</summary>
    public ReadOnlySpan<byte> Pixels => _pixels;

    /// <summary>Copies a picture out of RGB rows.</summary>
    /// <param name="pixels">R, G, B bytes, rows from the top.</param>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="stride">Bytes from one row's start to the next's, at least 3 * width.</param>
    /// <exception cref="ArgumentException">A size is below its minimum, or <paramref name="pixels"/> ends before the last row does.</exception>
    public static Picture FromRgb(ReadOnlySpan<byte> pixels, int width, int height, int stride)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        long rowBytes = (long)Channels * width;
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, rowBytes);
        long needed = (long)stride * (height - 1) + rowBytes;
        if (pixels.Length < needed)
            throw new ArgumentException($"{width} x {height} RGB pixels with stride {stride} need {needed} bytes, not {pixels.Length}.", nameof(pixels));

        byte[] packed = GC.AllocateUninitializedArray<byte>(checked((int)(rowBytes * height)));
        for (int y = 0; y < height; y++)
            pixels.Slice(y * stride, (int)rowBytes).CopyTo(packed.AsSpan(y * (int)rowBytes));
        return new Picture(packed, width, height, name: null);
    }
}
