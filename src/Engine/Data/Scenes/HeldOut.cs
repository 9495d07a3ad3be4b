namespace ClipSegNative.Data.Scenes;

/// <summary>
/// The zero-shot split: what no decoder is trained on, positive or negative, though a CLIP may know it. Two shapes as wholes, a fifth of the pairs of
/// colour and shape, and a few pairs of pattern and shape.
/// </summary>
static class HeldOut
{
    public static bool Is(SceneShape shape) => shape >= SceneShape.Drop;

    public static bool Is(SceneColour colour, SceneShape shape) => (3 * (int)colour + (int)shape) % 5 == 0;

    public static bool Is(ScenePattern pattern, SceneShape shape) => pattern != ScenePattern.Plain && (2 * (int)pattern + (int)shape) % 7 == 3;

    /// <summary>Whether an object is a combination, of a shape that is seen, that is not.</summary>
    public static bool IsUnseen(SceneObject thing) => !Is(thing.Shape) && (Is(thing.Colour, thing.Shape) || Is(thing.Pattern, thing.Shape));

    public static bool IsSeen(SceneObject thing) => !Is(thing.Shape) && !Is(thing.Colour, thing.Shape) && !Is(thing.Pattern, thing.Shape);
}
