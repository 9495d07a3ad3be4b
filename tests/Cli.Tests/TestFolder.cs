using ClipSegNative.Imaging;
using SkiaSharp;

namespace ClipSegNative.Cli.Tests;

/// <summary>An empty folder that goes when the test ends, and pictures for it.</summary>
sealed class TestFolder : IDisposable
{
    public TestFolder() => Location = Directory.CreateTempSubdirectory("clipseg-cli-").FullName;

    public string Location { get; }

    public string this[string name] => Path.Combine(Location, name);

    /// <summary>Every file below, sorted, with '/' between folders.</summary>
    public string[] Files(string below = "")
    {
        string root = this[below];
        return [.. Directory.EnumerateFiles(root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
            .Select(file => Path.GetRelativePath(root, file).Replace('\\', '/')).Order(StringComparer.Ordinal)];
    }

    /// <summary>A PNG of coloured stripes and a bright square.</summary>
    public string Picture(string name, int width = 40, int height = 30, int seed = 1)
    {
        byte[] pixels = Pixels(width, height, seed);
        Directory.CreateDirectory(Path.GetDirectoryName(this[name])!);
        using FileStream stream = File.Create(this[name]);
        PngWriter.Write(stream, PngKind.Rgb8, width, height, pixels);
        return this[name];
    }

    /// <summary>A JPEG whose EXIF data say that it must be turned by 90 degrees.</summary>
    public string RotatedJpeg(string name, int width, int height)
    {
        const int TurnClockwise = 6, AfterStartOfImage = 2;
        using var bitmap = new SKBitmap(width, height);
        bitmap.Erase(SKColors.Teal);
        byte[] jpeg = bitmap.Encode(SKEncodedImageFormat.Jpeg, 90).ToArray();
        // TIFF, big-endian, one directory of one entry: tag 0x0112 (orientation), SHORT, one value.
        byte[] tiff = [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, TurnClockwise, 0, 0, 0, 0, 0, 0];
        byte[] exif = [.. "Exif\0\0"u8, .. tiff];
        byte[] segment = [0xFF, 0xE1, (byte)((exif.Length + 2) >> 8), (byte)(exif.Length + 2), .. exif];
        File.WriteAllBytes(this[name], [.. jpeg[..AfterStartOfImage], .. segment, .. jpeg[AfterStartOfImage..]]);
        return this[name];
    }

    public string Text(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this[name];
    }

    public void Dispose() => Directory.Delete(Location, recursive: true);

    static byte[] Pixels(int width, int height, int seed)
    {
        var pixels = new byte[width * height * 3];
        for (int i = 0; i < pixels.Length; i++)
        {
            int x = i / 3 % width, y = i / 3 / width;
            bool square = x > width / 4 && x < width / 2 && y > height / 4 && y < height / 2;
            pixels[i] = square ? (byte)250 : (byte)((x * 5 * (i % 3 + 1) + y * seed * 3) % 200);
        }
        return pixels;
    }
}
