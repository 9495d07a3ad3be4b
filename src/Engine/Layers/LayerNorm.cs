using ClipSegNative.Tensors;

namespace ClipSegNative.Layers;

/// <summary>Normalises each token to zero mean and unit variance, then scales and shifts: [batch, tokens, channels], same shape.</summary>
sealed class LayerNorm(LayerScope scope, int batch, int tokens, int channels, float epsilon)
{
    readonly Tensor _gamma = scope.Vector("weight", channels);
    readonly Tensor _beta = scope.Vector("bias", channels);
    readonly Tensor _y = scope.Reserve(batch, tokens, channels);

    public Tensor Forward(Tensor x)
    {
        scope.Backend.LayerNorm(x, _gamma, _beta, epsilon, _y);
        return _y;
    }
}
