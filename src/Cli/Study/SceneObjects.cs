using System.Text.Json;
using ClipSegNative.Data;

namespace ClipSegNative.Cli.Study;

/// <summary>One thing in a rendered scene.</summary>
/// <param name="Colour">As phrases call it.</param>
/// <param name="Polygons">Of its visible part: x, y, x, y, ... in pixels.</param>
sealed record SceneObject(string Colour, double[][] Polygons);

/// <summary>What <c>data scenes</c> says in <c>scenes.json</c> is in each picture: what a reader of colours alone would see.</summary>
sealed class SceneObjects
{
    public const string FileName = "scenes.json";

    readonly Dictionary<string, IReadOnlyList<SceneObject>> _scenes = [];

    /// <param name="path">A list of <c>{"file_name", "objects": [{"attributes": {"colour"}, "polygons": [[[x, y], ...]]}]}</c>; other keys are not looked at.</param>
    /// <param name="problems">Gets broken records, which are left out.</param>
    /// <exception cref="DataFileException">The file cannot be read.</exception>
    public SceneObjects(string path, DataProblems problems)
    {
        foreach ((string picture, SceneObject[] objects) in JsonRecords.Read(path, "scene", "file_name", (fields, _) => Scene(fields), problems))
            _scenes[picture] = objects;
        Colours = _scenes.Values.SelectMany(objects => objects).Select(thing => thing.Colour).ToHashSet();
    }

    /// <summary>All that occur.</summary>
    public IReadOnlySet<string> Colours { get; }

    /// <param name="picture">Its file's name, without folders.</param>
    /// <exception cref="DataFileException">The file does not know the picture.</exception>
    public IReadOnlyList<SceneObject> Of(string picture) => _scenes.TryGetValue(picture, out IReadOnlyList<SceneObject>? objects)
        ? objects
        : throw new DataFileException($"{FileName} has no {picture}: was it written with these pictures?");

    static SceneRecord Scene(JsonElement fields) =>
        new(JsonFields.Name(fields, "file_name"), JsonFields.Each(Required(fields, "objects"), "objects", Object));

    static SceneObject Object(JsonElement thing) => new(
        JsonFields.Text(Required(thing, "attributes"), "colour", fallback: ""),
        JsonFields.Each(Required(thing, "polygons"), "polygons", Polygon));

    static double[] Polygon(JsonElement points) =>
        [.. JsonFields.Each(points, "polygons", point => JsonFields.Each(point, "polygons", JsonFields.Coordinate)).SelectMany(point => point)];

    static JsonElement Required(JsonElement fields, string key) => JsonFields.Find(fields, key) ?? throw new FormatException($"has no {key}");

    sealed record SceneRecord(string Picture, SceneObject[] Objects);
}
