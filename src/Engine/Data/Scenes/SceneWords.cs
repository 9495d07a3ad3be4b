namespace ClipSegNative.Data.Scenes;

/// <summary>What a scene's objects can be. The last two shapes are never named to a decoder in training; see <see cref="HeldOut"/>.</summary>
enum SceneShape
{
    Circle,
    Square,
    Triangle,
    Star,
    Cross,
    Ring,
    Heart,
    Moon,
    Arrow,
    Diamond,
    Drop,
    Hourglass,
}

enum SceneColour
{
    Red,
    Green,
    Blue,
    Yellow,
    Purple,
    Orange,
    Cyan,
    Pink,
}

enum ScenePattern
{
    Plain,
    Striped,
    Dotted,
    Checkered,
}

enum SceneSize
{
    Small,
    Large,
}

/// <summary>The words of attributes and the phrases made of them, in English order: size, colour, pattern, shape.</summary>
static class SceneWords
{
    /// <summary>Stands for a shape that is not named.</summary>
    const string AnyShape = "thing";

    /// <summary>Words from index 2 on; "one" needs none, and more than four of a kind never occur.</summary>
    static readonly string[] Numbers = ["no", "one", "two", "three", "four"];

    public static string Word<T>(T attribute) where T : struct, Enum => attribute.ToString().ToLowerInvariant();

    /// <summary>Attributes with their noun, without article: "small red striped star". A null attribute is left out.</summary>
    public static string Noun(SceneSize? size, SceneColour? colour, ScenePattern? pattern, SceneShape? shape) =>
        string.Join(' ', new[] { Named(size), Named(colour), Named(pattern), Named(shape) ?? AnyShape }.OfType<string>());

    public static string WithArticle(string noun) => $"{("aeiou".Contains(noun[0], StringComparison.Ordinal) ? "an" : "a")} {noun}";

    public static string Plural(string noun) => noun.EndsWith("ss", StringComparison.Ordinal) ? $"{noun}es" : noun.EndsWith('s') ? noun : $"{noun}s";

    public static string Counted(int count, string noun) => count == 1 ? WithArticle(noun) : $"{Numbers[count]} {Plural(noun)}";

    static string? Named<T>(T? attribute) where T : struct, Enum => attribute is { } named ? Word(named) : null;
}
