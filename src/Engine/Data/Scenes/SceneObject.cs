namespace ClipSegNative.Data.Scenes;

/// <summary>One object; lengths are shares of the picture's side.</summary>
/// <param name="Shape">What its outline is.</param>
/// <param name="Colour">What its tone is near.</param>
/// <param name="Pattern">What is drawn on it in a darker tone.</param>
/// <param name="Size">The range that its radius is from.</param>
/// <param name="X">Of its centre, from the left.</param>
/// <param name="Y">Of its centre, from the top.</param>
/// <param name="Radius">Of the circle of the same area.</param>
/// <param name="Turn">In degrees, clockwise.</param>
/// <param name="Aspect">Width over height.</param>
/// <param name="Seed">Of what varies without a word for it: tone, phase of the pattern, light.</param>
sealed record SceneObject(
    SceneShape Shape, SceneColour Colour, ScenePattern Pattern, SceneSize Size, float X, float Y, float Radius, float Turn, float Aspect, int Seed)
{
    public bool IsKind(SceneObject other) => Shape == other.Shape && Colour == other.Colour;
}

/// <summary>A picture before it is drawn.</summary>
/// <param name="Objects">In painting order: later ones hide earlier ones.</param>
/// <param name="Seed">Of the background and the noise.</param>
sealed record Scene(IReadOnlyList<SceneObject> Objects, int Seed);
