using ClipSegNative.Layers;
using ClipSegNative.Tensors;

namespace ClipSegNative.Models.Clip;

/// <summary>Both towers up to the unit vectors of a micro-batch's rows, and back.</summary>
sealed class ContrastNetwork
{
    readonly LayerScope _scope;
    readonly ContrastShape _shape;
    readonly ClipVisionEncoder _vision;
    readonly ClipTextEncoder[] _texts;
    readonly RowProjection _images;
    readonly RowProjection _captions;
    readonly Tensor _pooledCells;
    readonly Tensor _pooledEnds;
    readonly Tensor _dTokens;
    readonly Tensor[] _dHidden;
    readonly Tensor[] _dTexts;
    Tensor _entries;
    Tensor _pooling;
    CaptionRows[] _rows = [];

    /// <param name="scope">At <c>clip</c>.</param>
    /// <param name="config">The model's sizes.</param>
    /// <param name="shape">The micro-batch's.</param>
    public ContrastNetwork(LayerScope scope, ClipConfig config, ContrastShape shape)
    {
        (_scope, _shape) = (scope, shape);
        int rows = shape.Rows, blocks = config.Vision.Layers;
        (int Count, int Length)[] groups = [(shape.Regions, shape.RegionTokens), (shape.Wholes, shape.PictureTokens)];
        groups = [.. groups.Where(group => group.Count > 0)];
        _vision = new ClipVisionEncoder(scope.Child("vision_model"), config.Vision, shape.Pictures, shape.Grid, blocks);
        _texts = [.. groups.Select(group => new ClipTextEncoder(scope, config.Text, config.ProjectionSize, group.Count, group.Length))];
        _images = new RowProjection(scope.Child("vision_model.post_layernorm"), scope.Child("visual_projection"), rows, config.Vision.HiddenSize, config.Vision.LayerNormEpsilon, config.ProjectionSize);
        _captions = new RowProjection(scope.Child("text_model.final_layer_norm"), scope.Child("text_projection"), rows, config.Text.HiddenSize, config.Text.LayerNormEpsilon, config.ProjectionSize);
        _pooledCells = scope.Reserve(rows, config.Vision.HiddenSize);
        _pooledEnds = scope.Reserve(rows, config.Text.HiddenSize);
        _dTokens = scope.Reserve(shape.Pictures, 1 + shape.Grid.Cells, config.Vision.HiddenSize);
        _dHidden = new Tensor[blocks + 1];
        _dTexts = [.. groups.Select(group => scope.Reserve(group.Count, group.Length, config.Text.HiddenSize))];
    }

    /// <param name="pixels">[pictures, channels, height, width].</param>
    /// <param name="entries">Picture of each row.</param>
    /// <param name="pooling">What each of its tokens counts in a row [rows, 1 + cells].</param>
    /// <param name="captions">One for each group of rows.</param>
    /// <returns>[rows, projection] each.</returns>
    public (Tensor Images, Tensor Captions) Forward(Tensor pixels, Tensor entries, Tensor pooling, CaptionRows[] captions)
    {
        (_entries, _pooling, _rows) = (entries, pooling, captions);
        _scope.Backend.PoolTokens(_vision.Forward(pixels)[^1], entries, pooling, _pooledCells);
        for (int i = 0; i < _texts.Length; i++) _scope.Backend.PoolTokens(_texts[i].Tokens(captions[i].Ids), captions[i].Entries, captions[i].Ends, OfGroup(_pooledEnds, i));
        return (_images.Forward(_pooledCells), _captions.Forward(_pooledEnds));
    }

    public void Backward(Tensor dImages, Tensor dCaptions)
    {
        Tensor dEnds = _captions.Backward(dCaptions);
        for (int i = 0; i < _texts.Length; i++)
        {
            _scope.Backend.PoolTokensBackward(OfGroup(dEnds, i), _rows[i].Entries, _rows[i].Ends, _dTexts[i]);
            _texts[i].BackwardTokens(_dTexts[i]);
        }
        _scope.Backend.PoolTokensBackward(_images.Backward(dImages), _entries, _pooling, _dTokens);
        _dHidden[^1] = _dTokens;
        _vision.Backward(_dHidden);
    }

    /// <summary>Regions stand above whole pictures.</summary>
    Tensor OfGroup(Tensor rows, int group) => rows.RowRange(group == 0 ? 0 : rows.Rows - _dTexts[group].Shape[0], _dTexts[group].Shape[0]);
}
