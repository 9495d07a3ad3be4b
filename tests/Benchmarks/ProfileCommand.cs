using System.Diagnostics;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Backends.Decorators;
using ClipSegNative.Benchmarks.Peaks;
using ClipSegNative.Imaging;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;

namespace ClipSegNative.Benchmarks;

/// <summary>Where the time of a full-size model goes: load, encode, text, decode, and each operation of an encode beside the processor's peak.</summary>
static class ProfileCommand
{
    const int Runs = 15;

    /// <summary>Ten vision blocks, patch embedding and the three reductions at 352 x 352.</summary>
    public const double EncodeGigaFlop = 76.7;

    static readonly string[] Phrases = [.. Enumerable.Range(0, 16).Select(i => $"a thing number {(char)('a' + i)}")];

    public static void Run(string[] arguments)
    {
        int threads = arguments.Length > 0 ? int.Parse(arguments[0]) : Environment.ProcessorCount;
        string path = arguments.Length > 1 ? arguments[1] : "avx512";
        var set = Enum.Parse<CpuInstructionSet>(path, ignoreCase: true);
        string folder = Directory.CreateTempSubdirectory("clipseg-benchmark").FullName;
        try
        {
            ClipSegConfig config = ClipSegConfig.Presets["clipseg-rd64-refined"];
            RandomWeights.Write(folder, config, seed: 0);
            ClipVocabulary.WriteByteLevel(folder, config.Text.VocabularySize);
            Picture picture = Noise(1024, 768);
            using MultiplyAddPeak peak = MultiplyAddPeak.Of(Precision.Fp32, set, threads)!;
            Timings(folder, new SegmenterOptions { Threads = threads, CpuPath = path }, picture, peak);
            Operations(folder, new SegmenterOptions { Threads = threads, CpuPath = path, Profile = true }, picture, peak);
        }
        finally { Directory.Delete(folder, recursive: true); }
    }

    static void Timings(string folder, SegmenterOptions options, Picture picture, MultiplyAddPeak peak)
    {
        long start = Stopwatch.GetTimestamp();
        using Segmenter segmenter = Segmenter.Load(folder, options);
        double load = Milliseconds(start);
        start = Stopwatch.GetTimestamp();
        using EncodedImage image = segmenter.Encode(picture);
        IReadOnlyList<Segmentation> results = image.Segment(Phrases[0]);
        double first = Milliseconds(start);
        Console.WriteLine(segmenter.Device);
        Console.WriteLine($"load {load:F0} ms, first encode and phrase {first:F0} ms, weights {segmenter.WeightBytes / 1e6:F0} MB, activations {segmenter.ActivationBytes / 1e6:F1} MB");

        segmenter.Encode(picture, image);
        image.Segment(Phrases);
        Console.WriteLine(EncodeBesidePeak(() => segmenter.Encode(picture, image), peak));
        foreach (int count in new[] { 1, 4, 16 })
        {
            Segmentation[] reused = [.. image.Segment(Phrases.AsSpan(0, count))];
            Console.WriteLine($"{count} known phrases {Median(() => image.Segment(Phrases.AsSpan(0, count), reused)):F1} ms");
        }
        int next = 0;
        Console.WriteLine($"1 new phrase {Median(() => image.Segment($"phrase {next++ % 10}{next / 10}")):F1} ms");
        Console.WriteLine($"mask at {picture.Width} x {picture.Height} {Median(() => results[0].Mask()):F1} ms");
    }

    static void Operations(string folder, SegmenterOptions options, Picture picture, MultiplyAddPeak peak)
    {
        using Segmenter segmenter = Segmenter.Load(folder, options);
        using EncodedImage image = segmenter.Encode(picture);
        image.Segment(Phrases[0]);
        Print("encode", segmenter, () => segmenter.Encode(picture, image), peak);
        Print("one known phrase", segmenter, () => image.Segment(Phrases[0]), peak);
    }

    /// <summary>The machine's speed varies with its neighbours, so the peak is measured between the runs.</summary>
    static void Print(string title, Segmenter segmenter, Action action, MultiplyAddPeak meter)
    {
        var peaks = new double[Runs];
        segmenter.ClearProfile();
        for (int run = 0; run < Runs; run++)
        {
            peaks[run] = meter.GigaFlops();
            action();
        }
        double peak = Median(peaks);
        IReadOnlyList<ProfileLine> lines = segmenter.Profile;
        double total = lines.Sum(line => line.Milliseconds);
        Console.WriteLine($"\n| {title}, mean of {Runs}; peak {peak:F0} GF/s | calls | ms | share | GF/s | of peak |\n| --- | --- | --- | --- | --- | --- |");
        foreach (ProfileLine line in lines)
        {
            string rate = line.MultiplyAdds > 0 ? $"{line.GigaFlops:F0} | {line.GigaFlops / peak:P0}" : "- | -";
            Console.WriteLine($"| {line.Operation} | {line.Calls / Runs} | {line.Milliseconds / Runs:F3} | {line.Milliseconds / total:P1} | {rate} |");
        }
        double flops = 2 * lines.Sum(line => line.MultiplyAdds) / (total * 1e6);
        Console.WriteLine($"| all | {lines.Sum(line => line.Calls) / Runs} | {total / Runs:F3} | | {flops:F0} | {flops / peak:P0} |");
    }

    /// <summary>Encode and peak in turn; the share is the median of the pairs' ratios.</summary>
    static string EncodeBesidePeak(Action encode, MultiplyAddPeak meter)
    {
        double[] times = new double[Runs], shares = new double[Runs];
        for (int run = 0; run < Runs; run++)
        {
            double before = meter.GigaFlops();
            long start = Stopwatch.GetTimestamp();
            encode();
            times[run] = Milliseconds(start);
            shares[run] = EncodeGigaFlop / (times[run] / 1000) / ((before + meter.GigaFlops()) / 2);
        }
        return $"encode {Median(times):F1} ms, {Median(shares):P0} of the multiply-add peak measured around each run (best {times.Min():F1} ms)";
    }

    static double Median(Action action)
    {
        var times = new double[Runs];
        for (int run = 0; run < Runs; run++)
        {
            long start = Stopwatch.GetTimestamp();
            action();
            times[run] = Milliseconds(start);
        }
        return Median(times);
    }

    static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    static double Milliseconds(long start) => Stopwatch.GetElapsedTime(start).TotalMilliseconds;

    static Picture Noise(int width, int height)
    {
        var pixels = new byte[width * height * 3];
        new Random(1).NextBytes(pixels);
        return Picture.FromRgb(pixels, width, height, width * 3);
    }
}
