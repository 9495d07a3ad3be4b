using ClipSegNative.Backends;
using ClipSegNative.Layers;
using ClipSegNative.Tensors;

namespace ClipSegNative.Models.ClipSeg;

/// <summary>
/// This project's convolutional decoder, a U-Net on CLIP's features: the deepest activation at the token grid, then doublings of the side up to pixels,
/// shallower activations joining one stage later each, every stage modulated by the phrase.
/// </summary>
/// <remarks>The shape follows Ronneberger et al. 2015 (U-Net), with sums for concatenations, group norm (Wu and He 2018) and FiLM (Perez et al. 2018).</remarks>
sealed class ConvDecoder : IMaskDecoder
{
    readonly LayerScope _scope;
    readonly ConvStage[] _stages;
    readonly Linear _head;
    readonly int _prompts;
    readonly Grid _pixels;
    readonly Tensor[] _dFeatures;

    public ConvDecoder(LayerScope scope, ClipSegConfig config, ConvDecoderConfig conv, int images, int prompts, Grid grid)
    {
        _scope = scope;
        _prompts = prompts;
        _dFeatures = new Tensor[config.ExtractLayers.Count];
        _stages = new ConvStage[conv.Channels.Count];
        for (int i = 0; i < _stages.Length; i++)
        {
            var shape = new ConvStageShape(images, prompts, grid, i, i < config.ExtractLayers.Count, config.ProjectionSize, conv.Groups);
            _stages[i] = new ConvStage(scope.Child("stages", i), shape, inputs: i == 0 ? 0 : conv.Channels[i - 1], conv.Channels[i]);
        }
        _pixels = _stages[^1].Grid;
        _head = new Linear(scope.Child("head"), prompts, _pixels.Cells, conv.Channels[^1], 1);
    }

    public Tensor Forward(Tensor[] features, Tensor condition)
    {
        Tensor x = default;
        for (int i = 0; i < _stages.Length; i++) x = _stages[i].Forward(x, i < features.Length ? features[i] : default, condition);
        return _head.Forward(x).Reshape(_prompts, _pixels.Height, _pixels.Width, 1);
    }

    public Tensor[] Backward(Tensor dLogits)
    {
        Tensor dx = _head.Backward(dLogits.Reshape(_prompts, _pixels.Cells, 1));
        for (int i = _stages.Length - 1; i >= 0; i--)
        {
            (dx, Tensor dFeature) = _stages[i].Backward(dx);
            if (i < _dFeatures.Length) _dFeatures[i] = dFeature;
        }
        return _dFeatures;
    }

    public Tensor BackwardCondition()
    {
        Tensor dc = _stages[0].BackwardCondition();
        for (int i = 1; i < _stages.Length; i++) _scope.Backend.Add(dc, _stages[i].BackwardCondition(), dc);
        return dc;
    }
}

/// <summary>Where a stage stands.</summary>
/// <param name="Images">Entries of the features: 1 or one a prompt.</param>
/// <param name="Prompts">Entries of everything else.</param>
/// <param name="Tokens">The grid of the features.</param>
/// <param name="Index">Doublings of that grid so far, this stage's included.</param>
/// <param name="HasFeature">An activation joins here.</param>
/// <param name="Condition">Length of the conditional vector.</param>
/// <param name="Groups">Of the norms.</param>
readonly record struct ConvStageShape(int Images, int Prompts, Grid Tokens, int Index, bool HasFeature, int Condition, int Groups)
{
    public Grid Grid => new(Tokens.Height << Index, Tokens.Width << Index);
}

/// <summary>
/// One stage: the map before enlarged twofold, an activation added where one joins, FiLM by the phrase, twice a 3x3 convolution with group norm and ReLU.
/// </summary>
sealed class ConvStage
{
    readonly LayerScope _scope;
    readonly ConvTranspose? _upsample;
    readonly FeatureMap? _feature;
    readonly Tensor _sum;
    readonly Film _film;
    readonly Convolution[] _convolutions;
    readonly GroupNorm[] _norms;
    readonly Tensor[] _activated;
    readonly Tensor _dActivated;

    public ConvStage(LayerScope scope, ConvStageShape s, int inputs, int channels)
    {
        _scope = scope;
        Grid = s.Grid;
        if (s.Index > 0)
            _upsample = new ConvTranspose(scope.Child("upsample"), s.Prompts, new Grid(Grid.Height / 2, Grid.Width / 2), inputs, channels, kernel: 2, Activation.None);
        if (s.HasFeature) _feature = new FeatureMap(scope, s, channels);
        _sum = scope.Reserve(s.Prompts, Grid.Height, Grid.Width, channels);
        _film = new Film(scope, s.Index == 0 ? s.Images : s.Prompts, s.Prompts, Grid.Cells, channels, s.Condition);
        _convolutions = [.. Enumerable.Range(0, 2).Select(i =>
            new Convolution(scope.Child("convolutions", i), s.Prompts, Grid, channels, channels, kernel: 3, Activation.None))];
        _norms = [.. Enumerable.Range(0, 2).Select(i => new GroupNorm(scope.Child("norms", i), s.Prompts, Grid, channels, s.Groups))];
        _activated = new Tensor[_norms.Length];
        _dActivated = scope.Reserve(s.Prompts, Grid.Height, Grid.Width, channels);
    }

    public Grid Grid { get; }

    /// <param name="x">The map of the stage before; absent for the first.</param>
    /// <param name="feature">Tokens of the activation that joins; absent where none does.</param>
    /// <param name="condition">[prompts, condition].</param>
    public Tensor Forward(Tensor x, Tensor feature, Tensor condition)
    {
        x = Join(_upsample is null ? default : _upsample.Forward(x), _feature is null ? default : _feature.Forward(feature));
        x = _film.Forward(x.Reshape(x.Shape[0], Grid.Cells, x.Columns), condition);
        x = x.Reshape(x.Shape[0], Grid.Height, Grid.Width, x.Columns);
        for (int i = 0; i < _norms.Length; i++)
        {
            x = _norms[i].Forward(_convolutions[i].Forward(x));
            _scope.Backend.Activate(x, Activation.Relu, x);
            _activated[i] = x;
        }
        return x;
    }

    /// <returns>The gradients of the map before and of the activation's tokens, absent as those are.</returns>
    public (Tensor Map, Tensor Feature) Backward(Tensor dy)
    {
        for (int i = _norms.Length - 1; i >= 0; i--)
        {
            _scope.Backend.ActivateBackward(_activated[i], dy, Activation.Relu, _dActivated);
            dy = _convolutions[i].Backward(_norms[i].Backward(_dActivated));
        }
        dy = _film.Backward(dy.Reshape(dy.Shape[0], Grid.Cells, dy.Columns));
        dy = dy.Reshape(dy.Shape[0], Grid.Height, Grid.Width, dy.Columns);
        Tensor dFeature = _feature is null ? default : _feature.Backward(dy);
        return (_upsample is null ? default : _upsample.Backward(dy), dFeature);
    }

    public Tensor BackwardCondition() => _film.BackwardCondition();

    /// <summary>One picture's activation is the same for every prompt: it repeats.</summary>
    Tensor Join(Tensor x, Tensor feature)
    {
        if (x.IsAbsent) return feature;
        if (feature.IsAbsent) return x;
        _scope.Backend.Add(x, feature, _sum);
        return _sum;
    }
}

/// <summary>An activation as a map of a stage's size: the class token left out, the grid enlarged bilinearly.</summary>
sealed class FeatureMap(LayerScope scope, ConvStageShape s, int channels)
{
    readonly Tensor _cells = scope.Reserve(s.Images, s.Tokens.Height, s.Tokens.Width, channels);
    readonly Tensor _map = scope.Reserve(s.Images, s.Grid.Height, s.Grid.Width, channels);
    readonly Tensor _dMap = scope.Reserve(s.Images, s.Grid.Height, s.Grid.Width, channels);
    readonly Tensor _dCells = scope.Reserve(s.Images, s.Tokens.Height, s.Tokens.Width, channels);
    readonly Tensor _dTokens = scope.Reserve(s.Images, 1 + s.Tokens.Cells, channels);

    public Tensor Forward(Tensor tokens)
    {
        scope.Backend.SliceTokens(tokens, 1, _cells.Reshape(s.Images, s.Tokens.Cells, channels));
        if (s.Index == 0) return _cells;
        scope.Backend.Resize(_cells, ResizeMode.Bilinear, _map);
        return _map;
    }

    /// <param name="dy">Of the prompts, where the activation repeats for them.</param>
    public Tensor Backward(Tensor dy)
    {
        IBackend backend = scope.Backend;
        if (dy.Rows != _map.Rows)
        {
            backend.Fill(0, _dMap);
            backend.AddBackward(dy, _dMap);
            dy = _dMap;
        }
        if (s.Index > 0)
        {
            backend.ResizeBackward(dy, ResizeMode.Bilinear, _dCells);
            dy = _dCells;
        }
        backend.SliceTokensBackward(dy.Reshape(s.Images, s.Tokens.Cells, channels), 1, _dTokens);
        return _dTokens;
    }
}
