using System.Runtime.CompilerServices;
using ClipSegNative.Backends;
using ClipSegNative.Imaging;
using ClipSegNative.Layers;
using ClipSegNative.Models;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative;

/// <summary>
/// Has the run-time compiler make, while a model is loaded, what its first calls need: a model of the same grid and decoder but narrow, shallow towers,
/// its weights zeros, runs once. Otherwise the first picture would take half as long again.
/// </summary>
static class KernelWarmUp
{
    const int Tokens = 4;

    /// <summary>Of a side of the grid, in cells; the published models have 22. A larger one has no other code, but would keep the loading waiting.</summary>
    const int MostCells = 32;

    /// <param name="config">Of the model that is loaded.</param>
    /// <param name="grid">Its working size.</param>
    /// <param name="preprocessing">Its own.</param>
    /// <param name="options">What it is computed with.</param>
    public static void Run(ClipSegConfig config, Grid grid, PreprocessorConfig preprocessing, SegmenterOptions options)
    {
        if (!RuntimeFeature.IsDynamicCodeCompiled) return;
        grid = new Grid(Math.Min(grid.Height, MostCells), Math.Min(grid.Width, MostCells));
        ClipSegConfig narrow = Narrow(config);
        using IBackend backend = Segmenter.OpenDevice(options with { Threads = 1 });
        using var model = new ClipSegModel(backend, narrow, new Zeros(narrow));
        using Plan encode = model.EncodePlan(batch: 1, grid), text = model.TextPlan(batch: 1, Tokens), decode = model.DecodePlan(images: 1, prompts: 1, grid);
        var pixels = new float[encode.Inputs[0].Shape.Elements];
        int patch = narrow.Vision.PatchSize;
        Segmenter.Preprocessor(preprocessing, grid.Width * patch, grid.Height * patch).Run(Picture.FromRgb(new byte[Picture.Channels], 1, 1, Picture.Channels), pixels);
        backend.Upload(pixels, encode.Inputs[0]);
        encode.Run();
        backend.Upload(new int[Tokens], text.Inputs[0]);
        backend.Upload([Tokens - 1], text.Inputs[1]);
        text.Run();
        for (int i = 0; i < encode.Outputs.Length; i++) backend.Copy(encode.Outputs[i], decode.Inputs[i]);
        backend.Copy(text.Outputs[0].Reshape(1, narrow.ProjectionSize), decode.Inputs[^1]);
        decode.Run();
        backend.Download(decode.Outputs[0], new float[decode.Outputs[0].Shape.Elements]);
    }

    /// <summary>One head and one block in each tower; the decoder reads that block's output wherever it read another's.</summary>
    static ClipSegConfig Narrow(ClipSegConfig config)
    {
        int text = config.Text.HiddenSize / config.Text.Heads, vision = config.Vision.HiddenSize / config.Vision.Heads;
        return config with
        {
            Text = config.Text with { VocabularySize = 1, HiddenSize = text, IntermediateSize = text, Layers = 1, Heads = 1 },
            Vision = config.Vision with { HiddenSize = vision, IntermediateSize = vision, Layers = 1, Heads = 1 },
            ExtractLayers = [.. config.ExtractLayers.Select(_ => 0)],
        };
    }

    sealed class Zeros(ClipSegConfig config) : IWeightSource, IWeightMemory
    {
        readonly Dictionary<string, Shape> _shapes = ClipSegTensors.All(config).ToDictionary(tensor => tensor.Name, tensor => tensor.Shape);

        public string Description => "zeros";

        public IReadOnlyCollection<string> Names => _shapes.Keys;

        public bool TryFind(string name, out WeightEntry entry)
        {
            bool found = _shapes.TryGetValue(name, out Shape shape);
            entry = new WeightEntry(name, DType.F32, shape, this, 0);
            return found;
        }

        public ReadOnlySpan<byte> Slice(long offset, int length) => new byte[length];

        public void Dispose() { }
    }
}
