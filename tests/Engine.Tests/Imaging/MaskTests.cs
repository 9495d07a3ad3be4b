using ClipSegNative.Imaging;
using CsCheck;

namespace ClipSegNative.Tests.Imaging;

public class MaskTests
{
    [Fact]
    public void Box_SomePixels_IsTheSmallestRectangle()
    {
        byte[] pixels = new byte[6 * 5];
        pixels[1 * 6 + 4] = pixels[3 * 6 + 2] = 9;
        Mask mask = Mask.FromPixels(pixels, 6, 5);
        Assert.Equal(new PixelBox(2, 1, 3, 3), mask.Box);
        Assert.Equal(2, mask.Area);
    }

    [Fact]
    public void Box_Empty_IsZero() => Assert.Equal(default, Mask.FromPixels(new byte[12], 4, 3).Box);

    [Fact]
    public void Box_AnyMask_HoldsAllPixelsAndTouchesFourSides() =>
        Gen.Select(Gen.Int[1, 20], Gen.Int[1, 20], Gen.Int, Gen.Int[0, 255]).Sample((width, height, seed, above) =>
        {
            Mask mask = Mask.FromPixels([.. PictureFixtures.Noise(width * height, seed).Select(value => value > above ? (byte)1 : (byte)0)], width, height);
            var found = Enumerable.Range(0, width * height).Where(i => mask.Pixels[i] != 0).Select(i => (X: i % width, Y: i / width)).ToList();
            Assert.Equal(found.Count, mask.Area);
            if (found.Count == 0) return;
            (int left, int top) = (found.Min(p => p.X), found.Min(p => p.Y));
            Assert.Equal(new PixelBox(left, top, found.Max(p => p.X) - left + 1, found.Max(p => p.Y) - top + 1), mask.Box);
        });

    [Fact]
    public void FromProbabilities_ThresholdItselfAndNaN_AreNotFound()
    {
        // More than 16, so that both the vector loop and its rest are met.
        float[] five = [0.5f, float.NaN, MathF.BitIncrement(0.5f), 1f, 0.1f], probabilities = [.. Enumerable.Range(0, 37).Select(i => five[i % 5])];
        Mask mask = Mask.FromProbabilities(probabilities, 37, 1, 0.5f);
        Assert.Equal(Enumerable.Range(0, 37).Select(i => i % 5 is 2 or 3 ? (byte)1 : (byte)0), mask.Pixels.ToArray());
    }

    [Fact]
    public void Save_File_IsOneBitPngOfTheMask()
    {
        using var folder = new TemporaryFolder();
        byte[] pixels = [.. PictureFixtures.Noise(31 * 17).Select(value => (byte)(value & 1))];
        string path = folder.File("möwe 1.png");
        Mask.FromPixels(pixels, 31, 17).Save(path);
        byte[] png = File.ReadAllBytes(path);
        Assert.Equal((1, 0), (png[24], png[25]));
        Assert.Equal(pixels.SelectMany(value => Enumerable.Repeat((byte)(value * 255), 3)), ImageReader.Read(path).Pixels.ToArray());
    }

    [Fact]
    public void Save_MissingFolder_SaysWhat()
    {
        PictureException error = Assert.Throws<PictureException>(() => new Mask([1], 1, 1).Save(Path.Combine("nowhere", "mask.png")));
        Assert.StartsWith(Path.Combine("nowhere", "mask.png") + " cannot be written: the folder ", error.Message);
    }

    [Fact]
    public void FromPixels_WrongLength_Throws() => Assert.Throws<ArgumentException>(() => Mask.FromPixels(new byte[5], 2, 3));
}
