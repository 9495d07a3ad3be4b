using ClipSegNative.Calibration;
using ClipSegNative.Evaluation;

namespace ClipSegNative.Tests.Calibration;

public class CalibrationFitTests
{
    const int BestIndex = 20;

    static readonly CalibrationFloors Floors = new(AbsentEmpty: 0.9, NearMissEmpty: 0.5, KeptIoU: 0.5);

    /// <summary>Present phrases peak high, absent ones low: both are told apart at no cost.</summary>
    [Fact]
    public void Fit_SeparableAnswers_GivesTheBestThresholdAndEmptiesTheRest()
    {
        CalibrationSample[] samples = [.. Present(10, peak: 5), .. Others(PhraseKind.Absent, 10, peak: -5), .. Others(PhraseKind.NearMiss, 10, peak: 0)];
        SegmentationConfig config = CalibrationFit.Fit(samples, Floors);
        Assert.Equal(ThresholdCounts.Threshold(BestIndex), config.Threshold, tolerance: 1e-6);
        Assert.True(config.Fitted!.FloorsMet);
        Assert.Equal((10, 10, 10), (config.Fitted.Present, config.Fitted.Absent, config.Fitted.NearMisses));
        Assert.Equal(0.8, config.Fitted.MeanIoU, tolerance: 1e-9);
        Assert.All(samples, sample => Assert.Equal(sample.Kind == PhraseKind.Present, config.Presence.Score(sample.Features) > 0.5));
        // No more is emptied than the floors ask for: half of the near misses would do, and they all share a score, so all go.
        Assert.Equal((1, 1), (config.Fitted.AbsentEmpty, config.Fitted.NearMissEmpty));
        Assert.All(samples.Where(sample => sample.Kind == PhraseKind.Present), sample => Assert.True(config.Presence.Score(sample.Features) >= config.PresenceThreshold));
    }

    /// <summary>Against an exhaustive search that shares nothing with the fit but the presence score.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Fit_RandomAnswers_ReachesWhatAnExhaustiveSearchReaches(int seed)
    {
        CalibrationSample[] samples = Random(seed, count: 60);
        SegmentationConfig config = CalibrationFit.Fit(samples, Floors);
        float[] scores = [.. samples.Select(sample => config.Presence.Score(sample.Features))];
        double most = Enumerable.Range(0, ThresholdCounts.Count).Max(index => Judge(samples, scores, index, 0).Iou), best = -1;
        foreach (float presence in (float[])[0, .. scores.Select(score => MathF.BitIncrement(score))])
        {
            for (int index = 0; index < ThresholdCounts.Count; index++)
            {
                (double iou, double absent, double near) = Judge(samples, scores, index, presence);
                if (absent >= Floors.AbsentEmpty && near >= Floors.NearMissEmpty && iou >= Floors.KeptIoU * most) best = Math.Max(best, iou);
            }
        }
        Assert.True(best > 0, "the data of this seed cannot meet the floors");
        Assert.True(config.Fitted!.FloorsMet);
        Assert.Equal(best, config.Fitted.MeanIoU, tolerance: 1e-9);
        int chosen = Enumerable.Range(0, ThresholdCounts.Count).Single(index => (float)ThresholdCounts.Threshold(index) == config.Threshold);
        (double Iou, double Absent, double Near) stored = Judge(samples, scores, chosen, config.PresenceThreshold);
        Assert.Equal(config.Fitted.MeanIoU, stored.Iou, tolerance: 1e-9);
        Assert.Equal((config.Fitted.AbsentEmpty, config.Fitted.NearMissEmpty), (stored.Absent, stored.Near));
    }

    /// <summary>What tells nothing apart cannot give empty masks to the absent alone; empty masks for all are no way out.</summary>
    [Fact]
    public void Fit_FloorsOutOfReach_KeepsTheIoUAndSaysSo()
    {
        CalibrationSample[] samples = [.. Present(10, peak: 1), .. Others(PhraseKind.Absent, 10, peak: 1)];
        SegmentationConfig config = CalibrationFit.Fit(samples, Floors);
        Assert.False(config.Fitted!.FloorsMet);
        Assert.InRange(config.Fitted.MeanIoU, 0.4, 1);
        Assert.Equal((0, 1), (config.Fitted.NearMisses, config.Fitted.NearMissEmpty));
    }

    [Fact]
    public void Fit_SameSamples_GivesTheSame() => Assert.Equal(CalibrationFit.Fit(Random(9, 40), Floors), CalibrationFit.Fit(Random(9, 40), Floors));

    [Fact]
    public void Fit_OneSideMissing_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => CalibrationFit.Fit([.. Present(3, peak: 1)], Floors));
        Assert.Throws<ArgumentException>(() => CalibrationFit.Fit([.. Others(PhraseKind.NearMiss, 3, peak: 1)], Floors));
        Assert.Throws<ArgumentException>(() => CalibrationFit.Fit([], Floors));
    }

    [Fact]
    public void Of_AMapAndItsTarget_CountsAtEveryThreshold()
    {
        byte[] target = [1, 1, 0, 0];
        CalibrationSample present = CalibrationSample.Of(PhraseKind.Present, [1, 2], [0.9f, 0.5f, 0.7f, 0.01f], target);
        Assert.Equal(2 / 3.0, present.Ious[0], tolerance: 1e-9);   // at 0.02
        Assert.Equal(1 / 3.0, present.Ious[25], tolerance: 1e-9);  // at 0.52
        Assert.Equal(1 / 2.0, present.Ious[40], tolerance: 1e-9);  // at 0.82
        Assert.Equal(44, present.Levels);                           // the last below 0.9 is 0.88
        Assert.Equal(PresenceFeatures.Of([1, 2]), present.Features);
        Assert.Empty(CalibrationSample.Of(PhraseKind.Absent, [1, 2], [0.9f], [0]).Ious);
    }

    static IEnumerable<CalibrationSample> Present(int count, double peak) => Enumerable.Range(0, count).Select(i => new CalibrationSample(
        PhraseKind.Present, Features(peak, i), [.. Enumerable.Range(0, ThresholdCounts.Count).Select(index => 0.8 - 0.01 * Math.Abs(index - BestIndex))], ThresholdCounts.Count));

    static IEnumerable<CalibrationSample> Others(PhraseKind kind, int count, double peak) =>
        Enumerable.Range(0, count).Select(i => new CalibrationSample(kind, Features(peak, i), [], ThresholdCounts.Count));

    static PresenceFeatures Features(double peak, int i) => new(peak, 0.5 + 0.001 * (i % 3), -3);

    static CalibrationSample[] Random(int seed, int count)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable.Range(0, count).Select(i =>
            {
                PhraseKind kind = (PhraseKind)(i % 3);
                double sure = random.NextDouble() + (kind == PhraseKind.Present ? 1 : kind == PhraseKind.NearMiss ? 0.3 : 0);
                double[] ious = kind == PhraseKind.Present ? [.. Enumerable.Range(0, ThresholdCounts.Count).Select(_ => random.NextDouble())] : [];
                return new CalibrationSample(kind, new PresenceFeatures(sure * 4 - 3, random.NextDouble(), random.NextDouble()), ious, random.Next(ThresholdCounts.Count + 1));
            }),
        ];
    }

    static (double Iou, double Absent, double Near) Judge(CalibrationSample[] samples, float[] scores, int index, float presence)
    {
        bool Empty(int i) => scores[i] < presence || samples[i].Levels <= index;

        double Share(PhraseKind kind)
        {
            int[] those = [.. Enumerable.Range(0, samples.Length).Where(i => samples[i].Kind == kind)];
            return those.Length == 0 ? 1 : 1 - those.Count(i => !Empty(i)) / (double)those.Length;
        }

        int[] present = [.. Enumerable.Range(0, samples.Length).Where(i => samples[i].Kind == PhraseKind.Present)];
        return (present.Sum(i => scores[i] < presence ? 0 : samples[i].Ious[index]) / present.Length, Share(PhraseKind.Absent), Share(PhraseKind.NearMiss));
    }
}
