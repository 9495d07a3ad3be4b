namespace ClipSegNative.Data.Scenes;

/// <summary>Attributes that a phrase names; a null one may be anything.</summary>
sealed record SceneQuery(SceneSize? Size, SceneColour? Colour, ScenePattern? Pattern, SceneShape? Shape)
{
    public string Noun => SceneWords.Noun(Size, Colour, Pattern, Shape);

    public bool IsTrueOf(SceneObject thing) =>
        (Size ?? thing.Size) == thing.Size && (Colour ?? thing.Colour) == thing.Colour && (Pattern ?? thing.Pattern) == thing.Pattern && (Shape ?? thing.Shape) == thing.Shape;
}

/// <summary>One phrase about a scene and the objects it is true of.</summary>
/// <param name="Text">As a user would write it.</param>
/// <param name="Query">The thing that is asked for.</param>
/// <param name="Targets">Indices of objects; empty where the phrase is not true.</param>
/// <param name="Relation">Where the thing stands, and to what: ("left of", "blue ring"); null without.</param>
sealed record ScenePhrase(string Text, SceneQuery Query, IReadOnlyList<int> Targets, (string Predicate, string Name)? Relation = null);
