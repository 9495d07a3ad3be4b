using ClipSegNative.Cli.Study;
using ClipSegNative.Data;

namespace ClipSegNative.Cli.Tests.Study;

public sealed class BaselinesTests : IDisposable
{
    const int Side = 64;

    /// <summary>A square's polygons are drawn with their border: 21 pixels a side.</summary>
    const double Share = 21 * 21 / (double)(Side * Side);

    readonly SceneFolder _scenes = new();

    public void Dispose() => _scenes.Dispose();

    [Fact]
    public void Score_ColourInThePhrase_IsAPerfectReader()
    {
        Dictionary<string, SetScore> scores = Score("seen");
        Assert.Equal((1, 1, 8), (scores[Baselines.Colour].Iou[SetScore.Half], scores[Baselines.Colour].Accuracy, scores[Baselines.Colour].Targets));
        Assert.Equal(0, scores[Baselines.Background].Iou[SetScore.Half]);
        Assert.Equal(1 - Share, scores[Baselines.Background].Accuracy, 1e-12);
        Assert.Equal(Share, scores[Baselines.Foreground].Iou[SetScore.Half], 1e-12);
        Assert.Equal(2 * Share / (1 + Share), scores[Baselines.Foreground].Dice, 1e-12);
        Assert.Equal([0, 0, 8], scores[Baselines.Foreground].TargetsBySize);
    }

    [Fact]
    public void Score_PhraseAboutTheOtherColour_IsMissed() =>
        Assert.Equal(0, Score("unseen")[Baselines.Colour].Iou[SetScore.Half]);   // "a square right of a red square": red is all it reads

    [Fact]
    public void Score_NoKnownColour_TakesEverything()
    {
        Dictionary<string, SetScore> scores = Score("negative");
        Assert.Equal((0, 4), (scores[Baselines.Colour].Targets, scores[Baselines.Colour].Absent));
        Assert.Equal((0, 1, 0), (scores[Baselines.Colour].Empty[SetScore.Half], scores[Baselines.Background].Empty[SetScore.Half], scores[Baselines.Foreground].Empty[SetScore.Half]));
        Assert.Equal(1 - 2 * Share, scores[Baselines.Colour].Accuracy, 1e-12);
    }

    [Fact]
    public void Score_WithoutScenes_LeavesTheColourReaderOut()
    {
        File.Delete(_scenes["scenes.json"]);
        Assert.Equal([Baselines.Background, Baselines.Foreground], Score("seen").Keys);
    }

    Dictionary<string, SetScore> Score(string set)
    {
        var data = new StudyData(StudyPlanTests.Plan with { Data = _scenes.Location, Val = _scenes.Location }, new DataProblems());
        return Baselines.Score(data.Sets[set], Side, data.Scenes);
    }
}
