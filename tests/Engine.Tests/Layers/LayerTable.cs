using ClipSegNative.Backends;
using ClipSegNative.Layers;
using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Layers;

/// <summary>Every layer and model with a backward.</summary>
static partial class LayerTable
{
    const float Epsilon = 1e-5f;

    static readonly Lazy<Dictionary<string, LayerCase>> ByName = new(() => Cases().ToDictionary(layer => layer.Name));

    public static IReadOnlyCollection<LayerCase> All => ByName.Value.Values;

    public static LayerCase Get(string name) => ByName.Value[name];

    static IEnumerable<LayerCase> Cases() => [.. Products(), .. Blocks(), .. Maps(), .. Embeddings(), .. Towers(), .. Decoders(), .. Models()];

    static IEnumerable<LayerCase> Products()
    {
        yield return new("Linear", [.. ClipTensors.Linear("layer", 5, 4)], [new(2, 3, 5)], (scope, _) =>
        {
            var layer = new Linear(scope.Child("layer"), 2, 3, 5, 4);
            return LayerPass.Of(layer.Forward, layer.Backward);
        });
        yield return new("Linear without bias", [("layer.weight", new(4, 6))], [new(1, 3, 6)], (scope, _) =>
        {
            var layer = new Linear(scope.Child("layer"), 1, 3, 6, 4, bias: false);
            return LayerPass.Of(layer.Forward, layer.Backward);
        });
        yield return new("Linear plus residual", [.. ClipTensors.Linear("layer", 5, 4)], [new(2, 3, 5), new(2, 3, 4)], (scope, _) =>
        {
            var layer = new Linear(scope.Child("layer"), 2, 3, 5, 4);
            return new(x => [layer.ForwardAdd(x[0], x[1])], dy => [layer.Backward(dy[0]), dy[0]]);
        });
        foreach (Activation activation in new[] { Activation.Relu, Activation.QuickGelu, Activation.Gelu })
            yield return new($"Mlp, {activation}", [.. ClipTensors.Linear("fc1", 4, 7), .. ClipTensors.Linear("fc2", 7, 4)], [new(2, 3, 4)], (scope, tensors) =>
            {
                var layer = new Mlp(scope, 2, 3, 4, 7, activation);
                Tensor residual = tensors.Random(2, 3, 4);
                return LayerPass.Of(x => layer.Forward(x, residual), layer.Backward);
            });
        yield return new("LayerNorm", [.. Norm("norm", 6)], [new(2, 3, 6)], (scope, _) =>
        {
            var layer = new LayerNorm(scope.Child("norm"), 2, 3, 6, Epsilon);
            return LayerPass.Of(layer.Forward, layer.Backward);
        });
        foreach (int images in new[] { 1, 3 })
            yield return new($"Film, {images} images for 3 prompts", [.. ClipTensors.Linear("film_mul", 5, 4), .. ClipTensors.Linear("film_add", 5, 4)], [new(images, 2, 4), new(1, 3, 5)], (scope, _) =>
            {
                var layer = new Film(scope, images, 3, 2, 4, 5);
                return new(x => [layer.Forward(x[0], x[1])], dy => [layer.Backward(dy[0]), layer.BackwardCondition()]);
            });
    }

    static IEnumerable<LayerCase> Blocks()
    {
        (string, Shape)[] parameters = [.. ClipTensors.Blocks("blocks", 1, 6, 7)];
        foreach (bool causal in new[] { false, true })
        {
            var shape = new BlockShape(2, 3, 6, 2, 7, Activation.QuickGelu, Epsilon, causal);
            yield return new($"PreNormBlock{(causal ? ", causal" : "")}", parameters, [new(2, 3, 6)], (scope, _) =>
            {
                var layer = new PreNormBlock(scope.Child("blocks.0"), shape);
                return LayerPass.Of(layer.Forward, layer.Backward);
            });
        }
        yield return new("PostNormBlock", parameters, [new(2, 3, 6)], (scope, _) =>
        {
            var layer = new PostNormBlock(scope.Child("blocks.0"), new BlockShape(2, 3, 6, 3, 7, Activation.Relu, Epsilon));
            return LayerPass.Of(layer.Forward, layer.Backward);
        });
    }

    static IEnumerable<LayerCase> Maps()
    {
        var grid = new Grid(3, 2);
        foreach (Activation activation in new[] { Activation.None, Activation.Relu })
        {
            yield return new($"Convolution, {activation}", [("layer.weight", new(4, 3, 3, 3)), ("layer.bias", new(4))], [new(2, 3, 2, 3)], (scope, _) =>
            {
                var layer = new Convolution(scope.Child("layer"), 2, grid, 3, 4, 3, activation);
                return LayerPass.Of(layer.Forward, layer.Backward);
            });
            yield return new($"ConvTranspose, {activation}", [("layer.weight", new(3, 2, 4, 4)), ("layer.bias", new(2))], [new(2, 3, 2, 3)], (scope, _) =>
            {
                var layer = new ConvTranspose(scope.Child("layer"), 2, grid, 3, 2, 4, activation);
                return LayerPass.Of(layer.Forward, layer.Backward);
            });
        }
        yield return new("GroupNorm", [.. Norm("norm", 6)], [new(2, 3, 2, 6)], (scope, _) =>
        {
            var layer = new GroupNorm(scope.Child("norm"), 2, grid, 6, groups: 3);
            return LayerPass.Of(layer.Forward, layer.Backward);
        });
    }

    static IEnumerable<LayerCase> Embeddings()
    {
        foreach (Grid grid in new[] { new Grid(2, 2), new Grid(3, 1) })
            yield return new($"PatchEmbedding, {grid.Height} x {grid.Width} of a native 2 x 2",
                [("class_embedding", new(4)), ("patch_embedding.weight", new(4, 3, 2, 2)), ("position_embedding.weight", new(5, 4))], [], (scope, tensors) =>
                {
                    var layer = new PatchEmbedding(scope, 2, grid, 3, 2, 4, nativeSide: 2);
                    Tensor pixels = tensors.Random(2, 3, 2 * grid.Height, 2 * grid.Width);
                    return new(_ => [layer.Forward(pixels)], dy =>
                    {
                        layer.Backward(dy[0]);
                        return [];
                    });
                });
        yield return new("PooledProjection", [.. Norm("norm", 6), ("projection.weight", new(5, 6))], [new(2, 4, 6)], (scope, _) =>
        {
            var layer = new PooledProjection(scope.Child("norm"), scope.Child("projection"), batch: 2, tokens: 4, token: 1, channels: 6, Epsilon, size: 5);
            return LayerPass.Of(layer.Forward, layer.Backward);
        });
    }

    static IEnumerable<LayerCase> Towers()
    {
        ClipSegConfig config = TinyTransformer;
        yield return new("ClipTextEncoder", [.. Tower("clip.text")], [], (scope, tensors) =>
        {
            // Two sequences that share tokens, one of which occurs twice.
            Tensor ids = tensors.Indices(7, 2, 2, 9, 7, 4, 2, 9);
            var layer = new ClipTextEncoder(scope.Child("clip"), config.Text, config.ProjectionSize, batch: 2, length: 4);
            return new(_ => [layer.Forward(ids)], dy =>
            {
                layer.Backward(dy[0]);
                return [];
            });
        });
        foreach (int[] asked in new[] { [0, 2], [1], new[] { 3 } })
            yield return new($"ClipVisionEncoder, gradients at {string.Join(" and ", asked)}", [.. Tower("clip.vision_model")], [], (scope, tensors) =>
            {
                Tensor pixels = tensors.Random(2, 3, 8, 4);
                var layer = new ClipVisionEncoder(scope.Child("clip.vision_model"), config.Vision, batch: 2, new Grid(2, 1), blocks: 3);
                return new(
                    _ =>
                    {
                        Tensor[] hidden = layer.Forward(pixels);
                        return [.. asked.Select(index => hidden[index])];
                    },
                    dy =>
                    {
                        var dHidden = new Tensor[4];
                        for (int i = 0; i < asked.Length; i++) dHidden[asked[i]] = dy[i];
                        layer.Backward(dHidden);
                        return [];
                    });
            });

        yield return new("ContrastNetwork", [.. Tower("clip.").Where(parameter => parameter.Item1 != ClipTensors.LogitScale)], [], (scope, tensors) =>
        {
            // A region over two cells, one that shares a cell with it, one of the other picture, then both pictures as wholes.
            var shape = new ContrastShape(Pictures: 2, new Grid(2, 1), Regions: 3, RegionTokens: 3, PictureTokens: 4);
            Tensor pixels = tensors.Random(2, 3, 8, 4), entries = tensors.Indices(1, 1, 0, 0, 1);
            Tensor pooling = tensors.Given([0, 0.5f, 0.5f, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0, 0], 5, 3);
            CaptionRows[] captions =
            [
                new(tensors.Indices(7, 2, 9, 7, 9, 0, 7, 4, 9), tensors.Indices(0, 1, 2), tensors.Given([0, 0, 1, 0, 1, 0, 0, 0, 1], 3, 3)),
                new(tensors.Indices(7, 2, 4, 9, 7, 3, 9, 0), tensors.Indices(0, 1), tensors.Given([0, 0, 0, 1, 0, 0, 1, 0], 2, 4)),
            ];
            var network = new ContrastNetwork(scope.Child("clip"), new ClipConfig(config.Text, config.Vision, config.ProjectionSize), shape);
            return new(
                _ =>
                {
                    (Tensor images, Tensor texts) = network.Forward(pixels, entries, pooling, captions);
                    return [images, texts];
                },
                dy =>
                {
                    network.Backward(dy[0], dy[1]);
                    return [];
                });
        });

        string last = $"clip.vision_model.encoder.layers.{config.Vision.Layers - 1}.";
        (string, Shape)[] end = [.. Tower(last), .. Tower("clip.vision_model.post_layernorm"), .. Tower("clip.visual_projection")];
        yield return new("ClipImageProjection", end, [new(2, 3, 8)], (scope, _) =>
        {
            var layer = new ClipImageProjection(scope.Child("clip"), config.Vision, config.ProjectionSize, batch: 2, tokens: 3);
            return LayerPass.Of(layer.Forward, layer.Backward);
        });

        static IEnumerable<(string Name, Shape Shape)> Tower(string prefix) =>
            ClipSegTensors.All(TinyTransformer).Where(parameter => parameter.Name.StartsWith(prefix, StringComparison.Ordinal));
    }

    static IEnumerable<LayerCase> Decoders()
    {
        foreach (int images in new[] { 1, 2 })
        {
            foreach (int conditional in new[] { 0, 1 })
                foreach (bool refined in new[] { false, true })
                    yield return Decoder($"{(refined ? "refined" : "simple")}, FiLM at {conditional}", (refined ? TinyRefined : TinyTransformer) with { ConditionalLayer = conditional }, images);
            yield return Decoder("convolutional", TinyConv, images);
        }
        // One layer extracted twice gets the sum of two gradients.
        ClipSegConfig twice = TinyTransformer with { ExtractLayers = [1, 1] };
        (string, Shape)[] reductions = [.. Only(twice, "decoder.reduces")];
        yield return new("FeatureReduction", reductions, [new(2, 3, 8)], (scope, _) =>
        {
            var layer = new FeatureReduction(scope.Child("decoder"), twice, batch: 2, tokens: 3);
            return new(x => [.. layer.Forward([default, default, x[0], default])], dy => [layer.Backward(dy)[2]]);
        });
    }

    /// <summary>Pixels and ids to logits: the towers train with their decoder.</summary>
    static IEnumerable<LayerCase> Models()
    {
        foreach (ClipSegConfig config in new[] { TinyTransformer, TinyConv })
            yield return new($"Model, {(config.Conv is null ? "transformer" : "convolutional")} decoder", [.. ClipSegTensors.All(config).Where(IsUsed)], [], (scope, tensors) =>
            {
                (int batch, var grid) = (2, new Grid(2, 1));
                Tensor pixels = tensors.Random(batch, 3, 8, 4), ids = tensors.Indices(3, 1, 9, 5, 3, 9);
                var text = new ClipTextEncoder(scope.Child("clip"), config.Text, config.ProjectionSize, batch, length: 3);
                var vision = new ClipVisionEncoder(scope.Child("clip.vision_model"), config.Vision, batch, grid, blocks: 3);
                var reduction = new FeatureReduction(scope.Child("decoder"), config, batch, 1 + grid.Cells);
                IMaskDecoder decoder = IMaskDecoder.Create(scope.Child("decoder"), config, batch, batch, grid);
                return new(
                    _ => [decoder.Forward(reduction.Forward(vision.Forward(pixels)), text.Forward(ids))],
                    dy =>
                    {
                        vision.Backward(reduction.Backward(decoder.Backward(dy[0])));
                        text.Backward(decoder.BackwardCondition());
                        return [];
                    });
            });

        static bool IsUsed((string Name, Shape Shape) parameter) =>
            parameter.Name is not (ClipTensors.LogitScale or "clip.visual_projection.weight") && !parameter.Name.Contains("post_layernorm", StringComparison.Ordinal);
    }

    static LayerCase Decoder(string kind, ClipSegConfig config, int images)
    {
        (int prompts, var grid) = (2, new Grid(2, 1));
        (string, Shape)[] parameters = [.. Only(config, "decoder.").Where(parameter => !parameter.Name.StartsWith("decoder.reduces", StringComparison.Ordinal))];
        Shape[] inputs = [.. config.FeatureWidths.Select(width => new Shape(images, 1 + grid.Cells, width)), new Shape(prompts, config.ProjectionSize)];
        return new($"Decoder, {kind}, {images} images for {prompts} prompts", parameters, inputs, (scope, _) =>
        {
            IMaskDecoder layer = IMaskDecoder.Create(scope.Child("decoder"), config, images, prompts, grid);
            return new(x => [layer.Forward(x[..^1], x[^1])], dy => [.. layer.Backward(dy[0]), layer.BackwardCondition()]);
        });
    }

    static IEnumerable<(string Name, Shape Shape)> Only(ClipSegConfig config, string prefix) =>
        ClipSegTensors.Decoder(config).Where(parameter => parameter.Name.StartsWith(prefix, StringComparison.Ordinal));

    static IEnumerable<(string Name, Shape Shape)> Norm(string name, int channels) => [($"{name}.weight", new(channels)), ($"{name}.bias", new(channels))];

    public static ClipSegConfig TinyTransformer { get; } = new()
    {
        Text = new ClipTextConfig { VocabularySize = 10, HiddenSize = 6, IntermediateSize = 9, Layers = 2, Heads = 2, Positions = 5, Activation = Activation.Gelu },
        Vision = new ClipVisionConfig { HiddenSize = 8, IntermediateSize = 10, Layers = 3, Heads = 2, PatchSize = 4, ImageSize = 12 },
        ProjectionSize = 5,
        ExtractLayers = [0, 2],
        ReduceSize = 4,
        DecoderHeads = 2,
        DecoderIntermediateSize = 7,
    };

    /// <summary>The refined upsampler enlarges by (patch / 4)².</summary>
    public static ClipSegConfig TinyRefined { get; } = TinyTransformer with
    {
        ComplexUpsampler = true,
        Vision = TinyTransformer.Vision with { PatchSize = 8, ImageSize = 24 },
    };

    public static ClipSegConfig TinyConv { get; } = TinyTransformer with { Conv = new ConvDecoderConfig { Channels = [6, 4, 2], Groups = 2 } };
}
