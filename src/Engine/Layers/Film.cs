using ClipSegNative.Tensors;

namespace ClipSegNative.Layers;

/// <summary>
/// Modulates features by a condition: y = (M·c + m)·x + (A·c + a), channel by channel. x [images, tokens, channels], c [prompts, condition],
/// y [prompts, tokens, channels]; one image serves every prompt.
/// </summary>
sealed class Film(LayerScope scope, int images, int prompts, int tokens, int channels, int condition)
{
    readonly Linear _scale = new(scope.Child("film_mul"), 1, prompts, condition, channels);
    readonly Linear _shift = new(scope.Child("film_add"), 1, prompts, condition, channels);
    readonly Tensor _y = Rows(scope, prompts, tokens, channels);
    readonly Tensor _dx = Rows(scope, images, tokens, channels);
    readonly Tensor _dScale = scope.Reserve(1, prompts, channels);
    readonly Tensor _dShift = scope.Reserve(1, prompts, channels);
    Tensor _x;
    Tensor _factors;

    public Tensor Forward(Tensor x, Tensor c)
    {
        scope.Backend.Film(_x = x, _factors = _scale.Forward(c), _shift.Forward(c), _y);
        return _y;
    }

    public Tensor Backward(Tensor dy)
    {
        scope.Backend.FilmBackward(_x, _factors, dy, _dx, _dScale, _dShift);
        _shift.BackwardParameters(_dShift);
        _scale.BackwardParameters(_dScale);
        return _dx;
    }

    /// <summary>The gradient of the condition, after <see cref="Backward"/>.</summary>
    public Tensor BackwardCondition()
    {
        Tensor dc = _shift.BackwardInput(_dShift);
        scope.Backend.Add(dc, _scale.BackwardInput(_dScale), dc);
        return dc;
    }

    /// <summary>With rows adjacent: the tokens may be a map's.</summary>
    static Tensor Rows(LayerScope scope, int batch, int tokens, int channels) => scope.Reserve(batch, 1, tokens, channels).Reshape(batch, tokens, channels);
}
