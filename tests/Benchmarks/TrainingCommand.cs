using System.Text.Json.Nodes;
using ClipSegNative.Backends;
using ClipSegNative.Imaging;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;
using ClipSegNative.Training;

namespace ClipSegNative.Benchmarks;

/// <summary>Training of both decoders at full size on pictures of noise, with the tower's features kept and not kept: phrases a second, and memory.</summary>
static class TrainingCommand
{
    const int Pictures = 8, Batch = 8, KeptMegabytes = 1024;

    public static void Run(string[] arguments)
    {
        int threads = arguments.Length > 0 ? int.Parse(arguments[0]) : Environment.ProcessorCount;
        string folder = Directory.CreateTempSubdirectory("clipseg-benchmark").FullName;
        try
        {
            string clip = Path.Combine(folder, "clip");
            ClipSegConfig config = ClipSegConfig.Presets["clipseg-rd64-refined"];
            RandomWeights.Write(clip, config, seed: 0);
            ClipVocabulary.WriteByteLevel(clip, config.Text.VocabularySize);
            string data = WriteData(folder);
            Console.WriteLine($"| decoder | features | phrases a second | ms a step of {Batch} | towers, decoder and activations, MB | features kept, MB |\n| --- | --- | --- | --- | --- | --- |");
            foreach (string size in new[] { "clipseg-rd64", "clipseg-rd64-refined", "clipseg-conv-base" })
                foreach (bool kept in new[] { true, false }) Measure(size, kept, clip, data, Path.Combine(folder, $"{size}-{kept}"), threads);
        }
        finally { Directory.Delete(folder, recursive: true); }
    }

    static void Measure(string size, bool kept, string clip, string data, string runFolder, int threads)
    {
        var settings = new TrainingSettings
        {
            Data = data,
            Clip = clip,
            Decoder = size.Contains("conv", StringComparison.Ordinal) ? "conv" : "transformer",
            Size = size,
            Steps = kept ? 9 : 4,
            Batch = Batch,
            Negatives = 0,
            Crop = "none",
            Samples = 0,
            FeatureCache = kept ? KeptMegabytes : 0,
        };
        var run = new RunFolder(runFolder);
        run.Prepare(settings);
        using IBackend backend = Segmenter.OpenDevice(new SegmenterOptions { Threads = threads });
        var speeds = new Speeds();
        using var trainer = new Trainer(settings, run, TrainingPhrases.Read(settings, Console.Error.WriteLine), backend, speeds);
        trainer.Run(CancellationToken.None);
        double median = speeds.Warm.Order().ElementAt(speeds.Warm.Count / 2);
        Console.WriteLine($"| {size} | {(kept ? "kept" : "encoded each time")} | {median:F2} | {Batch / median * 1000:F0} | {trainer.DeviceBytes / 1e6:F0} | {trainer.FeatureBytes / 1e6:F0} |");
        trainer.Dispose();
        Directory.Delete(runFolder, recursive: true);
    }

    static string WriteData(string folder)
    {
        const int Width = 640, Height = 480;
        Directory.CreateDirectory(Path.Combine(folder, "images"));
        var random = new Random(1);
        var pixels = new byte[Width * Height * 3];
        var tasks = new JsonArray();
        for (int i = 1; i <= Pictures; i++)
        {
            random.NextBytes(pixels);
            using FileStream file = File.Create(Path.Combine(folder, "images", $"{i}.png"));
            PngWriter.Write(file, PngKind.Rgb8, Width, Height, pixels);
            JsonNode polygons = JsonNode.Parse("[[[[100, 100], [400, 100], [400, 300], [100, 300]]]]")!;
            tasks.Add((JsonNode)new JsonObject { ["task_id"] = $"{i}", ["image_id"] = i, ["phrase"] = $"thing {i}", ["Polygons"] = polygons });
        }
        string data = Path.Combine(folder, "refer.json");
        File.WriteAllText(data, tasks.ToJsonString());
        return data;
    }

    /// <summary>Those of all steps but the first, which also fills the caches.</summary>
    sealed class Speeds : ITrainingWatcher
    {
        public List<double> Warm { get; } = [];

        public void Measured(MetricsLine line)
        {
            if (line.Step > 1) Warm.Add(line.ImagesPerSecond);
        }

        public void Said(string sentence) => Console.Error.WriteLine(sentence);

        public void Warned(string sentence) => Console.Error.WriteLine(sentence);
    }
}
