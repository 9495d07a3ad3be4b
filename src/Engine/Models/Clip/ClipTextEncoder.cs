using ClipSegNative.Layers;
using ClipSegNative.Tensors;

namespace ClipSegNative.Models.Clip;

/// <summary>
/// CLIP's text tower with its projection: ids [batch · length] -> [batch, projection]. A sequence ends with its end token, or has anything behind it:
/// attention is causal, so that cannot change what is found at the end token.
/// </summary>
sealed class ClipTextEncoder
{
    readonly LayerScope _scope;
    readonly Tensor _tokenTable;
    readonly Tensor _positions;
    readonly Tensor _tokens;
    readonly PreNormBlock[] _blocks;
    readonly PooledProjection _pooled;
    readonly Tensor _dTokenTable;
    readonly Tensor _dPositions;
    Tensor _ids;

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
        string table = tower.Name("embeddings.token_embedding.weight"), positions = tower.Name("embeddings.position_embedding.weight");
        _tokenTable = tower.Parameters.Tensor(table, config.VocabularySize, channels);
        _positions = tower.Parameters.Tensor(positions, config.Positions, channels).RowRange(0, length);
        _tokens = tower.Reserve(batch, length, channels);
        _blocks = [.. Enumerable.Range(0, config.Layers).Select(i => new PreNormBlock(tower.Child("encoder.layers", i), shape))];
        _pooled = new PooledProjection(
            tower.Child("final_layer_norm"), scope.Child("text_projection"), batch, length, length - 1, channels, config.LayerNormEpsilon, projection);
        _dTokenTable = tower.Parameters.Gradient(table, config.VocabularySize, channels);
        _dPositions = tower.Parameters.Gradient(positions, config.Positions, channels);
        if (!_dPositions.IsAbsent) _dPositions = _dPositions.RowRange(0, length);
    }

    /// <summary>Of sequences that have their end token last.</summary>
    public Tensor Forward(Tensor ids) => _pooled.Forward(Tokens(ids));

    /// <summary>Of sequences with padding behind their end tokens, which stand at <paramref name="ends"/> among all tokens. Has no backward.</summary>
    public Tensor Forward(Tensor ids, Tensor ends) => _pooled.Forward(Tokens(ids), ends);

    /// <summary>The last block's tokens [batch, length, channels]: sequences of different lengths are pooled by the caller.</summary>
    public Tensor Tokens(Tensor ids)
    {
        _scope.Backend.GatherRows(_tokenTable, _ids = ids, _tokens);
        _scope.Backend.Add(_tokens, _positions, _tokens);
        Tensor x = _tokens;
        foreach (PreNormBlock block in _blocks) x = block.Forward(x);
        return x;
    }

    public void Backward(Tensor dy) => BackwardTokens(_pooled.Backward(dy));

    /// <summary>After <see cref="Tokens"/>.</summary>
    public void BackwardTokens(Tensor dx)
    {
        for (int i = _blocks.Length - 1; i >= 0; i--) dx = _blocks[i].Backward(dx);
        if (!_dPositions.IsAbsent) _scope.Backend.AddBackward(dx, _dPositions);
        if (!_dTokenTable.IsAbsent) _scope.Backend.GatherRowsBackward(dx, _ids, _dTokenTable);
    }
}
