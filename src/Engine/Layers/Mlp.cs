using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Layers;

/// <summary>Two linear maps with an activation between, added to a residual stream: [batch, tokens, channels], same shape.</summary>
sealed class Mlp(LayerScope scope, int batch, int tokens, int channels, int hidden, Activation activation)
{
    readonly Linear _expand = new(scope.Child("fc1"), batch, tokens, channels, hidden);
    readonly Linear _contract = new(scope.Child("fc2"), batch, tokens, hidden, channels);

    public Tensor Forward(Tensor x, Tensor residual) => _contract.ForwardAdd(_expand.ForwardActivate(x, activation), residual);

    /// <returns>The gradient of x; that of the residual stream is dy itself.</returns>
    public Tensor Backward(Tensor dy) => _expand.BackwardActivate(_contract.Backward(dy), activation);
}
