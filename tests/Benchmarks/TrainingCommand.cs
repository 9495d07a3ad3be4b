using System.Text.Json.Nodes;
using ClipSegNative.Backends;
using ClipSegNative.Imaging;
using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;
using ClipSegNative.Training;

namespace ClipSegNative.Benchmarks;

/// <summary>Training of both decoders at full size on pictures of noise, with the tower's features kept and not kept: phrases a second, and memory.</summary>
static class TrainingCommand
{
    const int Pictures = 8, KeptMegabytes = 1024;

    /// <summary>The towers of the default model: pictures of 96 pixels, patches of 8.</summary>
    static readonly ClipSegConfig SmallTowers = new()
    {
        Vision = new ClipVisionConfig { HiddenSize = 128, IntermediateSize = 512, Layers = 5, Heads = 4, PatchSize = 8, ImageSize = 96 },
        Text = new ClipTextConfig { HiddenSize = 128, IntermediateSize = 512, Layers = 3, Heads = 4, VocabularySize = 600, BeginTokenId = 598, EndTokenId = 599 },
        ProjectionSize = 128,
        ExtractLayers = [1, 2, 3],
    };

    public static void Run(string[] arguments)
    {
        int threads = arguments.Length > 0 ? int.Parse(arguments[0]) : Environment.ProcessorCount;
        string folder = Directory.CreateTempSubdirectory("clipseg-benchmark").FullName;
        try
        {
            bool small = arguments.Contains("small");
            int batch = small ? 16 : 8;
            string clip = Path.Combine(folder, "clip");
            ClipSegConfig config = small ? SmallTowers : ClipSegConfig.Presets["clipseg-rd64-refined"];
            RandomWeights.Write(clip, config, seed: 0);
            if (small) AtomicFile.Write(Path.Combine(clip, PreprocessorConfig.FileName), new PreprocessorConfig { Width = 96, Height = 96 }.WriteJson);
            ClipVocabulary.WriteByteLevel(clip, config.Text.VocabularySize);
            string data = small ? WriteData(folder, 96, 96, 0.2) : WriteData(folder, 640, 480, 1);
            Console.WriteLine($"| decoder | features | phrases a second | ms a step of {batch} | towers, decoder and activations, MB | features kept, MB |\n| --- | --- | --- | --- | --- | --- |");
            foreach (string size in small
                ? ["clipseg-rd16", "clipseg-rd64", "clipseg-conv-small", "clipseg-conv-base"]
                : new[] { "clipseg-rd64", "clipseg-rd64-refined", "clipseg-conv-base" })
                foreach (bool kept in new[] { true, false }) Measure(size, kept, batch, clip, data, Path.Combine(folder, $"{size}-{kept}"), threads);
        }
        finally { Directory.Delete(folder, recursive: true); }
    }

    static void Measure(string size, bool kept, int batch, string clip, string data, string runFolder, int threads)
    {
        var settings = new TrainingSettings
        {
            Data = data,
            Clip = clip,
            Decoder = size.Contains("conv", StringComparison.Ordinal) ? "conv" : "transformer",
            Size = size,
            Steps = kept ? batch == 8 ? 9 : 40 : 4,
            Batch = batch,
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
        Console.WriteLine($"| {size} | {(kept ? "kept" : "encoded each time")} | {median:F2} | {batch / median * 1000:F0} | {trainer.DeviceBytes / 1e6:F0} | {trainer.FeatureBytes / 1e6:F0} |");
        trainer.Dispose();
        Directory.Delete(runFolder, recursive: true);
    }

    static string WriteData(string folder, int width, int height, double scale)
    {
        Directory.CreateDirectory(Path.Combine(folder, "images"));
        var random = new Random(1);
        var pixels = new byte[width * height * 3];
        var tasks = new JsonArray();
        for (int i = 1; i <= Pictures; i++)
        {
            random.NextBytes(pixels);
            using FileStream file = File.Create(Path.Combine(folder, "images", $"{i}.png"));
            PngWriter.Write(file, PngKind.Rgb8, width, height, pixels);
            double near = 100 * scale, right = 400 * scale, low = 300 * scale;
            JsonNode polygons = JsonNode.Parse(FormattableString.Invariant($"[[[[{near}, {near}], [{right}, {near}], [{right}, {low}], [{near}, {low}]]]]"))!;
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
