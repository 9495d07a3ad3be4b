using ClipSegNative.Tensors;

namespace ClipSegNative.Layers;

/// <summary>Self-attention with its output projection, added to a residual stream: [batch, tokens, channels], same shape.</summary>
sealed class MultiHeadAttention(LayerScope scope, int batch, int tokens, int channels, int heads, bool causal)
{
    readonly Linear _project = Linear.Joined(scope, batch, tokens, channels, channels, "q_proj", "k_proj", "v_proj");
    readonly Tensor _mixed = scope.Reserve(batch, tokens, channels);
    readonly Linear _output = new(scope.Child("out_proj"), batch, tokens, channels, channels);

    public Tensor Forward(Tensor x, Tensor residual)
    {
        Tensor qkv = _project.Forward(x);
        scope.Backend.Attention(qkv.ColumnRange(0, channels), qkv.ColumnRange(channels, channels), qkv.ColumnRange(2 * channels, channels), heads, causal, _mixed);
        return _output.ForwardAdd(_mixed, residual);
    }
}
