using ClipSegNative.Training;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Training;

public class LearningRateScheduleTests
{
    [Fact]
    public void At_CosineWithoutWarmUp_IsPyTorchsCosineAnnealing()
    {
        using var file = new SafetensorsFile(TestData.Fixture("clipseg-tiny-simple", "case.safetensors"));
        Assert.True(file.TryFind("expected.train.lrs", out WeightEntry entry));
        float[] expected = entry.Singles().ToArray();
        var schedule = new LearningRateSchedule(Peak: 1e-3, Least: 1e-4, expected.Length, WarmUp: 0);
        for (int step = 0; step < expected.Length; step++) Assert.Equal(expected[step], schedule.At(step), tolerance: 1e-10);
    }

    [Theory]
    [InlineData(0, 0.25)]
    [InlineData(3, 1)]      // the last step of the warm-up has the peak
    [InlineData(4, 1)]
    [InlineData(9, 0.6)]    // half-way from 4 to 14: the middle of 1 and 0.2
    [InlineData(14, 0.2)]
    [InlineData(99, 0.2)]
    public void At_WarmUpThenCosine_FollowsTheClosedForm(long step, double expected) =>
        Assert.Equal(expected, new LearningRateSchedule(Peak: 1, Least: 0.2, Steps: 14, WarmUp: 4).At(step), tolerance: 1e-12);

    [Fact]
    public void At_LeastIsPeak_StaysConstant() =>
        Assert.All(Enumerable.Range(0, 10), step => Assert.Equal(0.01, new LearningRateSchedule(0.01, 0.01, Steps: 10, WarmUp: 0).At(step)));

    [Fact]
    public void At_WarmUpAsLongAsTheRun_NeverFalls() => Assert.Equal(1, new LearningRateSchedule(1, 0, Steps: 5, WarmUp: 5).At(4));
}
