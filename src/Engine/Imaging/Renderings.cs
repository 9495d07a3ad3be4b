namespace ClipSegNative.Imaging;

/// <summary>Pictures of a result for people: heatmap, overlay, cutout. All are PNG from our own writer, so the same input gives the same bytes.</summary>
static class Renderings
{
    /// <summary>0..256: how much of the colour shows inside a mask; the photo shows through the rest.</summary>
    const int Blend = 115;

    /// <summary>From this many pixels on the longer side, an outline of one pixel is hard to see.</summary>
    const int WideOutlineFrom = 1000;

    /// <summary>Twelve colours far apart in hue, the first eight also told apart with colour-blind eyes (after Okabe and Ito 2008).</summary>
    static ReadOnlySpan<uint> Colours =>
    [
        0xE69F00, 0x56B4E9, 0x009E73, 0xF0E442, 0x0072B2, 0xD55E00, 0xCC79A7, 0xFFFFFF, 0x8A2BE2, 0x7FFF00, 0xFF1493, 0x00FFFF,
    ];

    /// <summary>The colour of a prompt, fixed by its index; after the twelfth they come again.</summary>
    public static (byte R, byte G, byte B) Colour(int prompt)
    {
        uint colour = Colours[prompt % Colours.Length];
        return ((byte)(colour >> 16), (byte)(colour >> 8), (byte)colour);
    }

    /// <summary>[height, width] probabilities -> 8-bit grey, round(255 p); below 0 and NaN are black, above 1 is white.</summary>
    public static void WriteHeatmap(Stream stream, ReadOnlySpan<float> probabilities, int width, int height)
    {
        byte[] grey = GC.AllocateUninitializedArray<byte>(probabilities.Length);
        for (int i = 0; i < grey.Length; i++)
        {
            float p = probabilities[i];
            grey[i] = p > 0 ? (byte)(MathF.Min(p, 1) * 255 + 0.5f) : (byte)0;
        }
        PngWriter.Write(stream, PngKind.Grey8, width, height, grey);
    }

    /// <summary>The photo as RGB with each mask blended in its colour and outlined; the first has that of <paramref name="firstPrompt"/>.</summary>
    /// <exception cref="ArgumentException">A mask has not the picture's size.</exception>
    public static void WriteOverlay(Stream stream, Picture picture, ReadOnlySpan<Mask> masks, int firstPrompt = 0) =>
        PngWriter.Write(stream, PngKind.Rgb8, picture.Width, picture.Height, Overlay(picture, masks, firstPrompt));

    /// <summary>The photo as it is, then once more with each mask as <see cref="WriteOverlay"/> draws it, side by side.</summary>
    /// <exception cref="ArgumentException">A mask has not the picture's size.</exception>
    public static void WriteComparison(Stream stream, Picture picture, params ReadOnlySpan<Mask> masks)
    {
        int row = Picture.Channels * picture.Width, columns = 1 + masks.Length;
        byte[] sheet = new byte[columns * picture.Pixels.Length];
        for (int column = 0; column < columns; column++)
        {
            ReadOnlySpan<byte> rgb = column == 0 ? picture.Pixels : Overlay(picture, masks.Slice(column - 1, 1), column - 1);
            for (int y = 0; y < picture.Height; y++) rgb.Slice(y * row, row).CopyTo(sheet.AsSpan((y * columns + column) * row));
        }
        PngWriter.Write(stream, PngKind.Rgb8, columns * picture.Width, picture.Height, sheet);
    }

    /// <summary>The photo as RGBA: opaque inside the mask, transparent outside, where the colours are black so that nothing hides in them.</summary>
    /// <exception cref="ArgumentException">The mask has not the picture's size.</exception>
    public static void WriteCutout(Stream stream, Picture picture, Mask mask)
    {
        ReadOnlySpan<byte> found = RequireSize(mask, picture).Pixels, rgb = picture.Pixels;
        byte[] rgba = new byte[checked(found.Length * 4)];
        for (int i = 0; i < found.Length; i++)
        {
            if (found[i] == 0) continue;
            rgb.Slice(3 * i, 3).CopyTo(rgba.AsSpan(4 * i));
            rgba[4 * i + 3] = byte.MaxValue;
        }
        PngWriter.Write(stream, PngKind.Rgba8, picture.Width, picture.Height, rgba);
    }

    static byte[] Overlay(Picture picture, ReadOnlySpan<Mask> masks, int firstPrompt)
    {
        byte[] rgb = picture.Pixels.ToArray();
        for (int i = 0; i < masks.Length; i++) Paint(rgb, RequireSize(masks[i], picture), Colour(firstPrompt + i));
        return rgb;
    }

    static void Paint(Span<byte> rgb, Mask mask, (byte R, byte G, byte B) colour)
    {
        PixelBox box = mask.Box;
        ReadOnlySpan<byte> found = mask.Pixels;
        int outline = Math.Max(mask.Width, mask.Height) >= WideOutlineFrom ? 2 : 1;
        for (int y = box.Y; y < box.Y + box.Height; y++)
        {
            for (int x = box.X; x < box.X + box.Width; x++)
            {
                int i = y * mask.Width + x;
                if (found[i] == 0) continue;
                int weight = IsEdge(found, x, y, mask.Width, mask.Height, outline) ? 256 : Blend;
                Span<byte> pixel = rgb.Slice(3 * i, 3);
                pixel[0] = Mix(pixel[0], colour.R, weight);
                pixel[1] = Mix(pixel[1], colour.G, weight);
                pixel[2] = Mix(pixel[2], colour.B, weight);
            }
        }
    }

    // The picture's own border is no outline: an object that leaves the picture stays open there.
    static bool IsEdge(ReadOnlySpan<byte> found, int x, int y, int width, int height, int reach)
    {
        int i = y * width + x;
        for (int d = 1; d <= reach; d++)
        {
            if (x >= d && found[i - d] == 0 || x + d < width && found[i + d] == 0) return true;
            if (y >= d && found[i - d * width] == 0 || y + d < height && found[i + d * width] == 0) return true;
        }
        return false;
    }

    static byte Mix(int photo, int colour, int weight) => (byte)((photo * (256 - weight) + colour * weight + 128) >> 8);

    static Mask RequireSize(Mask mask, Picture picture) => mask.Width == picture.Width && mask.Height == picture.Height
        ? mask
        : throw new ArgumentException($"The mask has {mask.Width} x {mask.Height} pixels, the picture {picture.Width} x {picture.Height}.", nameof(mask));
}
