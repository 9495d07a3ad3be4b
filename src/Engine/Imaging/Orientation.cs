using System.Runtime.Intrinsics;
using SkiaSharp;

namespace ClipSegNative.Imaging;

/// <summary>EXIF orientation, folded into the copy from the codec's RGBA to RGB.</summary>
static class Orientation
{
    /// <summary>Rows of the source taken together when it is turned, so that neighbouring writes share cache lines.</summary>
    const int Band = 16;

    /// <summary>Whether the upright picture is as wide as the stored one is high.</summary>
    public static bool SwapsSides(SKEncodedOrigin origin) => origin >= SKEncodedOrigin.LeftTop;

    /// <summary>[height, width, 4] as stored -> [height, width, 3] upright, or [width, height, 3] where the sides swap. The alpha byte is dropped.</summary>
    public static unsafe byte[] ToUprightRgb(byte* rgba, int width, int height, SKEncodedOrigin origin)
    {
        byte[] rgb = GC.AllocateUninitializedArray<byte>(checked(width * height * 3));
        fixed (byte* first = rgb)
        {
            if (origin is SKEncodedOrigin.TopLeft or SKEncodedOrigin.Default) DropAlpha(rgba, first, (long)width * height);
            else Turn(rgba, width, height, first, origin);
        }
        return rgb;
    }

    static unsafe void DropAlpha(byte* rgba, byte* rgb, long pixels)
    {
        Vector128<byte> order = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255);
        byte* end = rgba + 4 * pixels;
        // 16 bytes are stored though 12 count: stop while the surplus still lands inside the array.
        for (; end - rgba >= 24; rgba += 16, rgb += 12)
            Vector128.Shuffle(Vector128.Load(rgba), order).Store(rgb);
        for (; rgba < end; rgba += 4, rgb += 3)
            (rgb[0], rgb[1], rgb[2]) = (rgba[0], rgba[1], rgba[2]);
    }

    static unsafe void Turn(byte* rgba, int width, int height, byte* rgb, SKEncodedOrigin origin)
    {
        // Upright position of stored pixel (x, y), in pixels: start + x * right + y * down. EXIF 2.32, tag 0x0112.
        (long last, long bottom, long side) = (width - 1, height - 1, height);
        (long start, long right, long down) = origin switch
        {
            SKEncodedOrigin.TopRight => (last, -1, width),
            SKEncodedOrigin.BottomRight => (bottom * width + last, -1, -width),
            SKEncodedOrigin.BottomLeft => (bottom * width, 1, -width),
            SKEncodedOrigin.LeftTop => (0, side, 1),
            SKEncodedOrigin.RightTop => (bottom, side, -1),
            SKEncodedOrigin.RightBottom => (last * side + bottom, -side, -1),
            SKEncodedOrigin.LeftBottom => (last * side, -side, 1L),
            _ => (0, 1, width),
        };
        for (int band = 0; band < height; band += Band)
        {
            int until = Math.Min(band + Band, height);
            for (int x = 0; x < width; x++)
            {
                byte* from = rgba + 4 * ((long)band * width + x);
                byte* to = rgb + 3 * (start + x * right + band * down);
                for (int y = band; y < until; y++, from += 4L * width, to += 3 * down)
                {
                    to[0] = from[0];
                    to[1] = from[1];
                    to[2] = from[2];
                }
            }
        }
    }
}
