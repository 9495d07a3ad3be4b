using System.Buffers.Binary;
using System.Text.Json;
using ClipSegNative.Imaging;

namespace ClipSegNative.Tests.Imaging;

public class ImageReaderTests
{
    public static TheoryData<string> Samples =>
    [
        "bits.png", "cmyk.jpg", "grey.jpg", "grey.png", "grey16.png", "grey_alpha.png", "lossy_alpha.webp", "palette.gif", "palette.png", "palette_alpha.png",
        "progressive.jpg", "rgb.bmp", "rgb.jpg", "rgb.png", "rgb.webp", "rgb16.png", "rgb_trns.png", "rgba.png", "rgba.webp",
    ];

    [Theory, MemberData(nameof(Samples))]
    public void Read_EveryLayout_SamePixelsAsPil(string file)
    {
        string expected = JsonDocument.Parse(File.ReadAllText(TestData.Fixture("pictures", "expected.json"))).RootElement.GetProperty(file).GetString()!;
        Picture picture = ImageReader.Read(TestData.Fixture("pictures", file));
        Assert.Equal((7, 5), (picture.Width, picture.Height));
        Assert.Equal(expected, Convert.ToHexStringLower(picture.Pixels));
    }

    [Theory]
    [InlineData(1, "abc def")]
    [InlineData(2, "cba fed")]
    [InlineData(3, "fed cba")]
    [InlineData(4, "def abc")]
    [InlineData(5, "ad be cf")]
    [InlineData(6, "da eb fc")]
    [InlineData(7, "fc eb da")]
    [InlineData(8, "cf be ad")]
    public void Read_ExifOrientation_TurnsUpright(int orientation, string expected)
    {
        // Six flat blocks of 16 pixels survive JPEG; each is told by its grey level.
        const int Block = 16;
        byte[] grey = new byte[6 * Block * Block];
        for (int y = 0; y < 2 * Block; y++)
            for (int x = 0; x < 3 * Block; x++) grey[y * 3 * Block + x] = (byte)(40 * (y / Block * 3 + x / Block) + 20);
        byte[] jpeg = PictureFixtures.WithExifOrientation(EncodeGreyJpeg(grey, 3 * Block, 2 * Block), orientation);

        Picture upright = PictureFixtures.Read(jpeg);
        Assert.Equal(expected, Blocks(upright));
        Assert.Equal("abc def", Blocks(PictureFixtures.Read(jpeg, new ImageReadOptions { ApplyOrientation = false })));

        static string Blocks(Picture picture) => string.Join(' ', Enumerable.Range(0, picture.Height / Block).Select(row =>
            new string([.. Enumerable.Range(0, picture.Width / Block).Select(column =>
                (char)('a' + picture.Pixels[((row * Block + 8) * picture.Width + column * Block + 8) * 3] / 40))])));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Read_ExifOrientationOddSize_MovesEveryPixel(int orientation)
    {
        byte[] jpeg = PictureFixtures.WithExifOrientation(PictureFixtures.Jpeg(37, 21), orientation);
        Picture stored = PictureFixtures.Read(jpeg, new ImageReadOptions { ApplyOrientation = false }), upright = PictureFixtures.Read(jpeg);
        for (int y = 0; y < 21; y++)
        {
            for (int x = 0; x < 37; x++)
            {
                (int toX, int toY) = orientation switch
                {
                    2 => (36 - x, y),
                    3 => (36 - x, 20 - y),
                    4 => (x, 20 - y),
                    5 => (y, x),
                    6 => (20 - y, x),
                    7 => (20 - y, 36 - x),
                    _ => (y, 36 - x),
                };
                Assert.True(stored.Pixels.Slice((y * 37 + x) * 3, 3).SequenceEqual(upright.Pixels.Slice((toY * upright.Width + toX) * 3, 3)));
            }
        }
    }

    [Fact]
    public void Read_ThirdPartyPhoto_SizeIsKnown()
    {
        Picture picture = ImageReader.Read(TestData.ThirdParty("photos", "astronaut.png"));
        Assert.Equal((512, 512), (picture.Width, picture.Height));
        Assert.Equal([154, 147, 151], picture.Pixels[..3].ToArray());
    }

    [Fact]
    public void Read_StreamNotSeekable_ReadsFromWhereItStands()
    {
        byte[] png = PictureFixtures.Png(70, 90, PngKind.Rgb8, PictureFixtures.Noise(70 * 90 * 3));
        using var inner = new MemoryStream([1, 2, 3, .. png]);
        inner.Position = 3;
        using var trickle = new TrickleStream(inner);
        Assert.Equal(PictureFixtures.Noise(70 * 90 * 3), ImageReader.Read(trickle, "pipe").Pixels.ToArray());
    }

    [Theory]
    [InlineData("grey.jpg", 0.6)]
    [InlineData("progressive.jpg", 0.9)]
    [InlineData("rgb.jpg", 0.99)]
    [InlineData("cmyk.jpg", 0.9)]
    [InlineData("rgb.png", 0.6)]
    [InlineData("rgb.png", 0.2)]
    [InlineData("palette.png", 0.7)]
    [InlineData("rgb.webp", 0.8)]
    [InlineData("lossy_alpha.webp", 0.9)]
    [InlineData("rgb.bmp", 0.9)]
    [InlineData("palette.gif", 0.9)]
    public void Read_CutShort_SaysSo(string file, double share)
    {
        byte[] whole = File.ReadAllBytes(TestData.Fixture("pictures", file));
        PictureException error = Assert.Throws<PictureException>(() => PictureFixtures.Read(whole[..(int)(whole.Length * share)], name: file));
        Assert.StartsWith($"{file} is cut short: ", error.Message);
        Assert.EndsWith(".", error.Message);
    }

    [Fact]
    public void Read_EveryPrefixOfAPhoto_NeverAPicture()
    {
        byte[] progressive = File.ReadAllBytes(TestData.Fixture("pictures", "progressive.jpg"));
        for (int length = 0; length < progressive.Length; length++)
            Assert.Throws<PictureException>(() => PictureFixtures.Read(progressive[..length]));
    }

    [Fact]
    public void Read_CutBehindThumbnail_ThumbnailsEndMarkerDoesNotCount()
    {
        byte[] progressive = File.ReadAllBytes(TestData.Fixture("pictures", "progressive.jpg"));
        byte[] withThumbnail = [0xFF, 0xD8, 0xFF, 0xE1, 0, 6, 0xFF, 0xD8, 0xFF, 0xD9, .. progressive.AsSpan(2)];
        Assert.Equal((7, 5), (PictureFixtures.Read(withThumbnail).Width, PictureFixtures.Read(withThumbnail).Height));
        Assert.Throws<PictureException>(() => PictureFixtures.Read(withThumbnail[..^2]));
    }

    [Fact]
    public void Read_DamagedPixels_SaysSo()
    {
        byte[] png = PictureFixtures.Png(64, 64, PngKind.Rgb8, PictureFixtures.Noise(64 * 64 * 3));
        png.AsSpan(60, 40).Fill(0xAA);
        PictureException error = Assert.Throws<PictureException>(() => PictureFixtures.Read(png, name: "a.png"));
        Assert.StartsWith("a.png is damaged: its PNG pixel data cannot be decoded", error.Message);
    }

    [Theory]
    [InlineData("hello, this is text", "notes.txt is not a picture (first bytes: 68 65 6C 6C).")]
    [InlineData("ab", "notes.txt is not a picture (first bytes: 61 62).")]
    [InlineData("", "notes.txt is empty.")]
    public void Read_NoPicture_SaysWhatIsThere(string content, string message)
    {
        byte[] bytes = System.Text.Encoding.ASCII.GetBytes(content);
        Assert.Equal(message, Assert.Throws<PictureException>(() => PictureFixtures.Read(bytes, name: "notes.txt")).Message);
    }

    [Fact]
    public void Read_MissingFileOrFolder_SaysSo()
    {
        Assert.Equal("nowhere/a.png does not exist.", Assert.Throws<PictureException>(() => ImageReader.Read("nowhere/a.png")).Message);
        string folder = TestData.Fixture("pictures");
        Assert.Equal($"{folder} is a folder, not a picture.", Assert.Throws<PictureException>(() => ImageReader.Read(folder)).Message);
    }

    [Fact]
    public void Read_GiantHeader_RefusedWithoutAllocating()
    {
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, 60000);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), 60000);
        (header[8], header[9]) = (8, 2);
        using var stream = new MemoryStream();
        stream.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        PngChunks.Write(stream, "IHDR"u8, header);
        PngChunks.Write(stream, "IDAT"u8, [0x78, 0x9C]);
        byte[] png = stream.ToArray();
        long before = GC.GetTotalAllocatedBytes();
        PictureException error = Assert.Throws<PictureException>(() => PictureFixtures.Read(png, name: "x.png"));
        Assert.StartsWith("x.png claims 60000 x 60000 pixels, more than the limit of 100 megapixels; ", error.Message);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 64 << 20);
    }

    [Fact]
    public void Read_MorePixelsThanAllowed_Refused()
    {
        byte[] png = PictureFixtures.Png(10, 10, PngKind.Rgb8, new byte[300]);
        Assert.Equal(10, PictureFixtures.Read(png, new ImageReadOptions { MaxPixels = 100 }).Width);
        PictureException error = Assert.Throws<PictureException>(() => PictureFixtures.Read(png, new ImageReadOptions { MaxPixels = 99 }));
        Assert.Contains("limit of 99 pixels", error.Message);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Read_MoreBytesThanAllowed_StopsReading(bool seekable)
    {
        byte[] png = PictureFixtures.Png(300, 300, PngKind.Rgb8, PictureFixtures.Noise(300 * 300 * 3));
        using var inner = new MemoryStream(png);
        using Stream stream = seekable ? inner : new TrickleStream(inner);
        PictureException error = Assert.Throws<PictureException>(() => ImageReader.Read(stream, "big.png", new ImageReadOptions { MaxBytes = 1000 }));
        Assert.Equal("big.png is larger than the limit of 1000 bytes; raise MaxBytes if that is meant.", error.Message);
        Assert.InRange(inner.Position, 0, 1001);
        inner.Position = 0;
        Assert.Equal(300, ImageReader.Read(inner, "big.png", new ImageReadOptions { MaxBytes = png.Length }).Width);
    }

    static byte[] EncodeGreyJpeg(byte[] grey, int width, int height)
    {
        using var bitmap = new SkiaSharp.SKBitmap(width, height, SkiaSharp.SKColorType.Gray8, SkiaSharp.SKAlphaType.Opaque);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) bitmap.SetPixel(x, y, new SkiaSharp.SKColor(grey[y * width + x], grey[y * width + x], grey[y * width + x]));
        using SkiaSharp.SKData data = bitmap.Encode(SkiaSharp.SKEncodedImageFormat.Jpeg, 95);
        return data.ToArray();
    }

    /// <summary>Gives at most 100 bytes a read and knows no length, as a pipe.</summary>
    sealed class TrickleStream(Stream inner) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, Math.Min(count, 100));
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
