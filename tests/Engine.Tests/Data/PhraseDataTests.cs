using ClipSegNative.Data;

namespace ClipSegNative.Tests.Data;

public class PhraseDataTests
{
    static readonly DataPicture Picture = new(1, "1.jpg", 8, 6);

    readonly DataProblems _problems = new();

    [Fact]
    public void Phrases_AreHeldOnce()
    {
        PhraseData data = Load(Task("a", "cat"), Task("b", "dog"), Task("c", "cat"));
        Assert.Equal(["cat", "dog"], data.Phrases);
        Assert.Equal([0, 1, 0], data.Samples.Select(sample => sample.Phrase));
    }

    [Fact]
    public void TaskWithoutPolygons_IsLeftOutAndCounted()
    {
        Assert.Single(Load(Task("a", "cat") with { Instances = null }, Task("b", "cat")).Samples);
        Assert.Equal("1.jpg: task a has no Polygons to learn from.", Assert.Single(_problems.Lines));
    }

    [Fact]
    public void PointsOutside_AreCountedEvenStrictlyAndDrawn()
    {
        var strict = new DataProblems(strict: true);
        var data = new PhraseData([(Task("a", "cat", [-3, -3, 3, -3, 3, 3, -3, 3]), Picture), (Task("b", "cat", [0, 0, 8, 6]), Picture)], strict);
        Assert.Equal("1.jpg: task a has 3 points outside its 8 x 6 pixels.", Assert.Single(strict.Lines));
        byte[] mask = Draw(data.Samples[0]);
        Assert.Equal(16, mask.Count(pixel => pixel == 1));
    }

    [Fact]
    public void Draw_SelfCrossingPolygon_FillsBothHalves()
    {
        byte[] mask = Draw(Load(Task("a", "cat", [0, 0, 6, 5, 6, 0, 0, 5])).Samples[0]);
        Assert.Equal((1, 1, 0), (mask[2 * 8 + 1], mask[2 * 8 + 5], mask[0 * 8 + 3]));
    }

    [Fact]
    public void Draw_SeveralPolygons_UnitesThemAndClearsWhatWasThere()
    {
        PhraseSample sample = Load(Task("a", "cat", [0, 0, 1, 0, 1, 1, 0, 1], [4, 2, 5, 2, 5, 3, 4, 3])).Samples[0];
        byte[] mask = Draw(sample);
        Assert.Equal(8, mask.Count(pixel => pixel == 1));
        byte[] inside = [.. Enumerable.Repeat((byte)1, 48)];
        sample.Draw(RasterRule.Inside, 8, 6, inside);
        Assert.Equal(mask, inside);
    }

    PhraseData Load(params IEnumerable<PhraseTask> tasks) => new(tasks.Select(task => (task, Picture)), _problems);

    static PhraseTask Task(string id, string phrase, params double[][] polygons) => new(id, 1, phrase, [polygons], [], null);

    static byte[] Draw(PhraseSample sample)
    {
        byte[] mask = [.. Enumerable.Repeat((byte)1, 48)];
        sample.Draw(RasterRule.Official, 8, 6, mask);
        return mask;
    }
}
