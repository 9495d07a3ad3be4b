using System.Text.Json;
using ClipSegNative.Imaging;

namespace ClipSegNative.Data;

/// <summary>Reads <c>captions.json</c>: a list of pictures with captions, and perhaps with captions of their parts. See docs/formats.md.</summary>
static class CaptionFile
{
    public const string FileName = "captions.json", ProbesName = "probes.json";

    /// <summary>The pictures of a file that are there, in its order.</summary>
    /// <param name="path">The file, or the folder that holds one of this name.</param>
    /// <param name="pictures">The folder of the pictures; null for <c>images</c> beside the file.</param>
    /// <param name="problems">Gets broken records and missing pictures; these are left out.</param>
    /// <exception cref="DataFileException">The file cannot be read, or no picture is left; strict problems.</exception>
    public static IReadOnlyList<CaptionedPicture> Read(string path, string? pictures, DataProblems problems)
    {
        string file = Locate(path);
        string folder = pictures ?? Path.Combine(Path.GetDirectoryName(file) is { Length: > 0 } parent ? parent : ".", "images");
        CaptionedPicture[] found = [.. JsonRecords.Read(file, "picture", "file_name", (fields, _) => Picture(fields, folder), problems)];
        return found.Length > 0 ? found : throw new DataFileException($"{file}: holds no picture with a caption that is in {folder}.");
    }

    /// <summary>The phrase that stands for each value of each attribute, from the file beside the captions; empty where there is none.</summary>
    /// <exception cref="DataFileException">The file is not what it should be.</exception>
    public static IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> ReadProbes(string path)
    {
        string file = Path.Combine(Path.GetDirectoryName(Locate(path)) ?? ".", ProbesName);
        var probes = new Dictionary<string, IReadOnlyDictionary<string, string>>();
        if (!File.Exists(file)) return probes;
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (JsonProperty attribute in document.RootElement.EnumerateObject())
                probes.Add(attribute.Name, attribute.Value.EnumerateObject().ToDictionary(value => value.Name, value => JsonFields.Text(value.Value)));
            return probes;
        }
        catch (Exception error) when (JsonFields.IsRefusal(error) || error is IOException or UnauthorizedAccessException)
        {
            throw new DataFileException($"{file}: is not what a probe asks, as in {{\"colour\": {{\"red\": \"a red thing\"}}}} ({error.Message.TrimEnd('.')}).", error);
        }
    }

    static string Locate(string path) => Directory.Exists(path) ? Path.Combine(path, FileName) : path;

    static CaptionedPicture Picture(JsonElement fields, string folder)
    {
        string path = Path.Combine(folder, JsonFields.Name(fields, "file_name"));
        if (!File.Exists(path)) throw new FormatException($"has no picture in {folder}");
        string[] captions = Captions(fields);
        CaptionedRegion[] regions = JsonFields.Find(fields, "regions") is { } list ? JsonFields.Each(list, "regions", Region) : [];
        return captions.Length + regions.Length > 0 ? new CaptionedPicture(path, captions, regions) : throw new FormatException("has no caption");
    }

    static CaptionedRegion Region(JsonElement fields)
    {
        double[] box = JsonFields.Find(fields, "box") is { } sides ? JsonFields.Each(sides, "box", JsonFields.Coordinate) : [];
        string[] captions = Captions(fields);
        if (box is not [>= 0, >= 0, >= 1, >= 1]) throw new FormatException("has a region whose box is not [x, y, width, height]");
        if (captions.Length == 0) throw new FormatException("has a region without a caption");
        return new CaptionedRegion(
            new PixelBox((int)box[0], (int)box[1], (int)box[2], (int)box[3]),
            captions,
            JsonFields.Find(fields, "attributes") is { } attributes ? attributes.EnumerateObject().ToDictionary(pair => pair.Name, pair => JsonFields.Text(pair.Value)) : []);
    }

    static string[] Captions(JsonElement fields) => JsonFields.Find(fields, "captions") is { } captions ? JsonFields.Each(captions, "captions", JsonFields.Text) : [];
}
