using ClipSegNative.Cli.Study;
using ClipSegNative.Evaluation;

namespace ClipSegNative.Cli.Tests.Study;

public class FindingsTests
{
    [Theory]
    [InlineData(new[] { 0.5, 0.5, 0.5 }, 0.5, 0)]
    [InlineData(new[] { 1.0, 2.0, 3.0, 4.0 }, 2.5, 1.2909944487358056)]
    [InlineData(new[] { 0.7 }, 0.7, 0)]
    public void Of_Numbers_GivesMeanAndSampleDeviation(double[] values, double mean, double deviation)
    {
        Spread spread = Spread.Of(values);
        Assert.Equal(mean, spread.Mean, 1e-12);
        Assert.Equal(deviation, spread.Deviation, 1e-12);
        Assert.Equal(deviation / Math.Sqrt(values.Length), spread.StandardError, 1e-12);
    }

    [Fact]
    public void ToString_OneNumberAndNone_HaveNoSpread()
    {
        Assert.Equal("0.700", Spread.Of([0.7]).ToString());
        Assert.Equal("-", Spread.Of([]).ToString());
        Assert.Equal("0.500 ± 0.141", Spread.Of([0.4, 0.6]).ToString());
    }

    [Theory]
    [InlineData(new[] { 0.05, 0.06, 0.04 }, nameof(Verdict.Confirmed))]
    [InlineData(new[] { -0.05, -0.06, -0.04 }, nameof(Verdict.Opposite))]
    [InlineData(new[] { 0.10, -0.06, 0.02 }, nameof(Verdict.NotConfirmed))]   // within the spread
    [InlineData(new[] { 0.004, 0.005, 0.006 }, nameof(Verdict.NotConfirmed))]   // certain, but too small
    [InlineData(new[] { 0.3 }, nameof(Verdict.NotConfirmed))]
    [InlineData(new double[0], nameof(Verdict.NotConfirmed))]
    public void Verdict_FollowsTheRule(double[] differences, string expected) =>
        Assert.Equal(expected, new Claim("a - b", Spread.Of(differences)).Verdict.ToString());

    [Theory]
    [InlineData(0.2, "Confirmed here, by every measure.", "confirmed")]
    [InlineData(-0.2, "Not confirmed here: 3 of 3 measures say the opposite.", "the opposite was measured")]
    [InlineData(0.001, "Not confirmed here.", "not confirmed")]
    public void All_TransformerMinusConv_GivesTheAnswerThatTheNumbersGive(double lead, string verdict, string claim)
    {
        Finding finding = Find("U-Net", [.. Runs("transformer", "bce", 0.4 + lead), .. Runs("conv", "bce", 0.4)]);
        Assert.Equal(verdict, finding.Verdict);
        Assert.Equal(3, finding.Claims.Count);
        Assert.All(finding.Claims, each => Assert.EndsWith($"(3 pairs): **{claim}**", each.ToString(), StringComparison.Ordinal));
        Assert.Equal(lead, finding.Claims[0].Differences.Mean, 1e-9);
    }

    [Theory]
    [InlineData(0.15, true)]
    [InlineData(-0.15, false)]
    public void All_DiceMinusCrossEntropy_AnswersBothWays(double lead, bool poorGuide)
    {
        RunResult[] results = [.. Runs("conv", "bce", 0.4), .. Runs("conv", "dice", 0.4 + lead)];
        Claim claim = Find("cross-entropy", results).Claims.First(each => each.Statement.StartsWith("dice - bce", StringComparison.Ordinal));
        Assert.Equal(poorGuide ? Verdict.Confirmed : Verdict.Opposite, claim.Verdict);
        Claim choice = Find("choice of the loss", results).Claims[0];
        Assert.Equal(Verdict.Confirmed, choice.Verdict);
        Assert.StartsWith(poorGuide ? "dice (best) - bce (worst)" : "bce (best) - dice (worst)", choice.Statement, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.5, 0.3, 0.2)]   // lowest loss at the second validation, where IoU is no longer best
    [InlineData(0.2, 0.5, 0)]
    public void All_LossThatFallsWhileIouDoes_IsCounted(double first, double second, double lost)
    {
        RunResult[] results = [.. Runs("conv", "bce", 0.4).Select(run => run with { Curve = [new(1, "val", 0.3, first), new(2, "val", 0.2, second)] })];
        Claim claim = Find("cross-entropy", results).Claims[0];
        Assert.Equal(lost, claim.Differences.Mean, 1e-12);
        Assert.Equal(lost > 0 ? Verdict.Confirmed : Verdict.NotConfirmed, claim.Verdict);
    }

    [Theory]
    [InlineData(0.95, Verdict.Confirmed)]    // all background is as accurate, and IoU tells them apart
    [InlineData(0.40, Verdict.Opposite)]
    public void All_AccuracyBesideBackground_IsJudged(double background, object verdict)
    {
        var score = new SetScore { Accuracy = background, Iou = new double[ThresholdCounts.Count] };
        var baselines = new Dictionary<string, Dictionary<string, SetScore>> { ["seen"] = new() { [Baselines.Background] = score } };
        Finding finding = new Findings([.. Runs("conv", "dice", 0.4)], baselines).All.First(each => each.Title.Contains("cross-entropy", StringComparison.Ordinal));
        Assert.Equal(verdict, Assert.Single(finding.Claims).Verdict);
    }

    [Fact]
    public void All_NoPartner_MeasuresNothing()
    {
        Finding finding = Find("pre-training", [.. Runs("conv", "dice", 0.4)]);
        Assert.Empty(finding.Claims);
        Assert.Equal("Nothing was measured about it.", finding.Verdict);
        RunResult[] random = [.. Runs("conv", "dice", 0.1).Select(run => run with { Run = run.Run with { Tower = StudyPlan.Random } })];
        Assert.Equal("Confirmed here, by every measure.", Find("pre-training", [.. Runs("conv", "dice", 0.4), .. random]).Verdict);
    }

    static Finding Find(string title, RunResult[] results) =>
        new Findings(results, new Dictionary<string, Dictionary<string, SetScore>>()).All.First(finding => finding.Title.Contains(title, StringComparison.Ordinal));

    /// <summary>Three seeds, 0.01 apart, that are as good at every threshold.</summary>
    static IEnumerable<RunResult> Runs(string decoder, string loss, double iou) => Enumerable.Range(1, 3).Select(seed => new RunResult
    {
        Run = new StudyRun(StudyPlan.Trained, decoder, "base", loss, (ulong)seed),
        Curve = [],
        Sets = new[] { "seen", "unseen" }.ToDictionary(set => set, _ => new SetScore { Accuracy = 0.95, Iou = [.. Enumerable.Repeat(iou + 0.01 * seed, ThresholdCounts.Count)] }),
    });
}
