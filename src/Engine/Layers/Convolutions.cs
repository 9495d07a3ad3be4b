using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Layers;

/// <summary>A layer from maps to maps; its Backward may overwrite dy.</summary>
interface IMapLayer
{
    Tensor Forward(Tensor x);

    Tensor Backward(Tensor dy);
}

/// <summary>Square convolution that keeps the map's size: [batch, height, width, inputs] -> [batch, height, width, outputs]. The activation is ReLU or none.</summary>
sealed class Convolution(LayerScope scope, int batch, Grid grid, int inputs, int outputs, int kernel, Activation activation) : IMapLayer
{
    // Stored [out, in, ky, kx]; the product wants channels innermost.
    readonly PackedMatrix _weight = scope.Parameters.PermutedMatrix(
        scope.Name("weight"), new Shape(outputs, inputs, kernel, kernel), new Shape(0, 2, 3, 1), outputs, kernel * kernel * inputs);
    readonly Tensor _bias = scope.Vector("bias", outputs);
    readonly Tensor _y = scope.Reserve(batch, grid.Height, grid.Width, outputs);
    readonly Tensor _dw = scope.Gradient("weight", outputs, kernel * kernel * inputs);
    readonly Tensor _db = scope.Gradient("bias", 1, outputs);
    readonly Tensor _dx = scope.Reserve(batch, grid.Height, grid.Width, inputs);
    PackedMatrix? _flipped;
    Tensor _x;

    public Tensor Forward(Tensor x)
    {
        scope.Backend.ConvolutionActivate(_x = x, _weight, _bias, kernel, activation, _y);
        return _y;
    }

    public Tensor Backward(Tensor dy)
    {
        if (activation != Activation.None) scope.Backend.ActivateBackward(_y, dy, activation, dy);
        if (!_dw.IsAbsent) scope.Backend.ConvolutionBackward(_x, dy, kernel, _dw, _db);
        else if (!_db.IsAbsent) scope.Backend.AddBackward(dy, _db);
        scope.Backend.Convolution(dy, _flipped ??= scope.Parameters.Flipped(outputs, inputs, kernel, scope.Name("weight")), default, kernel, _dx);
        return _dx;
    }
}

/// <summary>
/// Transposed convolution with kernel = stride, without padding: [batch, h, w, inputs] -> [batch, h·kernel, w·kernel, outputs].
/// Its patches do not overlap, so bias and activation (ReLU or none) ride on the product and the fold only moves pixels.
/// </summary>
sealed class ConvTranspose(LayerScope scope, int batch, Grid grid, int inputs, int outputs, int kernel, Activation activation) : IMapLayer
{
    readonly int _cells = kernel * kernel;
    // Stored [in, out, ky, kx].
    readonly PackedMatrix _weight = scope.Parameters.PermutedMatrix(
        scope.Name("weight"), new Shape(inputs, outputs, kernel, kernel), new Shape(2, 3, 1, 0), kernel * kernel * outputs, inputs);
    readonly Tensor _bias = scope.Parameters.Repeated(scope.Name("bias"), outputs, kernel * kernel);
    readonly Tensor _columns = scope.Reserve(batch, grid.Height, grid.Width, kernel * kernel * outputs);
    readonly Tensor _y = scope.Reserve(batch, grid.Height * kernel, grid.Width * kernel, outputs);
    readonly Tensor _dw = scope.Gradient("weight", kernel * kernel * outputs, inputs);
    readonly Tensor _db = scope.Gradient("bias", 1, outputs);
    readonly Tensor _dRepeated = scope.Reserve(1, kernel * kernel * outputs);
    readonly Tensor _dColumns = scope.Reserve(batch, grid.Height, grid.Width, kernel * kernel * outputs);
    readonly Tensor _dx = scope.Reserve(batch, grid.Height, grid.Width, inputs);
    PackedMatrix? _transposed;
    Tensor _x;

    public Tensor Forward(Tensor x)
    {
        scope.Backend.LinearActivate(_x = x, _weight, _bias, activation, _columns);
        scope.Backend.Fold(_columns, kernel, kernel, padding: 0, bias: default, _y);
        return _y;
    }

    public Tensor Backward(Tensor dy)
    {
        IBackend backend = scope.Backend;
        backend.FoldBackward(dy, kernel, kernel, padding: 0, _dColumns);
        if (activation != Activation.None) backend.ActivateBackward(_columns, _dColumns, activation, _dColumns);
        if (!_dw.IsAbsent || !_db.IsAbsent)
        {
            backend.Fill(0, _dRepeated);
            backend.LinearBackward(_x, _dColumns, _dw, _dRepeated);
            if (!_db.IsAbsent) backend.AddBackward(_dRepeated.Reshape(_cells, outputs), _db);
        }
        backend.Linear(_dColumns, _transposed ??= scope.Parameters.Transposed(_cells * outputs, inputs, scope.Name("weight")), default, _dx);
        return _dx;
    }
}
