using ClipSegNative.Cli.Study;
using ClipSegNative.Training;

namespace ClipSegNative.Cli.Tests.Study;

public class StudyPlanTests
{
    internal static readonly StudyPlan Plan = new()
    {
        Data = "data",
        Val = "val",
        Clip = "clip",
        Decoders = ["transformer", "conv"],
        Sizes = ["small", "base"],
        Losses = ["bce", "dice", "bce+dice"],
        Seeds = [1, 2, 3],
        Steps = 100,
        RandomTower = true,
    };

    [Fact]
    public void Runs_AllFactors_AreCrossedAndTheRandomTowerIsAdded()
    {
        StudyRun[] runs = [.. Plan.Runs];
        Assert.Equal(36 + 6, runs.Length);
        Assert.Equal(runs.Length, runs.Select(run => run.Name).Distinct().Count());
        Assert.All(runs[..12], run => Assert.Equal(1UL, run.Seed));
        Assert.Equal("transformer-small-bce-1", runs[0].Name);
        Assert.Equal(
            ["random-tower-transformer-base-bce+dice-1", "random-tower-conv-base-bce+dice-1"], runs.Where(run => run.Tower == StudyPlan.Random).Take(2).Select(run => run.Name));
        Assert.Equal(36, (Plan with { RandomTower = false }).Runs.Count());
    }

    [Fact]
    public void Settings_RunsOfOnePlan_DifferOnlyInWhatIsCompared()
    {
        var first = new StudyRun(StudyPlan.Trained, "conv", "small", "bce", 1);
        TrainingSettings settings = Plan.Settings(first, "clip");
        settings.Check();
        Assert.Equal((0, "none", 100, 5, 1), (settings.Negatives, settings.Crop, settings.Steps, settings.WarmUp, settings.Threads));
        Assert.Equal(settings with { Loss = "dice" }, Plan.Settings(first with { Loss = "dice" }, "clip"));
        Assert.Equal(settings with { Seed = 2 }, Plan.Settings(first with { Seed = 2 }, "clip"));
        Assert.Equal(settings with { Decoder = "transformer", Size = "base" }, Plan.Settings(first with { Decoder = "transformer", Size = "base" }, "clip"));
    }
}
