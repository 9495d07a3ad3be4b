using System.Buffers.Binary;
using System.Text;
using ClipSegNative.Imaging;
using SkiaSharp;

namespace ClipSegNative.Tests.Imaging;

public class PngWriterTests
{
    public static TheoryData<int, int> Sizes => new() { { 1, 1 }, { 7, 3 }, { 8, 2 }, { 9, 5 }, { 16, 1 }, { 257, 129 } };

    [Theory, MemberData(nameof(Sizes))]
    public void Write_Grey1_ReadsBack(int width, int height)
    {
        byte[] bits = [.. PictureFixtures.Noise(width * height).Select(value => (byte)(value & 1))];
        Picture picture = PictureFixtures.Read(PictureFixtures.Png(width, height, PngKind.Grey1, bits));
        Assert.Equal(bits.SelectMany(bit => Enumerable.Repeat((byte)(bit * 255), 3)), picture.Pixels.ToArray());
    }

    [Theory, MemberData(nameof(Sizes))]
    public void Write_Grey8_ReadsBack(int width, int height)
    {
        byte[] grey = PictureFixtures.Noise(width * height);
        Picture picture = PictureFixtures.Read(PictureFixtures.Png(width, height, PngKind.Grey8, grey));
        Assert.Equal(grey.SelectMany(value => Enumerable.Repeat(value, 3)), picture.Pixels.ToArray());
    }

    [Theory, MemberData(nameof(Sizes))]
    public void WriteGrey16_AnySize_HighBytesReadBack(int width, int height)
    {
        ushort[] grey = [.. Enumerable.Range(0, width * height).Select(i => (ushort)(i * 7919))];
        using var stream = new MemoryStream();
        PngWriter.WriteGrey16(stream, width, height, grey);
        Assert.Equal(grey.SelectMany(value => Enumerable.Repeat((byte)(value >> 8), 3)), PictureFixtures.Read(stream.ToArray()).Pixels.ToArray());
    }

    [Theory, MemberData(nameof(Sizes))]
    public void Write_Rgb8_ReadsBack(int width, int height)
    {
        byte[] rgb = PictureFixtures.Noise(width * height * 3);
        Assert.Equal(rgb, PictureFixtures.Read(PictureFixtures.Png(width, height, PngKind.Rgb8, rgb)).Pixels.ToArray());
    }

    [Theory, MemberData(nameof(Sizes))]
    public void Write_Rgba8_ColoursAndAlphaReadBack(int width, int height)
    {
        byte[] rgba = PictureFixtures.Noise(width * height * 4), png = PictureFixtures.Png(width, height, PngKind.Rgba8, rgba);
        using SKCodec codec = SKCodec.Create(new MemoryStream(png));
        byte[] actual = new byte[rgba.Length];
        Assert.Equal(SKCodecResult.Success, codec.GetPixels(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul), actual));
        Assert.Equal(rgba, actual);
    }

    [Fact]
    public void Write_LargePicture_SplitsIntoChunksOfWholeFormat()
    {
        byte[] png = PictureFixtures.Png(400, 300, PngKind.Rgb8, PictureFixtures.Noise(400 * 300 * 3));
        var types = new List<string>();
        int at = 8;
        while (at < png.Length)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            types.Add(Encoding.ASCII.GetString(png, at + 4, 4));
            at += 12 + length;
        }
        Assert.Equal(png.Length, at);
        Assert.Equal("IHDR", types[0]);
        Assert.Equal("IEND", types[^1]);
        Assert.True(types.Count > 4);
        Assert.All(types[1..^1], type => Assert.Equal("IDAT", type));
        // The end chunk is the same in every PNG ever written, its CRC included.
        Assert.Equal([0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82], png[^12..]);
    }

    [Fact]
    public void Write_SamePixels_SameBytes()
    {
        byte[] rgb = PictureFixtures.Noise(50 * 40 * 3);
        Assert.Equal(PictureFixtures.Png(50, 40, PngKind.Rgb8, rgb), PictureFixtures.Png(50, 40, PngKind.Rgb8, rgb));
    }

    [Fact]
    public void Write_WrongLength_Throws() => Assert.Throws<ArgumentException>(() => PictureFixtures.Png(2, 2, PngKind.Rgb8, new byte[11]));
}
