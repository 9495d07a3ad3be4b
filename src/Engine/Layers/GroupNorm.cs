using ClipSegNative.Tensors;

namespace ClipSegNative.Layers;

/// <summary>Normalises groups of channels over each map, then scales and shifts: [batch, height, width, channels], same shape (Wu and He 2018).</summary>
sealed class GroupNorm(LayerScope scope, int batch, Grid grid, int channels, int groups)
{
    const float Epsilon = 1e-5f;

    readonly Tensor _gamma = scope.Vector("weight", channels);
    readonly Tensor _beta = scope.Vector("bias", channels);
    readonly Tensor _dGamma = scope.Gradient("weight", 1, channels);
    readonly Tensor _dBeta = scope.Gradient("bias", 1, channels);
    readonly Tensor _y = scope.Reserve(batch, grid.Height, grid.Width, channels);
    readonly Tensor _dx = scope.Reserve(batch, grid.Height, grid.Width, channels);
    Tensor _x;

    public Tensor Forward(Tensor x)
    {
        scope.Backend.GroupNorm(_x = x, _gamma, _beta, groups, Epsilon, _y);
        return _y;
    }

    public Tensor Backward(Tensor dy)
    {
        scope.Backend.GroupNormBackward(_x, dy, _gamma, groups, Epsilon, _dx, _dGamma, _dBeta);
        return _dx;
    }
}
