using ClipSegNative.Imaging;
using ClipSegNative.Weights;
using SkiaSharp;

namespace ClipSegNative.Tests.Imaging;

/// <summary>What several imaging tests build on: seeded pixels, encoded samples, EXIF segments and the resize fixtures.</summary>
static class PictureFixtures
{
    public static byte[] Noise(int bytes, int seed = 1)
    {
        byte[] pixels = new byte[bytes];
        new Random(seed).NextBytes(pixels);
        return pixels;
    }

    public static byte[] Png(int width, int height, PngKind kind, ReadOnlySpan<byte> pixels)
    {
        using var stream = new MemoryStream();
        PngWriter.Write(stream, kind, width, height, pixels);
        return stream.ToArray();
    }

    public static byte[] Jpeg(int width, int height, int quality = 90)
    {
        using var bitmap = new SKBitmap(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) bitmap.SetPixel(x, y, new SKColor((byte)(x * 255 / width), (byte)(y * 255 / height), (byte)((x ^ y) * 8)));
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Jpeg, quality);
        return data.ToArray();
    }

    /// <summary>Puts an APP1 segment with nothing but the orientation tag right after the start marker.</summary>
    public static byte[] WithExifOrientation(byte[] jpeg, int orientation)
    {
        byte[] tiff = [.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, (byte)orientation, 0, 0, 0, 0, 0, 0, 0];
        byte[] body = [.. "Exif\0\0"u8, .. tiff];
        return [0xFF, 0xD8, 0xFF, 0xE1, 0, (byte)(body.Length + 2), .. body, .. jpeg.AsSpan(2)];
    }

    public static Picture Read(byte[] encoded, ImageReadOptions? options = null, string name = "sample") =>
        ImageReader.Read(new MemoryStream(encoded), name, options);

    /// <summary>The U8 tensors of a safetensors file.</summary>
    public static Dictionary<string, (int[] Shape, byte[] Data)> ReadBytesTensors(string path)
    {
        using var file = new SafetensorsFile(path);
        var tensors = new Dictionary<string, (int[], byte[])>();
        foreach (string name in file.Names)
            if (file.TryFind(name, out WeightEntry entry)) tensors[name] = ([.. Enumerable.Range(0, entry.Shape.Rank).Select(axis => entry.Shape[axis])], entry.Bytes.ToArray());
        return tensors;
    }
}
