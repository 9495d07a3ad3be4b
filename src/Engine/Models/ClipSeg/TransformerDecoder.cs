using ClipSegNative.Backends;
using ClipSegNative.Layers;
using ClipSegNative.Tensors;

namespace ClipSegNative.Models.ClipSeg;

/// <summary>
/// CLIPSeg's transformer decoder: reduced features [images, 1 + cells, D] and conditional vectors [prompts, projection] -> logits
/// [prompts, height, width, 1]. One image serves every prompt, or each prompt has its own. Lüddecke and Ecker 2022, section 3.
/// </summary>
sealed class TransformerDecoder : IMaskDecoder
{
    const float Epsilon = 1e-5f;   // PyTorch's TransformerEncoderLayer default; not in the config

    readonly LayerScope _scope;
    readonly ClipSegConfig _config;
    readonly Film _film;
    readonly PostNormBlock[] _blocks;
    readonly Tensor[] _sums;
    readonly Tensor[] _hidden;
    readonly Tensor _cells;
    readonly IMapLayer[] _upsampler;
    readonly Tensor _dTokens;
    readonly Tensor[] _dShared;
    readonly Tensor[] _dFeatures;

    public TransformerDecoder(LayerScope scope, ClipSegConfig config, int images, int prompts, Grid grid)
    {
        int tokens = 1 + grid.Cells, channels = config.ReduceSize;
        _scope = scope;
        _config = config;
        _film = new Film(scope, images, prompts, tokens, channels, config.ProjectionSize);
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
        _upsampler = config.ComplexUpsampler ? Refined(scope.Child("transposed_convolution"), prompts, grid) : Simple(scope.Child("transposed_convolution"), prompts, grid);
        _dTokens = scope.Reserve(prompts, tokens, channels);
        _dShared = [.. _blocks.Select(_ => scope.Reserve(images, tokens, channels))];
        _dFeatures = new Tensor[_blocks.Length];
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
        Tensor map = _cells;
        foreach (IMapLayer layer in _upsampler) map = layer.Forward(map);
        return map;
    }

    public Tensor[] Backward(Tensor dLogits)
    {
        Tensor dMap = dLogits, dx = _dTokens;
        for (int i = _upsampler.Length - 1; i >= 0; i--) dMap = _upsampler[i].Backward(dMap);
        _scope.Backend.SliceTokensBackward(dMap.Reshape(dx.Shape[0], dx.Shape[1] - 1, dx.Columns), 1, dx);
        for (int i = _blocks.Length - 1; i >= 0; i--)
        {
            dx = _blocks[i].Backward(dx);
            if (i == _config.ConditionalLayer) dx = _film.Backward(dx);
            _dFeatures[i] = OfImages(dx, _dShared[i]);   // a sum hands its gradient on to both
        }
        return _dFeatures;
    }

    /// <summary>A feature that served several prompts gets what comes from all of them.</summary>
    Tensor OfImages(Tensor dx, Tensor dShared)
    {
        if (dx.Rows == dShared.Rows) return dx;
        _scope.Backend.Fill(0, dShared);
        _scope.Backend.AddBackward(dx, dShared);
        return dShared;
    }

    public Tensor BackwardCondition() => _film.BackwardCondition();

    IMapLayer[] Simple(LayerScope scope, int prompts, Grid grid) =>
        [new ConvTranspose(scope, prompts, grid, _config.ReduceSize, 1, _config.Vision.PatchSize, Activation.None)];

    IMapLayer[] Refined(LayerScope scope, int prompts, Grid grid)
    {
        int channels = _config.ReduceSize, kernel = _config.Vision.PatchSize / 4;
        return
        [
            new Convolution(scope.Child("0"), prompts, grid, channels, channels, 3, Activation.Relu),
            new ConvTranspose(scope.Child("2"), prompts, grid, channels, channels / 2, kernel, Activation.Relu),
            new ConvTranspose(scope.Child("4"), prompts, new Grid(grid.Height * kernel, grid.Width * kernel), channels / 2, 1, kernel, Activation.None),
        ];
    }
}
