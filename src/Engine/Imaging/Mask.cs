using System.Runtime.Intrinsics;

namespace ClipSegNative.Imaging;

/// <summary>Which pixels of a picture were found. Immutable, so safe to share between threads.</summary>
public sealed class Mask
{
    readonly byte[] _pixels;

    /// <summary>Takes ownership of <paramref name="pixels"/>: height * width bytes, each 0 or 1.</summary>
    internal Mask(byte[] pixels, int width, int height)
    {
        if (width < 1 || height < 1 || (long)width * height != pixels.Length)
            throw new ArgumentException($"A mask of {width} x {height} pixels does not have {pixels.Length} of them.", nameof(pixels));
        _pixels = pixels;
        Width = width;
        Height = height;
        Area = pixels.AsSpan().Count((byte)1);
    }

    /// <summary>Pixels in a row, at least 1.</summary>
    public int Width { get; }

    /// <summary>Rows, at least 1.</summary>
    public int Height { get; }

    /// <summary>[Height, Width], rows from the top; 1 is found, 0 is not.</summary>
    public ReadOnlySpan<byte> Pixels => _pixels;

    /// <summary>Number of found pixels.</summary>
    public int Area { get; }

    /// <summary>The smallest rectangle around all found pixels; all zeros when there are none.</summary>
    public PixelBox Box
    {
        get
        {
            if (Area == 0) return default;
            int top = _pixels.AsSpan().IndexOf((byte)1) / Width, bottom = _pixels.AsSpan().LastIndexOf((byte)1) / Width;
            (int left, int right) = (Width, -1);
            for (int y = top; y <= bottom; y++)
            {
                ReadOnlySpan<byte> row = Pixels.Slice(y * Width, Width);
                int first = row.IndexOf((byte)1);
                if (first < 0) continue;
                left = Math.Min(left, first);
                right = Math.Max(right, row.LastIndexOf((byte)1));
            }
            return new PixelBox(left, top, right - left + 1, bottom - top + 1);
        }
    }

    /// <summary>A mask of the pixels that are not 0.</summary>
    /// <param name="pixels">[height, width], rows from the top.</param>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <exception cref="ArgumentException">The sizes do not give the number of pixels.</exception>
    public static Mask FromPixels(ReadOnlySpan<byte> pixels, int width, int height)
    {
        var binary = new byte[pixels.Length];
        for (int i = 0; i < binary.Length; i++) binary[i] = pixels[i] != 0 ? (byte)1 : (byte)0;
        return new Mask(binary, width, height);
    }

    /// <summary>A mask of the pixels that are not black.</summary>
    /// <param name="picture">As other tools store masks: white or an object's colour on black.</param>
    public static Mask FromPicture(Picture picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        var binary = new byte[picture.Width * picture.Height];
        for (int i = 0; i < binary.Length; i++) binary[i] = picture.Pixels.Slice(3 * i, 3).ContainsAnyExcept((byte)0) ? (byte)1 : (byte)0;
        return new Mask(binary, picture.Width, picture.Height);
    }

    /// <summary>A mask of the pixels above a threshold.</summary>
    /// <param name="probabilities">[height, width], rows from the top, in [0, 1]; NaN counts as not found.</param>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="threshold">Found is strictly greater than this, as in the paper's metrics.</param>
    /// <exception cref="ArgumentException">The sizes do not give the number of probabilities.</exception>
    public static unsafe Mask FromProbabilities(ReadOnlySpan<float> probabilities, int width, int height, float threshold)
    {
        byte[] binary = new byte[probabilities.Length];
        fixed (float* from = probabilities)
        fixed (byte* to = binary)
        {
            int i = 0;
            Vector128<float> limit = Vector128.Create(threshold);
            for (; i <= binary.Length - 16; i += 16)
            {
                // All ones keeps its low bits through both narrowings.
                Vector128<ushort> low = Vector128.Narrow(Above(from + i), Above(from + i + 4));
                Vector128<ushort> high = Vector128.Narrow(Above(from + i + 8), Above(from + i + 12));
                (Vector128.Narrow(low, high) & Vector128<byte>.One).Store(to + i);
            }
            for (; i < binary.Length; i++) to[i] = from[i] > threshold ? (byte)1 : (byte)0;

            Vector128<uint> Above(float* values) => Vector128.GreaterThan(Vector128.Load(values), limit).AsUInt32();
        }
        return new Mask(binary, width, height);
    }

    /// <summary>Writes a PNG of one bit a pixel, white where found. The file appears whole or not at all.</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <exception cref="PictureException">The file cannot be written.</exception>
    public void Save(string path) => PngWriter.Save(path, Save);

    /// <summary>Writes a PNG of one bit a pixel, white where found. The same mask gives the same bytes.</summary>
    /// <param name="stream">Where to; stays open.</param>
    public void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        PngWriter.Write(stream, PngKind.Grey1, Width, Height, _pixels);
    }

    /// <summary>This mask, or an empty one where it covers less than a share of the picture.</summary>
    internal Mask OrEmptyBelow(double share) => Area / ((double)Width * Height) < share ? new Mask(new byte[_pixels.Length], Width, Height) : this;

    /// <summary>The mask in COCO's run-length encoding.</summary>
    public CocoRle ToRle() => CocoRle.FromMask(this);
}
