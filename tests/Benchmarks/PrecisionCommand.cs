using System.Diagnostics;
using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Imaging;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Text;

namespace ClipSegNative.Benchmarks;

/// <summary>Each precision beside fp32: single products and whole encodes, taking turns in one process.</summary>
static class PrecisionCommand
{
    const int Rounds = 15;

    static readonly (int Tokens, int Inputs, int Outputs)[] Products =
        [(485, 768, 2304), (485, 768, 768), (485, 768, 3072), (485, 3072, 768), (485, 64, 2048), (485, 2048, 64), (7, 512, 2048)];

    public static void Run(string[] arguments)
    {
        int threads = arguments.Length > 0 ? int.Parse(arguments[0]) : Environment.ProcessorCount;
        Precision[] precisions = [.. Precisions.OfCpu.Where(IsHere)];
        OneByOne(precisions, threads);
        WholeEncodes(precisions, threads);
    }

    static bool IsHere(Precision precision)
    {
        using CpuArithmetic arithmetic = CpuArithmetic.Choose(precision, CpuInstructionSets.Best, pages: null, out string? warning);
        if (warning is not null) Console.WriteLine($"{precision.Name()} is left out: {warning}");
        return arithmetic.Precision == precision;
    }

    static void OneByOne(Precision[] precisions, int threads)
    {
        IBackend[] backends = [.. precisions.Select(precision => CpuBackend.Create(threads: threads, arithmetic: CpuArithmetic.Choose(precision, CpuInstructionSets.Best, null, out _)))];
        Console.WriteLine($"{string.Join("; ", backends.Select(backend => backend.Description))}\n");
        Console.WriteLine($"| linear layer | fp32 GF/s |{string.Concat(precisions[1..].Select(precision => $" {precision.Name()} |"))}\n| --- | --- |{string.Concat(precisions[1..].Select(_ => " --- |"))}");
        foreach ((int tokens, int inputs, int outputs) in Products)
        {
            Action[] runs = [.. backends.Select(backend => Product(backend, tokens, inputs, outputs))];
            double[][] times = Interleave(runs, Math.Max(1, (int)(2e9 / (2.0 * tokens * inputs * outputs))));
            Console.WriteLine($"| [{tokens},{inputs}] -> [{tokens},{outputs}] | {2.0 * tokens * inputs * outputs / Median(times[0]) / 1e6:F0} |{Ratios(times)}");
        }
        foreach (IBackend backend in backends) backend.Dispose();
    }

    /// <summary>Twelve weights in turn, as in a tower: none is in a second-level cache when its turn comes.</summary>
    static Action Product(IBackend backend, int tokens, int inputs, int outputs)
    {
        PackedMatrix[] weights = [.. Enumerable.Range(0, 12).Select(_ => backend.AllocateMatrix(outputs, inputs))];
        Tensor weight = Random(backend, outputs, inputs), x = Random(backend, tokens, inputs), y = Random(backend, tokens, outputs);
        foreach (PackedMatrix matrix in weights) backend.PackMatrix(weight, 0, matrix);
        int next = 0;
        return () => backend.Linear(x, weights[next++ % weights.Length], default, y);
    }

    static void WholeEncodes(Precision[] precisions, int threads)
    {
        string folder = Directory.CreateTempSubdirectory("clipseg-benchmark").FullName;
        try
        {
            ClipSegConfig config = ClipSegConfig.Presets["clipseg-rd64-refined"];
            RandomWeights.Write(folder, config, seed: 0);
            ClipVocabulary.WriteByteLevel(folder, config.Text.VocabularySize);
            var pixels = new byte[352 * 352 * 3];
            new Random(1).NextBytes(pixels);
            Picture picture = Picture.FromRgb(pixels, 352, 352, 352 * 3);
            var loads = new List<double>();
            Segmenter[] segmenters =
            [
                .. precisions.Select(precision =>
                {
                    long start = Stopwatch.GetTimestamp();
                    var segmenter = Segmenter.Load(folder, new SegmenterOptions { Precision = precision, Threads = threads, ImagePrompts = false });
                    loads.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                    return segmenter;
                }),
            ];
            EncodedImage[] images = [.. segmenters.Select(segmenter => segmenter.Encode(picture))];
            Segmentation[][] results = [.. images.Select(image => image.Segment("a thing").ToArray())];
            double[][] encodes = Interleave([.. segmenters.Select((segmenter, i) => (Action)(() => segmenter.Encode(picture, images[i])))], 1);
            double[][] phrases = Interleave([.. images.Select((image, i) => (Action)(() => image.Segment(["a thing"], results[i])))], 10);
            int text = 0;
            double[][] texts = Interleave([.. images.Select((image, i) => (Action)(() => image.Segment($"phrase {text++}")))], 5);
            Console.WriteLine("\n| precision | load ms | weights MB | encode ms | of fp32 | known phrase ms | of fp32 | new phrase ms | of fp32 |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
            for (int i = 0; i < precisions.Length; i++)
            {
                Console.WriteLine(
                    $"| {precisions[i].Name()} | {loads[i]:F0} | {segmenters[i].WeightBytes / 1e6:F0} | {Median(encodes[i]):F1} | {Ratio(encodes, i):F2} x | "
                    + $"{Median(phrases[i]):F1} | {Ratio(phrases, i):F2} x | {Median(texts[i]):F1} | {Ratio(texts, i):F2} x |");
            }
            foreach (EncodedImage image in images) image.Dispose();
            foreach (Segmenter segmenter in segmenters) segmenter.Dispose();
        }
        finally { Directory.Delete(folder, recursive: true); }
    }

    /// <summary>Milliseconds of each, by turns: what slows the machine down slows all of them down.</summary>
    static double[][] Interleave(Action[] runs, int repetitions)
    {
        foreach (Action run in runs) run();
        double[][] times = [.. runs.Select(_ => new double[Rounds])];
        for (int round = 0; round < Rounds; round++)
            for (int i = 0; i < runs.Length; i++)
            {
                long start = Stopwatch.GetTimestamp();
                for (int repetition = 0; repetition < repetitions; repetition++) runs[i]();
                times[i][round] = Stopwatch.GetElapsedTime(start).TotalMilliseconds / repetitions;
            }
        return times;
    }

    static string Ratios(double[][] times) => string.Concat(Enumerable.Range(1, times.Length - 1).Select(i => $" {Ratio(times, i):F2} x |"));

    /// <summary>How many times as fast as the first: the median of the rounds' ratios.</summary>
    static double Ratio(double[][] times, int i) => Median([.. times[0].Zip(times[i], (first, other) => first / other)]);

    static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    static Tensor Random(IBackend backend, int rows, int columns)
    {
        int pitch = backend.PitchFor(columns);
        var storage = new Storage(DType.F32, (long)rows * pitch);
        storage.Bind(backend.Allocate(storage.Bytes), 0);
        var tensor = new Tensor(storage, 0, new Shape(rows, columns), pitch);
        var random = new Random(rows * 31 + columns);
        backend.Upload([.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle() - 0.5f)], tensor);
        return tensor;
    }
}
