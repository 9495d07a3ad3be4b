using ClipSegNative.Layers;
using ClipSegNative.Tensors;

namespace ClipSegNative.Models.Clip;

/// <summary>A tower's last step: the token that stands for the whole, normalised and projected: [batch, tokens, channels] -> [batch, 1, projection].</summary>
sealed class PooledProjection
{
    readonly LayerScope _scope;
    readonly int _token;
    readonly Tensor _pooled;
    readonly LayerNorm _norm;
    readonly Linear _projection;
    readonly Tensor _dx;

    /// <param name="norm">Of the norm.</param>
    /// <param name="projection">Of the projection, which has no bias.</param>
    /// <param name="batch">Sequences at once.</param>
    /// <param name="tokens">Tokens of each.</param>
    /// <param name="token">Number of the one that is taken.</param>
    /// <param name="channels">The tower's width.</param>
    /// <param name="epsilon">Of the norm.</param>
    /// <param name="size">Length of the result.</param>
    public PooledProjection(LayerScope norm, LayerScope projection, int batch, int tokens, int token, int channels, float epsilon, int size)
    {
        _scope = norm;
        _token = token;
        _pooled = norm.Reserve(batch, 1, channels);
        _norm = new LayerNorm(norm, batch, 1, channels, epsilon);
        _projection = new Linear(projection, batch, 1, channels, size, bias: false);
        _dx = norm.Reserve(batch, tokens, channels);
    }

    public Tensor Forward(Tensor x)
    {
        _scope.Backend.SliceTokens(x, _token, _pooled);
        return _projection.Forward(_norm.Forward(_pooled));
    }

    /// <summary>With another token of each sequence: <paramref name="rows"/> are their rows in x [batch · tokens, channels]. Has no backward.</summary>
    public Tensor Forward(Tensor x, Tensor rows)
    {
        _scope.Backend.GatherRows(x.Reshape(x.Rows, x.Columns), rows, _pooled);
        return _projection.Forward(_norm.Forward(_pooled));
    }

    public Tensor Backward(Tensor dy)
    {
        _scope.Backend.SliceTokensBackward(_norm.Backward(_projection.Backward(dy)), _token, _dx);
        return _dx;
    }
}
