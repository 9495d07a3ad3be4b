using ClipSegNative.Tensors;

namespace ClipSegNative.Layers;

/// <summary>Normalises each token to zero mean and unit variance, then scales and shifts: [batch, tokens, channels], same shape.</summary>
sealed class LayerNorm(LayerScope scope, int batch, int tokens, int channels, float epsilon)
{
    readonly Tensor _gamma = scope.Vector("weight", channels);
    readonly Tensor _beta = scope.Vector("bias", channels);
    readonly Tensor _dGamma = scope.Gradient("weight", 1, channels);
    readonly Tensor _dBeta = scope.Gradient("bias", 1, channels);
    readonly Tensor _y = scope.Reserve(batch, tokens, channels);
    readonly Tensor _dx = scope.Reserve(batch, tokens, channels);
    Tensor _x;

    public Tensor Forward(Tensor x)
    {
        scope.Backend.LayerNorm(_x = x, _gamma, _beta, epsilon, _y);
        return _y;
    }

    public Tensor Backward(Tensor dy)
    {
        scope.Backend.LayerNormBackward(_x, dy, _gamma, epsilon, _dx, _dGamma, _dBeta);
        return _dx;
    }
}
