using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ClipSegNative.Imaging;
using ClipSegNative.Layers;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative;

/// <summary>
/// Has the run-time compiler make, while a model is loaded, what its first calls need: a segmenter of the same grid, decoder and tokenizer but narrow,
/// shallow towers, its weights zeros, is asked once. Otherwise the first picture would take half as long again.
/// </summary>
static class KernelWarmUp
{
    /// <summary>Of a side of the grid, in cells; the published models have 22. A larger one has no other code, but would keep the loading waiting.</summary>
    const int MostCells = 32;

    /// <param name="parts">Of the model that is loaded.</param>
    /// <param name="options">What it is computed with.</param>
    public static void Run(SegmenterParts parts, SegmenterOptions options)
    {
        if (!RuntimeFeature.IsDynamicCodeCompiled) return;
        ClipSegConfig config = Narrow(parts.Config);
        var grid = new Grid(Math.Min(parts.Grid.Height, MostCells), Math.Min(parts.Grid.Width, MostCells));
        using var weights = new Zeros(config);
        options = options with { Threads = 1, ImagePrompts = false, PackedWeights = null, Check = false, Profile = false };
        using var segmenter = new Segmenter(parts with { Config = config, Grid = grid }, weights, options);
        using EncodedImage image = segmenter.Encode(Picture.FromRgb(new byte[Picture.Channels], 1, 1, Picture.Channels));
        image.Segment("a");
    }

    /// <summary>One head and one block in each tower; the decoder reads that block's output wherever it read another's.</summary>
    static ClipSegConfig Narrow(ClipSegConfig config)
    {
        int text = config.Text.HiddenSize / config.Text.Heads, vision = config.Vision.HiddenSize / config.Vision.Heads;
        return config with
        {
            Text = config.Text with { HiddenSize = text, IntermediateSize = text, Layers = 1, Heads = 1 },
            Vision = config.Vision with { HiddenSize = vision, IntermediateSize = vision, Layers = 1, Heads = 1 },
            ExtractLayers = [.. config.ExtractLayers.Select(_ => 0)],
        };
    }

    /// <summary>All tensors are one block, which the system need not even back: it is read, never written.</summary>
    sealed unsafe class Zeros : IWeightSource, IWeightMemory
    {
        readonly Dictionary<string, Shape> _shapes;
        readonly void* _zeros;

        public Zeros(ClipSegConfig config)
        {
            _shapes = ClipSegTensors.All(config).ToDictionary(tensor => tensor.Name, tensor => tensor.Shape);
            _zeros = NativeMemory.AllocZeroed((nuint)(_shapes.Values.Max(shape => shape.Elements) * sizeof(float)));
        }

        public string Description => "zeros";

        public IReadOnlyCollection<string> Names => _shapes.Keys;

        public bool TryFind(string name, out WeightEntry entry)
        {
            bool found = _shapes.TryGetValue(name, out Shape shape);
            entry = new WeightEntry(name, DType.F32, shape, this, 0);
            return found;
        }

        public ReadOnlySpan<byte> Slice(long offset, int length) => new(_zeros, length);

        public void Dispose() => NativeMemory.Free(_zeros);
    }
}
