namespace ClipSegNative.Imaging;

/// <summary>The order of the bytes of a pixel, 8 bits a channel.</summary>
public enum PixelLayout
{
    /// <summary>Three bytes: red, green, blue.</summary>
    Rgb,

    /// <summary>Four bytes: red, green, blue, alpha.</summary>
    Rgba,

    /// <summary>Four bytes: blue, green, red, alpha; usual on Windows and in Skia.</summary>
    Bgra,
}
