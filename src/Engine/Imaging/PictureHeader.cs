using SkiaSharp;

namespace ClipSegNative.Imaging;

/// <summary>What a picture file says of itself before its pixels.</summary>
static class PictureHeader
{
    /// <summary>Width and height as stored: EXIF orientation is not applied.</summary>
    /// <exception cref="PictureException">The file is missing or does not begin like a picture.</exception>
    public static (int Width, int Height) ReadSize(string path)
    {
        using SKCodec? codec = SKCodec.Create(path, out SKCodecResult opened);
        return codec is null ? throw new PictureException($"{path} has no picture's header ({opened}).") : (codec.Info.Width, codec.Info.Height);
    }
}
