using ClipSegNative.Backends;
using ClipSegNative.Layers;
using ClipSegNative.Tensors;

namespace ClipSegNative.Models.Clip;

/// <summary>
/// The end of CLIP's image tower: tokens before the last block [batch, 1 + cells, channels] -> the picture's vector [batch, 1, projection].
/// Only the class token is read, so the last block has one query a picture: its feed-forward layer and its output see one token instead of all.
/// </summary>
sealed class ClipImageProjection
{
    readonly LayerScope _scope;
    readonly int _heads, _channels;
    readonly LayerNorm _norm1;
    readonly Tensor _classToken;
    readonly Tensor _normedClassToken;
    readonly Linear _query;
    readonly Linear _keysAndValues;
    readonly Tensor _mixed;
    readonly Linear _output;
    readonly LayerNorm _norm2;
    readonly Mlp _mlp;
    readonly LayerNorm _postNorm;
    readonly Linear _projection;
    readonly Tensor _dQuery;
    readonly Tensor _dKeysAndValues;
    readonly Tensor _dOfClassToken;
    Tensor _q, _kv;

    /// <param name="scope">Above <c>vision_model</c>, beside which the projection lies.</param>
    /// <param name="config">The tower's sizes.</param>
    /// <param name="projection">Length of the result.</param>
    /// <param name="batch">Pictures at once.</param>
    /// <param name="tokens">Of each, the class token included.</param>
    public ClipImageProjection(LayerScope scope, ClipVisionConfig config, int projection, int batch, int tokens)
    {
        LayerScope tower = scope.Child("vision_model"), block = tower.Child("encoder.layers", config.Layers - 1), attention = block.Child("self_attn");
        (_scope, _heads, _channels) = (scope, config.Heads, config.HiddenSize);
        _norm1 = new LayerNorm(block.Child("layer_norm1"), batch, tokens, _channels, config.LayerNormEpsilon);
        _classToken = scope.Reserve(batch, 1, _channels);
        _normedClassToken = scope.Reserve(batch, 1, _channels);
        _query = new Linear(attention.Child("q_proj"), batch, 1, _channels, _channels);
        _keysAndValues = Linear.Joined(attention, batch, tokens, _channels, _channels, "k_proj", "v_proj");
        _mixed = scope.Reserve(batch, 1, _channels);
        _output = new Linear(attention.Child("out_proj"), batch, 1, _channels, _channels);
        _norm2 = new LayerNorm(block.Child("layer_norm2"), batch, 1, _channels, config.LayerNormEpsilon);
        _mlp = new Mlp(block.Child("mlp"), batch, 1, _channels, config.IntermediateSize, config.Activation);
        _postNorm = new LayerNorm(tower.Child("post_layernorm"), batch, 1, _channels, config.LayerNormEpsilon);
        _projection = new Linear(scope.Child("visual_projection"), batch, 1, _channels, projection, bias: false);
        _dQuery = scope.Reserve(batch, 1, _channels);
        _dKeysAndValues = scope.Reserve(batch, tokens, 2 * _channels);
        _dOfClassToken = scope.Reserve(batch, tokens, _channels);
    }

    public Tensor Forward(Tensor x)
    {
        Tensor normed = _norm1.Forward(x);
        _scope.Backend.SliceTokens(x, 0, _classToken);
        _scope.Backend.SliceTokens(normed, 0, _normedClassToken);
        _kv = _keysAndValues.Forward(normed);
        _q = _query.Forward(_normedClassToken);
        _scope.Backend.Attention(_q, Half(_kv, 0), Half(_kv, 1), _heads, causal: false, _mixed, _scope.Floor);
        Tensor attended = _output.ForwardAdd(_mixed, _classToken);
        return _projection.Forward(_postNorm.Forward(_mlp.Forward(_norm2.Forward(attended), attended)));
    }

    public Tensor Backward(Tensor dy)
    {
        IBackend backend = _scope.Backend;
        Tensor dSum = _postNorm.Backward(_projection.Backward(dy)), dAttended = _norm2.Backward(_mlp.Backward(dSum));
        backend.Add(dAttended, dSum, dAttended);
        Tensor dMixed = _output.Backward(dAttended);
        backend.AttentionBackward(
            _q, Half(_kv, 0), Half(_kv, 1), _mixed, dMixed, _heads, causal: false, _dQuery, Half(_dKeysAndValues, 0), Half(_dKeysAndValues, 1));
        Tensor dx = _norm1.Backward(AddToClassToken(_keysAndValues.Backward(_dKeysAndValues), _query.Backward(_dQuery)));
        return AddToClassToken(dx, dAttended);
    }

    Tensor AddToClassToken(Tensor dTokens, Tensor dClassToken)
    {
        _scope.Backend.SliceTokensBackward(dClassToken, 0, _dOfClassToken);
        _scope.Backend.Add(dTokens, _dOfClassToken, dTokens);
        return dTokens;
    }

    Tensor Half(Tensor joined, int index) => joined.ColumnRange(index * _channels, _channels);
}
