using System.Diagnostics;
using ClipSegNative.Imaging;
using SkiaSharp;

namespace ClipSegNative.Tests.Imaging;

/// <summary>Files made to hurt: whatever they hold, reading gives a picture or one sentence, soon and within the limits.</summary>
public class ImageReaderHostileTests(ITestOutputHelper output)
{
    const int Files = 2000, MaxPixels = 1_000_000;

    [Theory]
    [InlineData("jpg")]
    [InlineData("png")]
    [InlineData("webp")]
    [InlineData("gif")]
    [InlineData("bmp")]
    public void Read_TwoThousandMutatedFiles_PictureOrOneSentence(string extension)
    {
        byte[][] seeds = Seeds(extension);
        var random = new Random(11);
        var options = new ImageReadOptions { MaxPixels = MaxPixels };
        (int pictures, double slowest) = (0, 0);
        for (int i = 0; i < Files; i++)
        {
            byte[] mutated = Mutate(seeds[i % seeds.Length], seeds[random.Next(seeds.Length)], random);
            string name = $"{i}.{extension}";
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            var clock = Stopwatch.StartNew();
            try
            {
                Picture picture = PictureFixtures.Read(mutated, options, name);
                pictures++;
                Assert.InRange((long)picture.Width * picture.Height, 1, MaxPixels);
            }
            catch (PictureException error)
            {
                Assert.StartsWith(name, error.Message, StringComparison.Ordinal);
                Assert.Matches(@"^.{8,400}\.$", error.Message[name.Length..]);   // '.' is no line feed
            }
            slowest = Math.Max(slowest, clock.Elapsed.TotalMilliseconds);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 3 * MaxPixels + (1 << 20));
        }
        output.WriteLine($"{extension}: {pictures} of {Files} are still pictures; slowest {slowest:0} ms");
        Assert.InRange(pictures, 1, Files - 1);
        Assert.InRange(slowest, 0, 3000);
    }

    [Fact]
    public void Read_ProgressiveJpegOfManyScans_Refused()
    {
        byte[] once = File.ReadAllBytes(TestData.Fixture("pictures", "progressive.jpg"));
        Assert.Equal(1, PictureFormat.JpegScans(PictureFixtures.Jpeg(90, 70)));
        int scans = PictureFormat.JpegScans(once);
        Assert.InRange(scans, 2, 20);
        // The last scan again and again, as large pictures can have it: the header of the small one is made to claim more pixels.
        int last = once.AsSpan().LastIndexOf([(byte)0xFF, (byte)0xDA]);
        byte[] again = [.. once[..^2], .. Enumerable.Repeat(once[last..^2], 200).SelectMany(scan => scan), 0xFF, 0xD9];
        Assert.Equal(scans + 200, PictureFormat.JpegScans(again));
        int size = again.AsSpan().IndexOf([(byte)0xFF, (byte)0xC2]) + 5;
        (again[size], again[size + 2]) = (5000 >> 8, 5000 >> 8);
        PictureException error = Assert.Throws<PictureException>(() => PictureFixtures.Read(again, name: "scans.jpg"));
        Assert.StartsWith("scans.jpg is refused: it paints its ", error.Message, StringComparison.Ordinal);
    }

    /// <summary>The small samples of every layout, and a larger one whose pixels fill several blocks.</summary>
    static byte[][] Seeds(string extension)
    {
        byte[][] samples = [.. Directory.EnumerateFiles(TestData.Fixture("pictures"), $"*.{extension}").Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];
        SKEncodedImageFormat? encoder = extension switch
        {
            "jpg" => SKEncodedImageFormat.Jpeg,
            "png" => SKEncodedImageFormat.Png,
            "webp" => SKEncodedImageFormat.Webp,
            _ => null,   // Skia writes no others
        };
        if (encoder is null) return samples;
        using var bitmap = new SKBitmap(90, 70, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        for (int i = 0; i < 90 * 70; i++) bitmap.SetPixel(i % 90, i / 90, new SKColor((byte)(i % 90 * 2), (byte)(i / 90 * 3), (byte)(i * 7), (byte)(i % 90 + 100)));
        return [.. samples, bitmap.Encode(encoder.Value, 80).ToArray()];
    }

    static byte[] Mutate(byte[] whole, byte[] other, Random random)
    {
        List<byte> bytes = [.. whole];
        for (int n = random.Next(1, 4); n > 0 && bytes.Count > 0; n--)
        {
            // Headers lie in front: half of the damage is done there.
            int at = random.Next(random.Next(2) == 0 ? Math.Min(64, bytes.Count) : bytes.Count), length = random.Next(Math.Min(40, bytes.Count - at) + 1);
            switch (random.Next(7))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes.RemoveRange(at, length); break;
                case 3: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
                case 4: bytes.RemoveRange(at, bytes.Count - at); break;
                case 5: bytes = [.. bytes[..at], .. other.AsSpan(Math.Min(at, other.Length))]; break;
                // Lengths and sizes that overflow.
                default: for (int i = at; i < Math.Min(at + 4, bytes.Count); i++) bytes[i] = i == at ? (byte)random.Next(256) : (byte)0xFF; break;
            }
        }
        return [.. bytes];
    }
}
