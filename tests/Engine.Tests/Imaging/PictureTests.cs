using ClipSegNative.Imaging;
using SkiaSharp;

namespace ClipSegNative.Tests.Imaging;

public class PictureTests
{
    [Fact]
    public void FromRgb_PaddedRows_PacksThem()
    {
        byte[] rows = [1, 2, 3, 4, 5, 6, 99, 99, 7, 8, 9, 10, 11, 12];
        Picture picture = Picture.FromRgb(rows, width: 2, height: 2, stride: 8);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], picture.Pixels.ToArray());
        Assert.Null(picture.Name);
    }

    [Theory]
    [InlineData(0, 1, 3, 3)]
    [InlineData(1, 0, 3, 3)]
    [InlineData(2, 1, 5, 6)]
    [InlineData(2, 2, 6, 11)]
    public void FromRgb_SizesDoNotFit_Throws(int width, int height, int stride, int bytes) =>
        Assert.ThrowsAny<ArgumentException>(() => Picture.FromRgb(new byte[bytes], width, height, stride));

    [Theory]
    [InlineData(PixelLayout.Rgb, new byte[] { 1, 2, 3, 4, 5, 6 }, null)]
    [InlineData(PixelLayout.Rgb, new byte[] { 1, 2, 3, 99, 99, 4, 5, 6 }, 5)]
    [InlineData(PixelLayout.Rgba, new byte[] { 1, 2, 3, 0, 4, 5, 6, 128 }, null)]
    [InlineData(PixelLayout.Bgra, new byte[] { 3, 2, 1, 0, 99, 99, 6, 5, 4, 255 }, 6)]
    public void FromPixels_AnyLayoutAndStride_GivesRgb(PixelLayout layout, byte[] pixels, int? stride)
    {
        Picture picture = Picture.FromPixels(pixels, layout, width: 1, height: 2, stride);
        Assert.Equal([1, 2, 3, 4, 5, 6], picture.Pixels.ToArray());
        Assert.Equal((1, 2), (picture.Width, picture.Height));
        Assert.ThrowsAny<ArgumentException>(() => Picture.FromPixels(pixels.AsSpan(0, pixels.Length - 1), layout, width: 1, height: 2, stride));
    }

    [Fact]
    public void FromPixels_SizesThatOverflow_AreRefused()
    {
        Assert.ThrowsAny<ArgumentException>(() => Picture.FromPixels(new byte[8], PixelLayout.Rgba, int.MaxValue, int.MaxValue));
        Assert.ThrowsAny<ArgumentException>(() => Picture.FromPixels(new byte[8], (PixelLayout)7, 1, 1));
    }

    [Theory]
    [InlineData(SKColorType.Rgba8888, SKAlphaType.Unpremul)]
    [InlineData(SKColorType.Bgra8888, SKAlphaType.Unpremul)]
    [InlineData(SKColorType.Bgra8888, SKAlphaType.Premul)]
    [InlineData(SKColorType.Rgb888x, SKAlphaType.Opaque)]
    public void FromBitmap_AnyColourType_GivesItsColours(SKColorType type, SKAlphaType alpha)
    {
        using var bitmap = new SKBitmap(3, 2, type, alpha);
        for (int i = 0; i < 6; i++) bitmap.SetPixel(i % 3, i / 3, new SKColor((byte)(40 * i), 7, (byte)(255 - 40 * i)));
        Picture picture = Picture.FromBitmap(bitmap);
        Assert.Equal((3, 2), (picture.Width, picture.Height));
        Assert.Equal(Enumerable.Range(0, 6).SelectMany(i => new[] { (byte)(40 * i), (byte)7, (byte)(255 - 40 * i) }), picture.Pixels.ToArray());
    }

    [Fact]
    public void FromBitmap_Empty_IsRefused()
    {
        using var bitmap = new SKBitmap();
        Assert.Throws<ArgumentException>(() => Picture.FromBitmap(bitmap));
    }
}
