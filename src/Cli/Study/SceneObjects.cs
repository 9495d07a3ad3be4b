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

    /// <summary>
    /// What a reader of colours alone answers: perfect masks of all things of the first colour that the phrase names, which in a phrase about two things
    /// is that of the one that is meant; of all things where it names none.
    /// </summary>
    /// <param name="phrase">Any.</param>
    /// <param name="picture">Its file's name, without folders.</param>
    /// <param name="width">Of the picture, in pixels.</param>
    /// <param name="height">Of the picture, in pixels.</param>
    /// <returns>[height, width] of 0 and 1.</returns>
    /// <exception cref="DataFileException">The file does not know the picture.</exception>
    public byte[] MaskOfColour(string phrase, string picture, int width, int height)
    {
        string? colour = phrase.Split(' ', ',', '.').FirstOrDefault(Colours.Contains);
        var mask = new byte[width * height];
        foreach (SceneObject thing in Of(picture).Where(thing => colour is null || thing.Colour == colour))
            foreach (double[] polygon in thing.Polygons) PolygonRaster.FillOfficial(polygon, width, height, mask);
        return mask;
    }

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
