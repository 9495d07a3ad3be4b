using SkiaSharp;

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

    /// <summary>Copies a picture out of rows of pixels.</summary>
    /// <param name="pixels">Rows from the top; what may lie between the end of a row and the next is not read.</param>
    /// <param name="layout">The order of a pixel's bytes; alpha is dropped, not blended.</param>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="stride">Bytes from one row's start to the next's; null where rows follow each other without padding.</param>
    /// <exception cref="ArgumentException">A size is below its minimum, <paramref name="pixels"/> ends before the last row does, or the picture would not fit in 2 GB.</exception>
    public static Picture FromPixels(ReadOnlySpan<byte> pixels, PixelLayout layout, int width, int height, int? stride = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        (int pixelBytes, int red) = layout switch
        {
            PixelLayout.Rgb => (3, 0),
            PixelLayout.Rgba => (4, 0),
            PixelLayout.Bgra => (4, 2),
            _ => throw new ArgumentOutOfRangeException(nameof(layout)),
        };
        long rowBytes = (long)pixelBytes * width, step = stride ?? rowBytes, needed = step * (height - 1) + rowBytes;
        ArgumentOutOfRangeException.ThrowIfLessThan(step, rowBytes, nameof(stride));
        if (pixels.Length < needed)
            throw new ArgumentException($"{width} x {height} pixels of {layout} with stride {step} need {needed} bytes, not {pixels.Length}.", nameof(pixels));
        if ((long)width * height > Array.MaxLength / Channels) throw new ArgumentException($"{width} x {height} pixels do not fit in 2 GB.", nameof(width));

        byte[] packed = GC.AllocateUninitializedArray<byte>(width * height * Channels);
        for (int y = 0, to = 0; y < height; y++)
        {
            ReadOnlySpan<byte> row = pixels.Slice((int)(y * step), (int)rowBytes);
            if (layout == PixelLayout.Rgb)
            {
                row.CopyTo(packed.AsSpan(to));
                to += row.Length;
                continue;
            }
            for (int from = 0; from < row.Length; from += pixelBytes, to += Channels)
                (packed[to], packed[to + 1], packed[to + 2]) = (row[from + red], row[from + 1], row[from + 2 - red]);
        }
        return new Picture(packed, width, height, name: null);
    }

    /// <summary>Copies a picture out of RGB rows.</summary>
    /// <param name="pixels">R, G, B bytes, rows from the top.</param>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="stride">Bytes from one row's start to the next's, at least 3 * width.</param>
    /// <exception cref="ArgumentException">As <see cref="FromPixels"/>.</exception>
    public static Picture FromRgb(ReadOnlySpan<byte> pixels, int width, int height, int stride) => FromPixels(pixels, PixelLayout.Rgb, width, height, stride);

    /// <summary>A copy of a part; the picture itself where the box is all of it.</summary>
    /// <param name="box">Within the picture.</param>
    internal Picture Part(PixelBox box)
    {
        if (box == new PixelBox(0, 0, Width, Height)) return this;
        int stride = Channels * Width;
        return FromRgb(Pixels[(box.Y * stride + box.X * Channels)..], box.Width, box.Height, stride);
    }

    /// <summary>Copies a picture out of a Skia bitmap of any colour type; alpha is dropped, the stored colours stay (premultiplied ones are divided out).</summary>
    /// <param name="bitmap">Only read; may be disposed afterwards.</param>
    /// <exception cref="ArgumentException">The bitmap has no pixels, or its colours cannot be turned into 8-bit RGB.</exception>
    public static Picture FromBitmap(SKBitmap bitmap)
    {
        ArgumentNullException.ThrowIfNull(bitmap);
        using SKPixmap? pixels = bitmap.PeekPixels();
        if (pixels is null) throw new ArgumentException("The bitmap has no pixels.", nameof(bitmap));
        // In the bitmap's own colour space the values are left alone, as ImageReader leaves those of files.
        var target = new SKImageInfo(bitmap.Width, bitmap.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul, bitmap.ColorSpace);
        using var rgba = new SKBitmap(target);
        if (!pixels.ReadPixels(target, rgba.GetPixels(), rgba.RowBytes)) throw new ArgumentException($"A bitmap of {bitmap.ColorType} cannot be turned into RGB.", nameof(bitmap));
        return FromPixels(rgba.GetPixelSpan(), PixelLayout.Rgba, bitmap.Width, bitmap.Height, rgba.RowBytes);
    }
}
