using ClipSegNative.Imaging;

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
}
