using ClipSegNative.Backends;
using ClipSegNative.Evaluation;
using ClipSegNative.Training;

namespace ClipSegNative.Tests.Training;

public class CollapseGuardTests
{
    static readonly PixelCounts Nothing = new(0, 0, 10, 90), Everything = new(10, 90, 0, 0), Fair = new(5, 5, 5, 85);

    [Fact]
    public void Look_AllBackground_IsSaidOnceWithTheTrivialScores()
    {
        var guard = new CollapseGuard(window: 3);
        string?[] said = [.. Enumerable.Range(0, 6).Select(_ => guard.Look(Nothing))];
        Assert.Equal(
            "the last 3 training phrases: every pixel is predicted background, mean IoU 0.000 (pixel accuracy 0.900); "
            + "trivially, all background gets 0.000 (pixel accuracy 0.900), all foreground 0.100 (pixel accuracy 0.100)",
            Assert.Single(said, sentence => sentence is not null));
    }

    [Fact]
    public void Look_OneFairAnswerBetween_SaysItAgain()
    {
        var guard = new CollapseGuard(window: 2);
        PixelCounts[] answers = [Nothing, Nothing, Nothing, Fair, Nothing, Nothing, Nothing];
        Assert.Equal(2, answers.Count(answer => guard.Look(answer) is not null));
    }

    [Fact]
    public void Describe_AllForeground_IsNamed() => Assert.StartsWith("every pixel is predicted foreground, mean IoU 0.100", CollapseGuard.Describe([Everything, Everything]), StringComparison.Ordinal);

    [Fact]
    public void Describe_OneAnswerDiffers_IsNoCollapse() => Assert.Null(CollapseGuard.Describe([Nothing, Fair, Nothing]));

    [Fact]
    public void Describe_OnlyEmptyTargetsLeftEmpty_IsNoCollapse() => Assert.Null(CollapseGuard.Describe([new PixelCounts(0, 0, 0, 100)]));

    [Fact]
    public void Count_SumsOfALoss_GivesTheFourCounts()
    {
        var sums = new float[MaskLosses.Sums];
        (sums[MaskLosses.HitCount], sums[MaskLosses.PositiveCount], sums[MaskLosses.TargetSum]) = (5, 10, 10);
        Assert.Equal(Fair, CollapseGuard.Count(sums, pixels: 100));
    }
}
