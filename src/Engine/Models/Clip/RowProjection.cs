using ClipSegNative.Layers;
using ClipSegNative.Tensors;

namespace ClipSegNative.Models.Clip;

/// <summary>Pooled rows to unit vectors, as the end of a tower makes them of its one token: norm, projection, unit length. [rows, channels] -> [rows, size].</summary>
sealed class RowProjection(LayerScope norm, LayerScope projection, int rows, int channels, float epsilon, int size)
{
    readonly LayerNorm _norm = new(norm, rows, 1, channels, epsilon);
    readonly Linear _projection = new(projection, rows, 1, channels, size, bias: false);
    readonly Tensor _unit = norm.Reserve(rows, size);
    readonly Tensor _dProjected = norm.Reserve(rows, 1, size);
    Tensor _projected;

    public Tensor Forward(Tensor x)
    {
        _projected = _projection.Forward(_norm.Forward(x.Reshape(rows, 1, channels)));
        norm.Backend.Normalize(_projected, _unit);
        return _unit;
    }

    public Tensor Backward(Tensor dy)
    {
        norm.Backend.NormalizeBackward(_projected, dy, _dProjected);
        return _norm.Backward(_projection.Backward(_dProjected)).Reshape(rows, channels);
    }
}
