using ClipSegNative.Calibration;
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

    [Fact]
    public void Mask_UncalibratedModel_KnowsNoPresence()
    {
        Assert.Equal((0.3f, 0f, true), (Half.Threshold, Half.PresenceThreshold, Half.IsPresent));
        Assert.Equal(0, Half.Mask(presence: 0.99f).Area);   // its score is 0.982
        Assert.Equal(4, Half.Mask(presence: 0.98f).Area);
        Assert.Throws<ArgumentOutOfRangeException>(() => Half.Mask(presence: 1.1f));
        Assert.Throws<ArgumentOutOfRangeException>(() => Segmentation.Labels([Half], presence: -1));
    }

    [Theory]
    [InlineData(3f, null, null, 4)]       // there: the model's own threshold, 0.6, finds the left half
    [InlineData(3f, 0.01f, null, 8)]      // the threshold alone is overridden
    [InlineData(-3f, null, null, 0)]      // not there
    [InlineData(-3f, 0.01f, null, 0)]     // a threshold does not make it be there
    [InlineData(-3f, null, 0f, 4)]        // unless presence is switched off
    [InlineData(3f, null, 0.99f, 0)]      // or more is asked for than there is
    public void Mask_CalibratedModel_IsEmptyBelowItsPresenceThreshold(float bias, float? threshold, float? presence, int area)
    {
        Segmentation result = Calibrated(bias);
        Assert.Equal((0.6f, 0.5f, bias > 0), (result.Threshold, result.PresenceThreshold, result.IsPresent));
        Assert.Equal(1 / (1 + Math.Exp(-bias)), result.Score, tolerance: 1e-6);
        Assert.Equal(area, result.Mask(threshold, presence: presence).Area);
        Assert.Equal(area, Segmentation.Labels([result], threshold, presence).Pixels.ToArray().Count(label => label == 1));
    }

    /// <summary>A score that its bias alone decides.</summary>
    static Segmentation Calibrated(float bias)
    {
        var result = new Segmentation(2, 1, new SegmentationConfig { Threshold = 0.6f, Presence = new PresenceModel(bias, 0, 0, 0), PresenceThreshold = 0.5f });
        ((float[])[4, -4]).CopyTo(result.Begin("half", width: 4, height: 2));
        result.End();
        return result;
    }
}
