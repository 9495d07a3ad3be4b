using ClipSegNative.Imaging;

namespace ClipSegNative.Tests.Imaging;

public class LabelMapTests
{
    [Fact]
    public void Build_SeveralPhrases_MostProbableAboveTheThresholdWins()
    {
        var labels = new LabelMapBuilder(width: 3, height: 2, threshold: 0.3f);
        labels.Add([0.9f, 0.3f, 0.5f, float.NaN, 0.4f, 0f]);
        labels.Add([]);   // dropped, but it keeps its number
        labels.Add([0.8f, 0.2f, 0.5f, 0.31f, 0.6f, 0f]);
        Assert.Equal([1, 0, 1, 3, 3, 0], labels.Build().Pixels.ToArray());
    }

    [Fact]
    public void Save_SeveralLabels_ReadsBackAsTheOverlaysColours()
    {
        var map = new LabelMap([0, 1, 2, 255], 2, 2);
        using var stream = new MemoryStream();
        map.Save(stream);
        Picture picture = PictureFixtures.Read(stream.ToArray());
        (byte r, byte g, byte b) first = Renderings.Colour(0), second = Renderings.Colour(1), last = Renderings.Colour(254);
        Assert.Equal([0, 0, 0, first.r, first.g, first.b, second.r, second.g, second.b, last.r, last.g, last.b], picture.Pixels.ToArray());
        // Behind signature, length and type: the size, 8 bits, colour type 3.
        Assert.Equal([0, 0, 0, 2, 0, 0, 0, 2, 8, 3], stream.ToArray()[16..26]);
    }

    [Fact]
    public void Labels_OfResults_LabelTheMostProbable()
    {
        Segmentation left = Segmentation.FromLogits("left", [4, -4], 2, 1, width: 4, height: 1), right = Segmentation.FromLogits("right", [-4, 3], 2, 1, width: 4, height: 1);
        Assert.Equal([1, 1, 2, 2], Segmentation.Labels([left, right]).Pixels.ToArray());
        Assert.Equal([2, 2, 1, 1], Segmentation.Labels([right, left], threshold: 0.1f).Pixels.ToArray());
        Assert.Equal([1, 0, 0, 0], Segmentation.Labels([left, right], threshold: 0.97f).Pixels.ToArray());
        Segmentation other = Segmentation.FromLogits("other", [0], 1, 1, width: 5, height: 1);
        Assert.Throws<ArgumentException>(() => Segmentation.Labels([left, other]));
        Assert.Throws<ArgumentException>(() => Segmentation.Labels([]));
        Assert.Throws<ArgumentException>(() => Segmentation.Labels([.. Enumerable.Repeat(left, 256)]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Segmentation.Labels([left], threshold: 1));
    }
}
