using ClipSegNative.Layers;
using ClipSegNative.Tensors;

namespace ClipSegNative.Models.Clip;

/// <summary>
/// CLIP's text tower with its projection: ids [batch · length] -> [batch, projection]. Every sequence has exactly <c>length</c> tokens, the end token last:
/// attention is causal, so padding behind the end token could not change the result and is not computed.
/// </summary>
sealed class ClipTextEncoder
{
    readonly LayerScope _scope;
    readonly int _length;
    readonly Tensor _tokenTable;
    readonly Tensor _positions;
    readonly Tensor _tokens;
    readonly PreNormBlock[] _blocks;
    readonly Tensor _end;
    readonly LayerNorm _finalNorm;
    readonly Linear _projection;

    /// <param name="scope">Above <c>text_model</c>, beside which the projection lies.</param>
    /// <param name="config">The tower's sizes.</param>
    /// <param name="projection">Length of the result.</param>
    /// <param name="batch">Sequences at once.</param>
    /// <param name="length">Tokens of each.</param>
    public ClipTextEncoder(LayerScope scope, ClipTextConfig config, int projection, int batch, int length)
    {
        LayerScope tower = scope.Child("text_model");
        int channels = config.HiddenSize;
        var shape = new BlockShape(batch, length, channels, config.Heads, config.IntermediateSize, config.Activation, config.LayerNormEpsilon, Causal: true);
        _scope = tower;
        _length = length;
        _tokenTable = tower.Parameters.Tensor(tower.Name("embeddings.token_embedding.weight"), config.VocabularySize, channels);
        _positions = tower.Parameters.Tensor(tower.Name("embeddings.position_embedding.weight"), config.Positions, channels).RowRange(0, length);
        _tokens = tower.Reserve(batch, length, channels);
        _blocks = [.. Enumerable.Range(0, config.Layers).Select(i => new PreNormBlock(tower.Child("encoder.layers", i), shape))];
        _end = tower.Reserve(batch, 1, channels);
        _finalNorm = new LayerNorm(tower.Child("final_layer_norm"), batch, 1, channels, config.LayerNormEpsilon);
        _projection = new Linear(scope.Child("text_projection"), batch, 1, channels, projection, bias: false);
    }

    public Tensor Forward(Tensor ids)
    {
        _scope.Backend.GatherRows(_tokenTable, ids, _tokens);
        _scope.Backend.Add(_tokens, _positions, _tokens);
        Tensor x = _tokens;
        foreach (PreNormBlock block in _blocks) x = block.Forward(x);
        _scope.Backend.SliceTokens(x, _length - 1, _end);
        return _projection.Forward(_finalNorm.Forward(_end));
    }
}
