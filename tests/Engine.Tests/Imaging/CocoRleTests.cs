using ClipSegNative.Imaging;
using CsCheck;

namespace ClipSegNative.Tests.Imaging;

public class CocoRleTests
{
    [Fact]
    public void ToRle_HandMadeMask_RunsDownTheColumns()
    {
        // 0 1 1
        // 0 1 0
        CocoRle rle = Mask.FromPixels([0, 1, 1, 0, 1, 0], 3, 2).ToRle();
        Assert.Equal([2, 3, 1], rle.Counts.ToArray());
        Assert.Equal(3, rle.Area);
    }

    [Fact]
    public void ToRle_FirstPixelFound_StartsWithEmptyRun() => Assert.Equal([0, 4], Mask.FromPixels([1, 1, 1, 1], 2, 2).ToRle().Counts.ToArray());

    [Fact]
    public void ToRle_Empty_IsOneRun() => Assert.Equal([6], new Mask(new byte[6], 3, 2).ToRle().Counts.ToArray());

    [Theory]
    // Groups of 5 bits from '0'; from the fourth count on the difference to the count two before (maskApi.c, rleToString).
    [InlineData(new[] { 6, 1, 40, 4, 5, 4, 5, 4, 21 }, "61X13mN000`0")]   // a known COCO string: 90 pixels
    [InlineData(new[] { 0, 15 }, "0?")]
    [InlineData(new[] { 0, 16 }, "0`0")]   // 16 alone would read as -16: a second group follows
    [InlineData(new[] { 0, 31, 1 }, "0o01")]
    [InlineData(new[] { 3, 40, 3, 8 }, "3X13PO")]   // 8 - 40 = -32
    public void ToCompressedString_KnownRuns_KnownText(int[] counts, string text)
    {
        int pixels = counts.Sum();
        Assert.Equal(text, CocoRle.FromCounts(counts, pixels, 1).ToCompressedString());
        Assert.Equal(counts, CocoRle.Parse(text, 1, pixels).Counts.ToArray());
    }

    [Fact]
    public void RoundTrip_AnyMask_SameMask() =>
        Gen.Select(Gen.Int[1, 150], Gen.Int[1, 40], Gen.Int, Gen.Int[0, 255]).Sample((width, height, seed, above) =>
        {
            Mask mask = Mask.FromPixels([.. PictureFixtures.Noise(width * height, seed).Select(value => value > above ? (byte)1 : (byte)0)], width, height);
            CocoRle rle = mask.ToRle();
            Assert.Equal(mask.Area, rle.Area);
            CocoRle parsed = CocoRle.Parse(rle.ToCompressedString(), width, height);
            Assert.Equal(rle.Counts.ToArray(), parsed.Counts.ToArray());
            Assert.Equal(mask.Pixels.ToArray(), parsed.ToMask().Pixels.ToArray());
        }, iter: 300);

    [Fact]
    public void Parse_AnyText_RleOrFormatException() =>
        Gen.String[Gen.Char['/', 'q'], 0, 30].Sample(text =>
        {
            try
            {
                Assert.Equal(60, CocoRle.Parse(text, 10, 6).Counts.ToArray().Sum());
            }
            catch (FormatException)
            {
            }
        });

    [Theory]
    [InlineData("/")]
    [InlineData("p")]
    [InlineData("X")]   // ends inside a number
    [InlineData("oooooooo0")]   // more than 32 bits
    [InlineData("O")]   // negative
    [InlineData("6")]   // 6 pixels of 7
    [InlineData("8")]
    [InlineData("")]
    public void Parse_Hostile_FormatException(string text) => Assert.Throws<FormatException>(() => CocoRle.Parse(text, 7, 1));

    [Fact]
    public void FromCounts_NegativeOrWrongTotal_FormatException()
    {
        Assert.Throws<FormatException>(() => CocoRle.FromCounts([5, -1, 2], 6, 1));
        Assert.Throws<FormatException>(() => CocoRle.FromCounts([int.MaxValue, int.MaxValue, 8], 6, 1));
        Assert.Throws<FormatException>(() => CocoRle.FromCounts([1], 1 << 20, 1 << 20));
    }
}
