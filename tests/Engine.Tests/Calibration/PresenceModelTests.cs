using ClipSegNative.Calibration;

namespace ClipSegNative.Tests.Calibration;

public class PresenceModelTests
{
    [Fact]
    public void Of_KnownLogits_GivesTheThreeFeatures()
    {
        // Probabilities 0.5, 0.5, 0.8, 0.2: sum 2, squares 0.25 + 0.25 + 0.64 + 0.04.
        float ln4 = MathF.Log(4);
        PresenceFeatures features = PresenceFeatures.Of([0, 0, ln4, -ln4]);
        Assert.Equal(Math.Log(4), features.Peak, tolerance: 1e-6);
        Assert.Equal(1.18 / 2, features.Firmness, tolerance: 1e-6);
        Assert.Equal(Math.Log(0.5), features.Extent, tolerance: 1e-6);
        Assert.Equal([features.Peak, features.Firmness, features.Extent], features.ToArray());
    }

    [Fact]
    public void Of_LargerMapOfTheSame_GivesTheSame()
    {
        float[] map = [.. Enumerable.Range(0, 50).Select(i => MathF.Sin(i) * 6)];
        PresenceFeatures one = PresenceFeatures.Of(map), four = PresenceFeatures.Of([.. map, .. map, .. map, .. map]);
        Assert.Equal(one.ToArray(), four.ToArray(), (a, b) => Math.Abs(a - b) < 1e-5);
    }

    [Theory]
    [InlineData(-1e30f)]
    [InlineData(1e30f)]
    public void Of_ExtremeLogits_StaysFinite(float logit) =>
        Assert.All(PresenceFeatures.Of([logit, logit]).ToArray(), value => Assert.True(double.IsFinite(value)));

    [Fact]
    public void Score_WeightedSum_GoesThroughTheLogisticFunction()
    {
        var model = new PresenceModel(Bias: 1, Peak: 2, Firmness: -3, Extent: 0.5);
        Assert.Equal(1 / (1 + Math.Exp(-(1 + 2 * 0.5 - 3 * 0.25 + 0.5 * -2))), model.Score(new PresenceFeatures(0.5, 0.25, -2)), tolerance: 1e-6);
    }
}
