namespace ClipSegNative.Data.Scenes;

/// <summary>Where things stand from each other.</summary>
static class SceneRelations
{
    /// <summary>Of the side; things nearer than this along an axis stand neither on one side nor on the other.</summary>
    public const float Clear = 0.1f;

    /// <summary>How far a thing stands on each side of an anchor; negative on the other side.</summary>
    public static (string Predicate, Func<SceneObject, float> Distance)[] Sides(SceneObject anchor) =>
    [
        ("left of", thing => anchor.X - thing.X), ("right of", thing => thing.X - anchor.X), ("above", thing => anchor.Y - thing.Y), ("below", thing => thing.Y - anchor.Y),
    ];

    /// <summary>What colour and shape name, without article.</summary>
    public static string Kind(SceneObject thing) => SceneWords.Noun(null, thing.Colour, null, thing.Shape);

    public static string Text(SceneObject thing, string predicate, SceneObject anchor) => $"the {Kind(thing)} {predicate} the {Kind(anchor)}";

    /// <summary>Other objects that are the only ones of their kind: those that "the" can point at.</summary>
    public static IEnumerable<SceneObject> Anchors(Scene scene, SceneObject thing) => scene.Objects.Where(other => !other.IsKind(thing) && scene.Objects.Count(other.IsKind) == 1);
}
