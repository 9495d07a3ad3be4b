using ClipSegNative.Layers;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Conformance;

namespace ClipSegNative.Tests.Layers;

/// <summary>A layer or model at sizes that are small and awkward.</summary>
/// <param name="Name">Also the seed of its inputs.</param>
/// <param name="Parameters">Everything the layer loads.</param>
/// <param name="Inputs">Shapes of what it is given; for <see cref="LayerPass.Forward"/>.</param>
/// <param name="Build">Makes the layer; the workspace is for inputs that have no gradient.</param>
sealed record LayerCase(string Name, (string Name, Shape Shape)[] Parameters, Shape[] Inputs, Func<LayerScope, OpWorkspace, LayerPass> Build);

/// <param name="Forward">Inputs to results.</param>
/// <param name="Backward">Gradients of the results to those of the inputs, absent where the layer gives none.</param>
sealed record LayerPass(Func<Tensor[], Tensor[]> Forward, Func<Tensor[], Tensor[]> Backward)
{
    /// <summary>One input, one result.</summary>
    public static LayerPass Of(Func<Tensor, Tensor> forward, Func<Tensor, Tensor> backward) => new(x => [forward(x[0])], dy => [backward(dy[0])]);
}
