using ClipSegNative.Tensors;

namespace ClipSegNative.Layers;

/// <summary>Self-attention with its output projection, added to a residual stream: [batch, tokens, channels], same shape.</summary>
sealed class MultiHeadAttention(LayerScope scope, int batch, int tokens, int channels, int heads, bool causal)
{
    readonly Linear _project = Linear.Joined(scope, batch, tokens, channels, channels, "q_proj", "k_proj", "v_proj");
    readonly Tensor _mixed = scope.Reserve(batch, tokens, channels);
    readonly Linear _output = new(scope.Child("out_proj"), batch, tokens, channels, channels);
    readonly Tensor _dqkv = scope.Reserve(batch, tokens, 3 * channels);
    Tensor _qkv;

    public Tensor Forward(Tensor x, Tensor residual)
    {
        _qkv = _project.Forward(x);
        scope.Backend.Attention(Part(_qkv, 0), Part(_qkv, 1), Part(_qkv, 2), heads, causal, _mixed, scope.Floor);
        return _output.ForwardAdd(_mixed, residual);
    }

    /// <returns>The gradient of x; that of the residual stream is dy itself.</returns>
    public Tensor Backward(Tensor dy)
    {
        Tensor dMixed = _output.Backward(dy);
        scope.Backend.AttentionBackward(
            Part(_qkv, 0), Part(_qkv, 1), Part(_qkv, 2), _mixed, dMixed, heads, causal, Part(_dqkv, 0), Part(_dqkv, 1), Part(_dqkv, 2));
        return _project.Backward(_dqkv);
    }

    Tensor Part(Tensor joined, int index) => joined.ColumnRange(index * channels, channels);
}
