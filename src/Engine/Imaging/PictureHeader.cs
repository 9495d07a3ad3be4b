using SkiaSharp;

namespace ClipSegNative.Imaging;

/// <summary>What a picture file says of itself before its pixels.</summary>
static class PictureHeader
{
    /// <summary>Width and height as stored: EXIF orientation is not applied.</summary>
    /// <exception cref="PictureException">The file is missing, does not begin like a picture, or claims more pixels than are read.</exception>
    public static (int Width, int Height) ReadSize(string path)
    {
        using SKCodec? codec = SKCodec.Create(path, out SKCodecResult opened);
        if (codec is null) throw new PictureException($"{path} has no picture's header ({opened}).");
        (int width, int height) = (codec.Info.Width, codec.Info.Height);
        return (long)width * height <= ImageReadOptions.Default.MaxPixels ? (width, height) : throw new PictureException($"{path} claims {width} x {height} pixels.");
    }
}
