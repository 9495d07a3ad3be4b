using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Layers;

/// <summary>Square convolution that keeps the map's size: [batch, height, width, inputs] -> [batch, height, width, outputs].</summary>
sealed class Convolution(LayerScope scope, int batch, Grid grid, int inputs, int outputs, int kernel, Activation activation)
{
    // Stored [out, in, ky, kx]; the product wants channels innermost.
    readonly PackedMatrix _weight = scope.Parameters.PermutedMatrix(
        scope.Name("weight"), new Shape(outputs, inputs, kernel, kernel), new Shape(0, 2, 3, 1), outputs, kernel * kernel * inputs);
    readonly Tensor _bias = scope.Vector("bias", outputs);
    readonly Tensor _y = scope.Reserve(batch, grid.Height, grid.Width, outputs);

    public Tensor Forward(Tensor x)
    {
        scope.Backend.ConvolutionActivate(x, _weight, _bias, kernel, activation, _y);
        return _y;
    }
}

/// <summary>
/// Transposed convolution with kernel = stride, without padding: [batch, h, w, inputs] -> [batch, h·kernel, w·kernel, outputs].
/// Its patches do not overlap, so bias and activation ride on the product and the fold only moves pixels.
/// </summary>
sealed class ConvTranspose
{
    readonly LayerScope _scope;
    readonly int _kernel;
    readonly Activation _activation;
    readonly PackedMatrix _weight;
    readonly Tensor _bias;
    readonly Tensor _columns;
    readonly Tensor _y;

    public ConvTranspose(LayerScope scope, int batch, Grid grid, int inputs, int outputs, int kernel, Activation activation)
    {
        int cells = kernel * kernel;
        _scope = scope;
        _kernel = kernel;
        _activation = activation;
        // Stored [in, out, ky, kx].
        _weight = scope.Parameters.PermutedMatrix(
            scope.Name("weight"), new Shape(inputs, outputs, kernel, kernel), new Shape(2, 3, 1, 0), cells * outputs, inputs);
        _bias = scope.Parameters.Derived($"{scope.Name("bias")} x {cells}", new Shape(1, cells * outputs), repeated =>
        {
            Tensor bias = scope.Vector("bias", outputs);
            for (int cell = 0; cell < cells; cell++) scope.Parameters.Backend.Copy(bias, repeated.ColumnRange(cell * outputs, outputs));
        });
        _columns = scope.Reserve(batch, grid.Height, grid.Width, cells * outputs);
        _y = scope.Reserve(batch, grid.Height * kernel, grid.Width * kernel, outputs);
    }

    public Tensor Forward(Tensor x)
    {
        _scope.Backend.LinearActivate(x, _weight, _bias, _activation, _columns);
        _scope.Backend.Fold(_columns, _kernel, _kernel, padding: 0, bias: default, _y);
        return _y;
    }
}
