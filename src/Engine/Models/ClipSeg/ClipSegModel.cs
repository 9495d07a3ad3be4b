using ClipSegNative.Backends;
using ClipSegNative.Backends.Planning;
using ClipSegNative.Layers;
using ClipSegNative.Models.Clip;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Models.ClipSeg;

/// <summary>
/// CLIPSeg in its separately replayed parts: a picture is encoded once, a phrase or an example picture once, and each pair decoded. The weights are read while the first
/// plan of each kind is made; after that their source may be closed.
/// </summary>
/// <param name="backend">Where it is computed.</param>
/// <param name="config">Its sizes.</param>
/// <param name="weights">Under canonical names.</param>
/// <param name="packed">Where they may lie packed already; belongs to this model from now on. Null for nowhere.</param>
sealed class ClipSegModel(IBackend backend, ClipSegConfig config, IWeightSource weights, PackedWeights? packed = null) : IDisposable
{
    readonly ParameterStore _parameters = new(backend, weights, trained: null, packed);

    public ClipSegConfig Config => config;

    /// <summary>Bytes of weights on the device.</summary>
    public long WeightBytes => _parameters.Bytes;

    /// <summary>Vision blocks that text prompts need: those behind the last extracted one feed only the pooled output.</summary>
    int NeededBlocks => config.ExtractLayers.Max() + 1;

    /// <summary>Pixels [batch, 3, height, width] -> reduced features [batch, 1 + cells, width] each, deepest first; see <see cref="ClipSegConfig.FeatureWidths"/>.</summary>
    public Plan EncodePlan(int batch, Grid grid) => new(backend,
        arena => [Pixels(arena, batch, grid)],
        arena =>
        {
            var vision = new ClipVisionEncoder(Scope(arena, "clip.vision_model"), config.Vision, batch, grid, NeededBlocks);
            var reduction = new FeatureReduction(Scope(arena, "decoder", PrecisionFloor.Float32), config, batch, 1 + grid.Cells);
            return inputs => reduction.Forward(vision.Forward(inputs[0]));
        });

    /// <summary>
    /// Pixels [batch, 3, height, width] -> what <see cref="EncodePlan"/> would reduce: extracted hidden states [batch, 1 + cells, hidden] each, in the
    /// order of <see cref="ClipSegConfig.ExtractLayers"/>. Training keeps these.
    /// </summary>
    public Plan FeaturePlan(int batch, Grid grid) => new(backend,
        arena => [Pixels(arena, batch, grid)],
        arena =>
        {
            var vision = new ClipVisionEncoder(Scope(arena, "clip.vision_model"), config.Vision, batch, grid, NeededBlocks);
            var extracted = new Tensor[config.ExtractLayers.Count];
            return inputs =>
            {
                Tensor[] hidden = vision.Forward(inputs[0]);
                for (int i = 0; i < extracted.Length; i++) extracted[i] = hidden[config.ExtractLayers[i] + 1];
                return extracted;
            };
        });

    /// <summary>Pixels of example pictures [batch, 3, height, width] -> conditional vectors [batch, 1, projection]; takes all blocks.</summary>
    public Plan ImagePromptPlan(int batch, Grid grid) => new(backend,
        arena => [Pixels(arena, batch, grid)],
        arena =>
        {
            var vision = new ClipVisionEncoder(Scope(arena, "clip.vision_model"), config.Vision, batch, grid, config.Vision.Layers - 1);
            var projection = new ClipImageProjection(Scope(arena, "clip"), config.Vision, config.ProjectionSize, batch, 1 + grid.Cells);
            var result = new Tensor[1];
            return inputs =>
            {
                result[0] = projection.Forward(vision.Forward(inputs[0])[^1]);
                return result;
            };
        });

    /// <summary>Token ids [batch · length], and where among them the end tokens are [batch] -> conditional vectors [batch, 1, projection].</summary>
    public Plan TextPlan(int batch, int length) => new(backend,
        arena => [arena.Keep(DType.I32, batch * length), arena.Keep(DType.I32, batch)],
        arena =>
        {
            var text = new ClipTextEncoder(Scope(arena, "clip", PrecisionFloor.SixteenBits), config.Text, config.ProjectionSize, batch, length);
            var result = new Tensor[1];
            return inputs =>
            {
                result[0] = text.Forward(inputs[0], inputs[1]);
                return result;
            };
        });

    /// <summary>Reduced features [images, 1 + cells, width] as <see cref="EncodePlan"/> gives them, then conditional vectors [prompts, projection] -> logits [prompts, height, width, 1].</summary>
    public Plan DecodePlan(int images, int prompts, Grid grid) => new(backend,
        arena =>
        [
            .. config.FeatureWidths.Select(width => arena.Keep(DType.F32, images, 1 + grid.Cells, width)),
            arena.Keep(DType.F32, prompts, config.ProjectionSize),
        ],
        arena =>
        {
            IMaskDecoder decoder = IMaskDecoder.Create(Scope(arena, "decoder", PrecisionFloor.Float32), config, images, prompts, grid);
            var result = new Tensor[1];
            return inputs =>
            {
                result[0] = decoder.Forward(inputs, inputs[^1]);
                return result;
            };
        });

    /// <summary>See <see cref="ParameterStore.StorePacked"/>.</summary>
    public void StorePacked() => _parameters.StorePacked();

    public void Dispose() => _parameters.Dispose();

    Tensor Pixels(Arena arena, int batch, Grid grid) =>
        arena.Keep(DType.F32, batch, config.Vision.ImageChannels, grid.Height * config.Vision.PatchSize, grid.Width * config.Vision.PatchSize);

    LayerScope Scope(Arena arena, string path, PrecisionFloor floor = PrecisionFloor.None) => new(arena, _parameters, path, floor: floor);
}
