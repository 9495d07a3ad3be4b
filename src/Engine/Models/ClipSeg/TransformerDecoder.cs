using ClipSegNative.Backends;
using ClipSegNative.Layers;
using ClipSegNative.Tensors;

namespace ClipSegNative.Models.ClipSeg;

/// <summary>
/// The part of CLIPSeg's decoder that does not depend on the prompt: each extracted activation reduced to the decoder's width.
/// Computed once a picture, it serves every phrase.
/// </summary>
sealed class FeatureReduction(LayerScope scope, ClipSegConfig config, int batch, int tokens)
{
    readonly Linear[] _reduces =
        [.. config.ExtractLayers.Select((_, i) => new Linear(scope.Child("reduces", i), batch, tokens, config.Vision.HiddenSize, config.ReduceSize))];
    readonly Tensor[] _features = new Tensor[config.ExtractLayers.Count];

    /// <param name="hidden">What <c>ClipVisionEncoder.Forward</c> returns.</param>
    /// <returns>[batch, tokens, D] each, deepest activation first: the order in which the decoder uses them.</returns>
    public Tensor[] Forward(Tensor[] hidden)
    {
        for (int i = 0; i < _features.Length; i++) _features[i] = _reduces[i].Forward(hidden[config.ExtractLayers[^(i + 1)] + 1]);
        return _features;
    }
}

/// <summary>
/// CLIPSeg's transformer decoder: reduced features [images, 1 + cells, D] and conditional vectors [prompts, projection] -> logits
/// [prompts, height, width, 1]. One image serves every prompt, or each prompt has its own. Lüddecke and Ecker 2022, section 3.
/// </summary>
sealed class TransformerDecoder
{
    const float Epsilon = 1e-5f;   // PyTorch's TransformerEncoderLayer default; not in the config

    readonly LayerScope _scope;
    readonly ClipSegConfig _config;
    readonly Film _film;
    readonly PostNormBlock[] _blocks;
    readonly Tensor[] _sums;
    readonly Tensor[] _hidden;
    readonly Tensor _cells;
    readonly Func<Tensor, Tensor> _upsample;

    public TransformerDecoder(LayerScope scope, ClipSegConfig config, int images, int prompts, Grid grid)
    {
        int tokens = 1 + grid.Cells, channels = config.ReduceSize;
        _scope = scope;
        _config = config;
        _film = new Film(scope, prompts, tokens, channels, config.ProjectionSize);
        _blocks = new PostNormBlock[config.ExtractLayers.Count];
        _sums = new Tensor[_blocks.Length];
        _hidden = new Tensor[_blocks.Length];
        for (int i = 0; i < _blocks.Length; i++)
        {
            int modulated = i >= config.ConditionalLayer ? prompts : images;   // before FiLM all prompts are still the same
            // ReLU whatever decoder_hidden_act says: the reference forces it.
            var shape = new BlockShape(modulated, tokens, channels, config.DecoderHeads, config.DecoderIntermediateSize, Activation.Relu, Epsilon);
            _sums[i] = scope.Reserve(i > config.ConditionalLayer ? prompts : images, tokens, channels);
            _blocks[i] = new PostNormBlock(scope.Child("layers", i), shape);
        }
        _cells = scope.Reserve(prompts, grid.Height, grid.Width, channels);
        _upsample = config.ComplexUpsampler ? Refined(scope.Child("transposed_convolution"), prompts, grid) : Simple(scope.Child("transposed_convolution"), prompts, grid);
    }

    /// <summary>Each block's output; the last one still holds the class token.</summary>
    public Tensor[] Hidden(Tensor[] features, Tensor condition)
    {
        for (int i = 0; i < _blocks.Length; i++)
        {
            Tensor x = features[i];
            if (i > 0)
            {
                _scope.Backend.Add(_hidden[i - 1], features[i], _sums[i]);
                x = _sums[i];
            }
            if (i == _config.ConditionalLayer) x = _film.Forward(x, condition);
            _hidden[i] = _blocks[i].Forward(x);
        }
        return _hidden;
    }

    public Tensor Forward(Tensor[] features, Tensor condition) => Upsample(Hidden(features, condition)[^1]);

    /// <summary>Drops the class token, sees the others as a map and enlarges it to pixels.</summary>
    public Tensor Upsample(Tensor tokens)
    {
        _scope.Backend.SliceTokens(tokens, 1, _cells.Reshape(_cells.Shape[0], _cells.Shape[1] * _cells.Shape[2], _cells.Columns));
        return _upsample(_cells);
    }

    Func<Tensor, Tensor> Simple(LayerScope scope, int prompts, Grid grid) =>
        new ConvTranspose(scope, prompts, grid, _config.ReduceSize, 1, _config.Vision.PatchSize, Activation.None).Forward;

    Func<Tensor, Tensor> Refined(LayerScope scope, int prompts, Grid grid)
    {
        int channels = _config.ReduceSize, kernel = _config.Vision.PatchSize / 4;
        var smooth = new Convolution(scope.Child("0"), prompts, grid, channels, channels, 3, Activation.Relu);
        var first = new ConvTranspose(scope.Child("2"), prompts, grid, channels, channels / 2, kernel, Activation.Relu);
        var second = new ConvTranspose(scope.Child("4"), prompts, new Grid(grid.Height * kernel, grid.Width * kernel), channels / 2, 1, kernel, Activation.None);
        return x => second.Forward(first.Forward(smooth.Forward(x)));
    }
}
