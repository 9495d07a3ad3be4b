using System.Runtime.InteropServices;
using System.Text.Json;
using ClipSegNative.Evaluation;
using ClipSegNative.Weights;
using CsCheck;

namespace ClipSegNative.Tests.Evaluation;

public class ThresholdMetricsTests
{
    [Fact]
    public void Metrics_AuthorsCase_EqualTheirs()
    {
        (float[][] probabilities, byte[][] targets, long[] classes) = ReadCase();
        using JsonDocument expected = JsonDocument.Parse(File.ReadAllText(TestData.Fixture("metrics_case.json")));
        var metrics = new ThresholdMetrics();
        for (int i = 0; i < classes.Length; i++) metrics.Add(ThresholdCounts.Of(probabilities[i], targets[i]), classes[i]);

        Check("ap", metrics.AveragePrecision());
        foreach ((string name, Func<int, double> metric) in new (string, Func<int, double>)[]
            { ("fgiou", metrics.ForegroundIoU), ("biniou", metrics.BinaryIoU), ("miou", metrics.MeanIoU) })
        {
            int best = ThresholdMetrics.Best(metric);
            Check($"{name}_best", metric(best));
            Check($"{name}_best_t", ThresholdCounts.Threshold(best));
            foreach ((string at, int index) in new[] { ("0.1", 4), ("0.3", 14), ("0.5", 24) })
                if (expected.RootElement.TryGetProperty($"{name}_{at}", out _)) Check($"{name}_{at}", metric(index));
        }

        void Check(string key, double actual) => Assert.Equal(expected.RootElement.GetProperty(key).GetDouble(), actual, tolerance: 1e-12);
    }

    [Fact]
    public void PixelCounts_AuthorsCase_EqualTheirs()
    {
        (float[][] probabilities, byte[][] targets, _) = ReadCase();
        using JsonDocument file = JsonDocument.Parse(File.ReadAllText(TestData.Fixture("metrics_case.json")));
        JsonElement expected = file.RootElement.GetProperty("counts_0.5");
        for (int i = 0; i < targets.Length; i++)
        {
            PixelCounts counts = PixelCounts.Of(probabilities[i], targets[i], 0.5f);
            Assert.Equal(new PixelCounts(Expected("tp"), Expected("fp"), Expected("fn"), Expected("tn")), counts);

            long Expected(string key) => (long)expected.GetProperty(key)[i].GetDouble();
        }
    }

    /// <summary>Multiples of 1/50 among the probabilities: equal to a threshold is not above it.</summary>
    [Fact]
    public void ThresholdCounts_AnyProbabilities_EqualOneCountAThreshold() =>
        Gen.Select(Gen.OneOf(Gen.Float[0, 1], Gen.Int[0, 50].Select(n => (float)(n * 0.02)), Gen.Float[-0.1f, 1.1f]), Gen.Bool).Array[0, 300].Sample(pixels =>
        {
            float[] probabilities = [.. pixels.Select(pixel => pixel.Item1)];
            byte[] target = [.. pixels.Select(pixel => pixel.Item2 ? (byte)1 : (byte)0)];
            ThresholdCounts counts = ThresholdCounts.Of(probabilities, target);
            for (int index = 0; index < ThresholdCounts.Count; index++)
                Assert.Equal(PixelCounts.Of(probabilities, target, (float)ThresholdCounts.Threshold(index)), counts[index]);
        }, iter: 300);

    [Fact]
    public void ThresholdCounts_NotANumber_IsRefused() =>
        Assert.Throws<ArgumentException>(() => ThresholdCounts.Of([0.1f, float.NaN], [0, 1]));

    [Fact]
    public void Counts_TwoSizes_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => ThresholdCounts.Of([0.1f], [0, 1]));
        Assert.Throws<ArgumentException>(() => PixelCounts.Of([0.1f], [0, 1], 0.5f));
    }

    [Fact]
    public void MeanIoU_ClassOfEachSample_IsTheSameAsNoClass()
    {
        (ThresholdMetrics alone, ThresholdMetrics classes) = (new(), new());
        for (int i = 0; i < 5; i++)
        {
            alone.Add(Sample(i));
            classes.Add(Sample(i), i);
        }
        for (int index = 0; index < ThresholdCounts.Count; index++) Assert.Equal(classes.MeanIoU(index), alone.MeanIoU(index), tolerance: 1e-15);
    }

    [Fact]
    public void Metrics_OtherOrderOfSamples_AreTheSame() => Gen.Shuffle(Enumerable.Range(0, 8).ToArray()).Sample(order =>
    {
        (ThresholdMetrics first, ThresholdMetrics second) = (new(), new());
        foreach (int i in Enumerable.Range(0, 8)) first.Add(Sample(i), i % 3);
        foreach (int i in order) second.Add(Sample(i), i % 3);
        Assert.Equal(first.AveragePrecision(), second.AveragePrecision());
        Assert.Equal(first.MeanIoU(14), second.MeanIoU(14), tolerance: 1e-14);
        Assert.Equal(first.BinaryIoU(14), second.BinaryIoU(14));
    }, iter: 50);

    [Fact]
    public void Metrics_NothingFound_AreZero()
    {
        var metrics = new ThresholdMetrics();
        metrics.Add(ThresholdCounts.Of(new float[9], new byte[9]));
        Assert.Equal(0, metrics.AveragePrecision());
        Assert.Equal(0, metrics.MeanIoU(14));
        Assert.Equal(9 / 10.0 / 2, metrics.BinaryIoU(14));
    }

    static ThresholdCounts Sample(int seed)
    {
        var random = new Random(seed);
        byte[] target = [.. Enumerable.Range(0, 400).Select(_ => (byte)random.Next(2))];
        return ThresholdCounts.Of([.. target.Select(wanted => (random.NextSingle() + wanted) / 2)], target);
    }

    static (float[][] Probabilities, byte[][] Targets, long[] Classes) ReadCase()
    {
        using var file = new SafetensorsFile(TestData.Fixture("metrics_case.safetensors"));
        float[] logits = MemoryMarshal.Cast<byte, float>(Bytes("logits")).ToArray();
        long[] classes = MemoryMarshal.Cast<byte, long>(Bytes("class_id")).ToArray();
        int pixels = logits.Length / classes.Length;
        return ([.. logits.Select(logit => 1 / (1 + MathF.Exp(-logit))).Chunk(pixels)], [.. Bytes("target").Chunk(pixels)], classes);

        byte[] Bytes(string name) => file.TryFind(name, out WeightEntry entry) ? entry.Bytes.ToArray() : throw new KeyNotFoundException(name);
    }
}
