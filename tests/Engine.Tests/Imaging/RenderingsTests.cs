using ClipSegNative.Imaging;
using SkiaSharp;

namespace ClipSegNative.Tests.Imaging;

public class RenderingsTests
{
    [Fact]
    public void WriteHeatmap_Probabilities_RoundedTo255()
    {
        byte[] png = Write(stream => Renderings.WriteHeatmap(stream, [0f, 1f, 0.5f, 1.5f, -1f, float.NaN, 0.25f, 127.4f / 255], 4, 2));
        Assert.Equal([0, 255, 128, 255, 0, 0, 64, 127], PictureFixtures.Read(png).Pixels.ToArray().Where((_, i) => i % 3 == 0));
    }

    [Fact]
    public void WriteOverlay_BlockMask_BlendsInsideAndOutlinesItsEdge()
    {
        Picture photo = Picture.FromRgb(PictureFixtures.Noise(9 * 9 * 3), 9, 9, 27);
        byte[] found = new byte[81];
        for (int y = 2; y < 7; y++) found.AsSpan(y * 9 + 2, 5).Fill(1);
        Picture overlay = PictureFixtures.Read(Write(stream => Renderings.WriteOverlay(stream, photo, [new Mask(found, 9, 9)], firstPrompt: 3)));

        (byte r, byte g, byte b) = Renderings.Colour(3);
        Assert.Equal(photo.Pixels[..54].ToArray(), overlay.Pixels[..54].ToArray());
        Assert.Equal([r, g, b], Pixel(overlay, 2, 2));
        Assert.Equal([r, g, b], Pixel(overlay, 6, 4));
        byte[] inside = Pixel(overlay, 4, 4), before = Pixel(photo, 4, 4);
        byte[] colour = [r, g, b];
        for (int c = 0; c < 3; c++) Assert.Equal((before[c] * 141 + colour[c] * 115) / 256.0, inside[c], tolerance: 0.51);
    }

    [Fact]
    public void WriteComparison_TwoMasks_StandBesideThePhotoAsOverlays()
    {
        Picture photo = Picture.FromRgb(PictureFixtures.Noise(6 * 4 * 3), 6, 4, 18);
        Mask[] masks = [new Mask([.. Enumerable.Range(0, 24).Select(i => (byte)(i % 2))], 6, 4), new Mask(new byte[24], 6, 4)];
        Picture sheet = PictureFixtures.Read(Write(stream => Renderings.WriteComparison(stream, photo, masks)));
        Picture first = PictureFixtures.Read(Write(stream => Renderings.WriteOverlay(stream, photo, masks.AsSpan(0, 1))));
        Assert.Equal((18, 4), (sheet.Width, sheet.Height));
        for (int y = 0; y < 4; y++)
            Assert.Equal([.. Row(photo, y), .. Row(first, y), .. Row(photo, y)], Row(sheet, y));

        static byte[] Row(Picture picture, int y) => picture.Pixels.Slice(y * picture.Width * 3, picture.Width * 3).ToArray();
    }

    [Fact]
    public void WriteOverlay_MaskAtPictureBorder_NoOutlineThere()
    {
        byte[] found = [.. Enumerable.Repeat((byte)1, 25)];
        Picture photo = Picture.FromRgb(new byte[75], 5, 5, 15);
        Picture overlay = PictureFixtures.Read(Write(stream => Renderings.WriteOverlay(stream, photo, [new Mask(found, 5, 5)])));
        Assert.Equal(Pixel(overlay, 2, 2), Pixel(overlay, 0, 0));
    }

    [Fact]
    public void WriteOverlay_TwoMasks_EachItsOwnColour()
    {
        Mask left = Mask.FromPixels([1, 0], 2, 1), right = Mask.FromPixels([0, 1], 2, 1);
        Picture overlay = PictureFixtures.Read(Write(stream => Renderings.WriteOverlay(stream, Picture.FromRgb(new byte[6], 2, 1, 6), [left, right])));
        (byte R, byte G, byte B) first = Renderings.Colour(0), second = Renderings.Colour(1);
        Assert.Equal([first.R, first.G, first.B, second.R, second.G, second.B], overlay.Pixels.ToArray());
    }

    [Fact]
    public void Colour_FirstTwelvePrompts_AllDiffer() => Assert.Equal(12, Enumerable.Range(0, 24).Select(Renderings.Colour).Distinct().Count());

    [Fact]
    public void WriteCutout_Mask_IsAlpha()
    {
        byte[] png = Write(stream => Renderings.WriteCutout(stream, Picture.FromRgb([10, 20, 30, 40, 50, 60], 2, 1, 6), Mask.FromPixels([0, 1], 2, 1)));
        using SKCodec codec = SKCodec.Create(new MemoryStream(png));
        byte[] rgba = new byte[8];
        codec.GetPixels(new SKImageInfo(2, 1, SKColorType.Rgba8888, SKAlphaType.Unpremul), rgba);
        Assert.Equal([0, 0, 0, 0, 40, 50, 60, 255], rgba);
    }

    [Fact]
    public void Write_MaskOfOtherSize_Throws()
    {
        Picture photo = Picture.FromRgb(new byte[6], 2, 1, 6);
        Assert.Throws<ArgumentException>(() => Renderings.WriteCutout(Stream.Null, photo, new Mask([1, 1], 1, 2)));
        Assert.Throws<ArgumentException>(() => Renderings.WriteOverlay(Stream.Null, photo, [new Mask([1], 1, 1)]));
    }

    static byte[] Pixel(Picture picture, int x, int y) => picture.Pixels.Slice((y * picture.Width + x) * 3, 3).ToArray();

    static byte[] Write(Action<Stream> write)
    {
        using var stream = new MemoryStream();
        write(stream);
        return stream.ToArray();
    }
}
