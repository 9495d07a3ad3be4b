using ClipSegNative.Imaging;

namespace ClipSegNative.Tests;

public class SegmentationTests
{
    /// <summary>Two columns of four are found.</summary>
    static readonly Segmentation Half = Segmentation.FromLogits("half", [4, -4], 2, 1, width: 4, height: 2);

    [Fact]
    public void FromLogits_SameSize_GivesTheSigmoidAndTheHighestOne()
    {
        Segmentation result = Segmentation.FromLogits("a cat", [0, 1, -1, 2], 2, 2, width: 2, height: 2);
        Assert.Equal([0.5f, 0.731059f, 0.268941f, 0.880797f], result.Probabilities(), (expected, actual) => Math.Abs(expected - actual) < 1e-6f);
        Assert.Equal(result.Probabilities().Max(), result.Score, tolerance: 1e-6f);
        Assert.Equal(result.Logits.ToArray(), result.LogitsMemory.ToArray());
        Assert.Equal("a cat", result.Text);
    }

    [Theory]
    [InlineData(0, 4)]
    [InlineData(0.5, 4)]
    [InlineData(0.51, 0)]
    public void Mask_SmallerThanTheLeastArea_ComesBackEmpty(double minArea, int area)
    {
        Mask mask = Half.Mask(minArea: minArea);
        Assert.Equal(area, mask.Area);
        Assert.Equal((4, 2), (mask.Width, mask.Height));
    }

    [Fact]
    public void Segmentation_BadArguments_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Half.Mask(minArea: 1.5));
        Assert.Throws<ArgumentOutOfRangeException>(() => Half.Mask(minArea: double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => Half.Mask(0));
        Assert.Throws<ArgumentException>(() => Half.CopyProbabilities(new float[7]));
        Assert.Throws<ArgumentException>(() => Segmentation.FromLogits("", [1, 2, 3], 2, 2, 1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Segmentation.FromLogits("", [1], 1, 1, 0, 1));
    }
}
