using ClipSegNative.Imaging;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tests.Weights;
using ClipSegNative.Training.Contrast;

namespace ClipSegNative.Tests.Training.Contrast;

public sealed class PictureCutterTests : IDisposable
{
    const int Side = 12, CropSize = 4;

    static readonly PreprocessorConfig Bytes = new() { Width = Side, Height = Side, RescaleFactor = 1, Mean = [0, 0, 0], Deviation = [1, 1, 1] };

    readonly TemporaryFolder _folder = new();
    readonly PictureCutter _cutter = new(Bytes, CropSize, patch: 4);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(4, 5, 2, 2, 3, 4)]
    [InlineData(0, 0, 1, 1, 0, 0)]
    [InlineData(11, 11, 1, 1, 8, 8)]
    public void Crop_SmallBox_IsCutAroundItsMiddleAsItIs(int x, int y, int width, int height, int left, int top)
    {
        string path = Draw(Side, (column, row) => (byte)(16 * row + column));
        float[] crop = _cutter.Crop(path, new PixelBox(x, y, width, height));
        Assert.Equal(from row in Enumerable.Range(top, CropSize) from column in Enumerable.Range(left, CropSize) select 16f * row + column, crop[..(CropSize * CropSize)]);
    }

    [Fact]
    public void Crop_LargeBoxOfALargerPicture_IsShrunkToFit()
    {
        string path = Draw(2 * Side, (column, row) => (byte)(row >= 4 && row < 20 && column >= 8 ? 200 : 0));
        float[] crop = _cutter.Crop(path, new PixelBox(8, 4, 16, 16));
        Assert.All(crop, value => Assert.Equal(200, value));
    }

    [Fact]
    public void Cells_ABox_CountByOverlap()
    {
        string path = Draw(Side, (_, _) => 0);
        Assert.Equal([0.5f, 0.25f, 0, 1 / 6f, 1 / 12f, 0, 0, 0, 0], _cutter.Cells(path, new PixelBox(0, 1, 6, 4)), (x, y) => MathF.Abs(x - y) < 1e-6f);
        Assert.All(_cutter.Cells(path, null), cell => Assert.Equal(1 / 9f, cell, 1e-6f));
        Assert.All(_cutter.Cells(path, new PixelBox(40, 40, 2, 2)), cell => Assert.Equal(1 / 9f, cell, 1e-6f));
    }

    string Draw(int side, Func<int, int, byte> value)
    {
        byte[] pixels = [.. from row in Enumerable.Range(0, side) from column in Enumerable.Range(0, side) from _ in Enumerable.Range(0, 3) select value(column, row)];
        using FileStream stream = File.Create(_folder["picture.png"]);
        PngWriter.Write(stream, PngKind.Rgb8, side, side, pixels);
        return _folder["picture.png"];
    }
}
