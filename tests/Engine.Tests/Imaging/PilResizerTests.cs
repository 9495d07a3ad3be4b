using System.Security.Cryptography;
using ClipSegNative.Imaging;
using CsCheck;

namespace ClipSegNative.Tests.Imaging;

public class PilResizerTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Resize_PilCases_SameBits(bool vectorised)
    {
        Dictionary<string, (int[] Shape, byte[] Data)> cases = PictureFixtures.ReadBytesTensors(TestData.Fixture("resize_cases.safetensors"));
        var resizer = new PilResizer(vectorised);
        int compared = 0;
        foreach ((string name, (int[] shape, byte[] expected)) in cases.Where(entry => !entry.Key.EndsWith(".input", StringComparison.Ordinal)))
        {
            string[] parts = name.Split('.');
            (int[] from, byte[] input) = cases[parts[0] + ".input"];
            byte[] actual = new byte[expected.Length];
            resizer.Resize(input, from[1], from[0], 3, actual, shape[1], shape[0], Enum.Parse<ResizeFilter>(parts[1], ignoreCase: true));
            Assert.True(expected.AsSpan().SequenceEqual(actual), $"{name}: {from[1]} x {from[0]} to {shape[1]} x {shape[0]} differs.");
            compared++;
        }
        Assert.Equal(24, compared);
    }

    [Fact]
    public void Resize_AnySizesFilterAndChannels_AgreesWithPlainDefinition()
    {
        Gen<int> size = Gen.Int[1, 40];
        Gen.Select(size, size, size, size, Gen.Int[1, 5], Gen.Bool, Gen.Int).Sample((width, height, outWidth, outHeight, channels, cubic, seed) =>
        {
            byte[] source = PictureFixtures.Noise(width * height * channels, seed);
            ResizeFilter filter = cubic ? ResizeFilter.Bicubic : ResizeFilter.Bilinear;
            byte[] expected = Naive(source, width, height, channels, outWidth, outHeight, filter);
            foreach (bool vectorised in (bool[])[true, false])
            {
                byte[] actual = new byte[expected.Length];
                new PilResizer(vectorised).Resize(source, width, height, channels, actual, outWidth, outHeight, filter);
                Assert.Equal(expected, actual);
            }
        }, iter: 400);
    }

    [Fact]
    public void Resize_BlackAndWhiteCubic_OvershootIsClamped()
    {
        byte[] source = new byte[16 * 16 * 3];
        for (int i = 0; i < source.Length; i++) source[i] = i / 3 % 16 / 4 % 2 == 0 ? (byte)0 : (byte)255;
        byte[] actual = new byte[50 * 50 * 3];
        new PilResizer().Resize(source, 16, 16, 3, actual, 50, 50, ResizeFilter.Bicubic);
        Assert.Equal(Naive(source, 16, 16, 3, 50, 50, ResizeFilter.Bicubic), actual);
        Assert.Contains((byte)255, actual);
        Assert.Contains((byte)0, actual);
    }

    [Fact]
    public void Resize_ConstantPicture_StaysConstant() =>
        Gen.Select(Gen.Int[1, 60], Gen.Int[1, 60], Gen.Int[1, 60], Gen.Byte, Gen.Bool).Sample((width, height, target, value, cubic) =>
        {
            byte[] source = Enumerable.Repeat(value, width * height * 3).ToArray(), actual = new byte[target * target * 3];
            new PilResizer().Resize(source, width, height, 3, actual, target, target, cubic ? ResizeFilter.Bicubic : ResizeFilter.Bilinear);
            Assert.Equal(-1, actual.AsSpan().IndexOfAnyExcept(value));
        }, iter: 200);

    [Fact]
    public void Resize_SameSize_CopiesPixels()
    {
        byte[] source = PictureFixtures.Noise(9 * 7 * 3), actual = new byte[source.Length];
        new PilResizer().Resize(source, 9, 7, 3, actual, 9, 7, ResizeFilter.Bicubic);
        Assert.Equal(source, actual);
    }

    [Fact]
    public void Resize_SizesChangeBetweenCalls_TablesFollow()
    {
        var shared = new PilResizer();
        (int, int, int, int)[] sizes = [(60, 40, 7, 9), (5, 5, 50, 60), (60, 40, 7, 9), (40, 60, 9, 7)];
        foreach ((int width, int height, int outWidth, int outHeight) in sizes)
        {
            byte[] source = PictureFixtures.Noise(width * height * 3, seed: width), actual = new byte[outWidth * outHeight * 3];
            shared.Resize(source, width, height, 3, actual, outWidth, outHeight, ResizeFilter.Bilinear);
            Assert.Equal(Naive(source, width, height, 3, outWidth, outHeight, ResizeFilter.Bilinear), actual);
        }
    }

    [Fact]
    public void Resize_SecondCallWithSameSizes_AllocatesNothing()
    {
        var resizer = new PilResizer();
        byte[] source = PictureFixtures.Noise(320 * 200 * 3), target = new byte[64 * 64 * 3];
        resizer.Resize(source, 320, 200, 3, target, 64, 64, ResizeFilter.Bicubic);
        long before = GC.GetAllocatedBytesForCurrentThread();
        resizer.Resize(source, 320, 200, 3, target, 64, 64, ResizeFilter.Bicubic);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Resize_WrongLength_Throws()
    {
        Assert.Throws<ArgumentException>(() => new PilResizer().Resize(new byte[11], 2, 2, 3, new byte[3], 1, 1, ResizeFilter.Bilinear));
        Assert.Throws<ArgumentException>(() => new PilResizer().Resize(new byte[12], 2, 2, 3, new byte[4], 1, 1, ResizeFilter.Bilinear));
    }

    /// <summary>Hashes of what PIL 9.4 gives: decoding and resizing a whole photo, JPEG included, end in its very bits.</summary>
    [Theory]
    [InlineData("astronaut.png", 352, 352, "Bilinear", "f9e2c6e2116ea80a")]
    [InlineData("astronaut.png", 1000, 900, "Bicubic", "1d4939ae3761804f")]
    [InlineData("rocket.jpg", 352, 352, "Bilinear", "0a7b2f0e4538a33a")]
    [InlineData("rocket.jpg", 1000, 900, "Bicubic", "f7054b634406ef16")]
    public void Resize_ThirdPartyPhoto_SameBitsAsPil(string file, int width, int height, string filter, string hash)
    {
        Picture photo = ImageReader.Read(TestData.ThirdParty("photos", file));
        byte[] resized = new byte[width * height * 3];
        new PilResizer().Resize(photo.Pixels, photo.Width, photo.Height, 3, resized, width, height, Enum.Parse<ResizeFilter>(filter));
        Assert.Equal(hash, Convert.ToHexStringLower(SHA256.HashData(resized))[..16]);
    }

    /// <summary>The definition, sample by sample: 22-bit weights from doubles, each pass rounded to 8 bits, a pass skipped where the size stays.</summary>
    static byte[] Naive(byte[] source, int width, int height, int channels, int outWidth, int outHeight, ResizeFilter filter)
    {
        byte[] between = width == outWidth
            ? source
            : Pass(source, height, width, outWidth, channels, filter, (line, at, c, extent) => (line * extent + at) * channels + c);
        if (height == outHeight) return between;
        return Pass(between, outWidth, height, outHeight, channels, filter, (line, at, c, _) => (at * outWidth + line) * channels + c);
    }

    static byte[] Pass(byte[] source, int lines, int input, int output, int channels, ResizeFilter filter, Func<int, int, int, int, int> index)
    {
        byte[] result = new byte[lines * output * channels];
        double scale = (double)input / output, widened = Math.Max(1, scale), support = widened * (filter == ResizeFilter.Bilinear ? 1 : 2);
        for (int o = 0; o < output; o++)
        {
            double centre = (o + 0.5) * scale;
            int first = Math.Max(0, (int)(centre - support + 0.5)), end = Math.Min(input, (int)(centre + support + 0.5));
            double[] weights = [.. Enumerable.Range(first, end - first).Select(i => Kernel((i - centre + 0.5) * (1 / widened), filter))];
            double total = 0;
            foreach (double weight in weights) total += weight;
            for (int line = 0; line < lines; line++)
            {
                for (int c = 0; c < channels; c++)
                {
                    long sum = 1 << 21;
                    for (int t = 0; t < weights.Length; t++)
                    {
                        double exact = weights[t] / total * (1 << 22);
                        sum += source[index(line, first + t, c, input)] * (long)(exact < 0 ? exact - 0.5 : exact + 0.5);
                    }
                    result[index(line, o, c, output)] = (byte)Math.Clamp(sum >> 22, 0, 255);
                }
            }
        }
        return result;
    }

    static double Kernel(double x, ResizeFilter filter)
    {
        x = Math.Abs(x);
        if (filter == ResizeFilter.Bilinear) return Math.Max(0, 1 - x);
        return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? -0.5 * (((x - 5) * x + 8) * x - 4) : 0;
    }
}
