using ClipSegNative.Data;
using ClipSegNative.Evaluation;
using CsCheck;

namespace ClipSegNative.Tests.Evaluation;

public class PhraseCutMetricsTests
{
    [Fact]
    public void Add_ThreeTasks_GivesTheOfficialNumbers()
    {
        var metrics = new PhraseCutMetrics();
        metrics.Add(new PixelCounts(5, 5, 0, 90));    // IoU 0.5: not above 0.5
        metrics.Add(new PixelCounts(19, 1, 0, 80));   // 0.95
        metrics.Add(new PixelCounts(0, 0, 0, 100));   // both empty: 0
        Assert.Equal(3, metrics.Tasks);
        Assert.Equal((0.5 + 0.95 + 0) / 3, metrics.MeanIoU, tolerance: 1e-15);
        Assert.Equal(24 / 30.0, metrics.CumulativeIoU);
        for (int level = 0; level < PhraseCutMetrics.Levels.Length; level++) Assert.Equal(1 / 3.0, metrics.Precision(level));
    }

    [Fact]
    public void Add_NothingWantedNorFound_CumulativeIsZero()
    {
        var metrics = new PhraseCutMetrics();
        metrics.Add(new PixelCounts(0, 0, 0, 9));
        Assert.Equal(0, metrics.CumulativeIoU);
    }

    [Fact]
    public void PlainMetrics_TwoSamples_AreMeansAndPooled()
    {
        var metrics = new PlainMetrics();
        metrics.Add(new PixelCounts(1, 1, 2, 6));
        metrics.Add(new PixelCounts(0, 0, 0, 10));    // both empty: 1
        Assert.Equal((0.7 + 1) / 2, metrics.Accuracy, tolerance: 1e-15);
        Assert.Equal((0.4 + 1) / 2, metrics.Dice, tolerance: 1e-15);
        Assert.Equal((0.25 + 1) / 2, metrics.IntersectionOverUnion, tolerance: 1e-15);
        Assert.Equal(new PixelCounts(1, 1, 2, 16), metrics.Pooled);
        Assert.Equal(0.85, metrics.Pooled.Accuracy);
    }

    [Fact]
    public void Metrics_PerfectMask_AreOne() => Gen.Bool.Array[1, 200].Sample(pixels =>
    {
        byte[] target = [1, .. pixels.Select(pixel => pixel ? (byte)1 : (byte)0)];
        PixelCounts counts = PixelCounts.Of([.. target.Select(pixel => (float)pixel)], target, 0.3f);
        Assert.Equal((1, 1, 1, 1), (counts.Accuracy, counts.Dice, counts.IntersectionOverUnion, counts.OfficialIntersectionOverUnion));
    });

    [Fact]
    public void Metrics_AnyMask_KeepTheirBounds() => Gen.Select(Gen.Bool, Gen.Bool).Array[1, 100].Sample(pixels =>
    {
        PixelCounts counts = PixelCounts.Of(
            [.. pixels.Select(pixel => pixel.Item1 ? 1f : 0f)], [.. pixels.Select(pixel => pixel.Item2 ? (byte)1 : (byte)0)], 0.5f);
        Assert.Equal(pixels.Length, counts.Union + counts.TrueNegatives);
        Assert.InRange(counts.OfficialIntersectionOverUnion, 0, counts.IntersectionOverUnion);
        Assert.Equal(counts.Dice, 2 * counts.IntersectionOverUnion / (1 + counts.IntersectionOverUnion), tolerance: 1e-12);
    });

    [Theory]
    [InlineData(1, 0.01, "relation", "i_single s_small p_att p_rel p_rel+")]
    [InlineData(4, 0.02, "name", "i_multi s_mid p_att p_rel p_name")]
    [InlineData(5, 0.3, "", "i_many s_large p_att p_rel")]
    [InlineData(0, 0, "verbose", "s_small p_att p_rel p_verbose")]
    public void PhraseSubsets_Task_AreTheOfficialOnes(int instances, double share, string type, string expected)
    {
        var structure = new PhraseStructure("shirt", ["red"], [("on", "bench")], type);
        var task = new PhraseTask("1__2", 1, "red shirt on bench", [.. Enumerable.Repeat<double[][]>([], instances)], [], structure);
        Assert.Equal(expected, string.Join(' ', PhraseSubsets.Of(task, share)));
    }
}
