using ClipSegNative.Evaluation;
using ClipSegNative.Imaging;
using ClipSegNative.Interop;

namespace ClipSegNative.Tests.Kernels.Emulation;

/// <summary>Kernels beside the op table: a picture's way into the model, and the counts of the paper's evaluation.</summary>
public sealed class PictureAndMetricTests
{
    [Theory]
    [InlineData(5, 7, 4, 4, false)]
    [InlineData(31, 17, 8, 12, true)]
    [InlineData(9, 6, 24, 16, true)]
    [InlineData(40, 64, 40, 64, false)]
    public void Preprocessing_AnySize_HasTheBitsOfTheCpu(int width, int height, int toWidth, int toHeight, bool cubic)
    {
        ResizeFilter filter = cubic ? ResizeFilter.Bicubic : ResizeFilter.Bilinear;
        float[] mean = [0.48f, 0.46f, 0.41f], std = [0.27f, 0.26f, 0.28f];
        byte[] pixels = new byte[width * height * 3];
        new Random(width).NextBytes(pixels);
        var expected = new float[3 * toWidth * toHeight];
        new PicturePreprocessor(mean, std, 1 / 255.0, filter, toWidth, toHeight).Run(Picture.FromRgb(pixels, width, height, width * 3), expected);

        using InterpretedDevice device = EmulatedDevice.Create();
        PilCoefficients across = new(), down = new();
        across.Prepare(width, toWidth, filter);
        down.Prepare(height, toHeight, filter);
        ulong source = Put(device, pixels), narrow = device.Allocate(height * toWidth * 3), y = device.Allocate(expected.Length * sizeof(float));
        Launch(device, "pictures_resize_across_u8", height * toWidth * 3,
            [source, (uint)width, .. Table(device, across), narrow, (uint)toWidth, (uint)(height * toWidth * 3)]);
        Launch(device, "pictures_resize_down_f32", expected.Length,
            [narrow, (uint)toWidth, .. Table(device, down), Put(device, Levels(mean, std)), y, (uint)toHeight, (uint)expected.Length]);
        var actual = new float[expected.Length];
        device.Read(y, actual.AsSpan());
        Assert.Equal(expected, actual);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 31)]
    [InlineData(2, 1025)]
    public void Counts_AtTheThresholdsOfThePaper_AreTheCpus(int maps, int pixels)
    {
        var random = new Random(pixels);
        // Some of them exactly at a threshold.
        float[] probabilities = [.. Enumerable.Range(0, maps * pixels).Select(i => i % 5 == 0 ? (float)ThresholdCounts.Threshold(i % 49) : random.NextSingle())];
        byte[] targets = [.. Enumerable.Range(0, maps * pixels).Select(_ => (byte)random.Next(2))];
        float[] limits = [.. Enumerable.Range(0, ThresholdCounts.Count).Select(i => (float)ThresholdCounts.Threshold(i))];
        uint[] counts = Count(probabilities, targets, limits, maps, pixels);
        int bins = limits.Length + 1;
        for (int map = 0; map < maps; map++)
        {
            var expected = ThresholdCounts.Of(probabilities.AsSpan(map * pixels, pixels), targets.AsSpan(map * pixels, pixels));
            for (int index = 0; index < limits.Length; index++)
            {
                long Above(int target) => counts.AsSpan((map * 2 + target) * bins + index + 1, limits.Length - index).ToArray().Sum(count => count);
                Assert.Equal((expected[index].TruePositives, expected[index].FalsePositives), (Above(1), Above(0)));
            }
        }
    }

    [Fact]
    public void Counts_AtOneThreshold_AreTheCpus()
    {
        var random = new Random(1);
        float[] probabilities = [.. Enumerable.Range(0, 500).Select(_ => random.NextSingle())];
        byte[] targets = [.. Enumerable.Range(0, 500).Select(_ => (byte)random.Next(2))];
        foreach (float threshold in new[] { 0.05f, 0.5f, 0.93f })
        {
            uint[] counts = Count(probabilities, targets, [threshold], maps: 1, pixels: 500);
            var expected = PixelCounts.Of(probabilities, targets, threshold);
            Assert.Equal((expected.TruePositives, expected.FalsePositives, expected.FalseNegatives), (counts[3], counts[1], counts[2]));
        }
    }

    static uint[] Count(float[] probabilities, byte[] targets, float[] limits, int maps, int pixels)
    {
        using InterpretedDevice device = EmulatedDevice.Create();
        var counts = new uint[maps * 2 * (limits.Length + 1)];
        ulong result = Put(device, counts);
        device.Launch("metrics_thresholds_f32", new CudaExtent(2, (uint)maps), new CudaExtent(256), 0,
            [Put(device, probabilities), Put(device, targets), Put(device, limits), (uint)limits.Length, result, (uint)pixels]);
        device.Read(result, counts.AsSpan());
        return counts;
    }

    static ulong[] Table(InterpretedDevice device, PilCoefficients table) =>
        [Put(device, table.First), Put(device, table.Counts), Put(device, table.Weights), (uint)table.Taps];

    /// <summary>As the reference rounds: rescaled in double, then float32 throughout.</summary>
    static float[] Levels(float[] mean, float[] std) =>
        [.. from channel in Enumerable.Range(0, 3) from level in Enumerable.Range(0, 256) select ((float)(level * (1 / 255.0)) - mean[channel]) / std[channel]];

    static ulong Put<T>(InterpretedDevice device, T[] values) where T : unmanaged
    {
        ulong address = device.Allocate(values.Length * System.Runtime.CompilerServices.Unsafe.SizeOf<T>());
        device.Write<T>(address, values);
        return address;
    }

    static void Launch(InterpretedDevice device, string kernel, int count, ulong[] arguments) =>
        device.Launch(kernel, new CudaExtent((uint)((count + 255) / 256)), new CudaExtent(256), 0, arguments);
}
