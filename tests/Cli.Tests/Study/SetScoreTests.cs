using ClipSegNative.Cli.Study;

namespace ClipSegNative.Cli.Tests.Study;

public class SetScoreTests
{
    const int Pixels = 1000;

    [Fact]
    public void Conclude_TargetsOfThreeSizes_AreApartAndTogether()
    {
        var scorer = new SetScorer();
        scorer.Add(Found(10, 0.9f), Target(10));    // 1 %: small, IoU 1
        scorer.Add(Found(20, 0.4f), Target(40));    // 4 %: medium, IoU 0.5 below 0.4
        scorer.Add(Found(100, 0.9f), Target(200));  // 20 %: large, IoU 0.5
        scorer.Add(Found(0, 0), Target(0));
        scorer.Add(Found(5, 0.3f), Target(0));
        SetScore score = scorer.Conclude();
        Assert.Equal((3, 2), (score.Targets, score.Absent));
        Assert.Equal([1, 1, 1], score.TargetsBySize);
        Assert.Equal([1, 0, 0.5], score.IouBySize.Select(size => size[SetScore.Half]));
        Assert.Equal((1 + 0 + 0.5) / 3, score.Iou[SetScore.Half], 1e-12);
        Assert.Equal((1 + 0.5 + 0.5) / 3, score.Iou[score.Best], 1e-12);
        Assert.Equal(0, score.Best);   // the lowest threshold of equal ones: 0.02
        Assert.Equal(0.25, score.IouAboveSmall(SetScore.Half), 1e-12);
        Assert.Equal((1, 0.5), (score.Empty[SetScore.Half], score.Empty[0]));
        Assert.Equal((1 + 0.96 + 0.9 + 1 + 1) / 5, score.Accuracy, 1e-12);
        Assert.Equal((1 + 0 + 2 / 3.0) / 3, score.Dice, 1e-12);
    }

    [Fact]
    public void Conclude_OnlyAbsentPhrases_HoldsNumbersThatJsonCanWrite()
    {
        var scorer = new SetScorer();
        scorer.Add(Found(0, 0), Target(0));
        SetScore score = scorer.Conclude();
        Assert.Equal((0, 1, 1.0), (score.Targets, score.Absent, score.Empty[0]));
        Assert.All([score.Accuracy, score.Dice, score.IouForeground, score.AveragePrecision, .. score.Iou], value => Assert.True(double.IsFinite(value)));
    }

    static float[] Found(int count, float probability) => [.. Enumerable.Range(0, Pixels).Select(i => i < count ? probability : 0)];

    static byte[] Target(int count) => [.. Enumerable.Range(0, Pixels).Select(i => i < count ? (byte)1 : (byte)0)];
}
