using ClipSegNative.Tensors;

namespace ClipSegNative.Layers;

/// <summary>
/// Modulates features by a condition: y = (M·c + m)·x + (A·c + a), channel by channel. x [images, tokens, channels], c [prompts, condition],
/// y [prompts, tokens, channels]; one image serves every prompt.
/// </summary>
sealed class Film(LayerScope scope, int prompts, int tokens, int channels, int condition)
{
    readonly Linear _scale = new(scope.Child("film_mul"), 1, prompts, condition, channels);
    readonly Linear _shift = new(scope.Child("film_add"), 1, prompts, condition, channels);
    readonly Tensor _y = scope.Reserve(prompts, tokens, channels);

    public Tensor Forward(Tensor x, Tensor c)
    {
        scope.Backend.Film(x, _scale.Forward(c), _shift.Forward(c), _y);
        return _y;
    }
}
