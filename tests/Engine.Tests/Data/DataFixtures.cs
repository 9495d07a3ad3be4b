using ClipSegNative.Data;
using ClipSegNative.Imaging;
using ClipSegNative.Tests.Imaging;

namespace ClipSegNative.Tests.Data;

/// <summary>Small data sets that tests build on.</summary>
static class DataFixtures
{
    /// <summary>A record of refer_*.json; polygons as JSON, null to leave them out.</summary>
    public static string Record(string taskId, long imageId, string phrase, string? polygons = "[]") =>
        $$"""{"task_id":"{{taskId}}","image_id":{{imageId}},"phrase":"{{phrase}}"{{(polygons is null ? "" : $",\"Polygons\":{polygons}")}}}""";

    /// <summary>A record with one polygon of many points.</summary>
    public static string LongRecord(int id, int points)
    {
        IEnumerable<string> list = Enumerable.Range(0, points).Select(i => $"[{200 + i % 97}.{i % 10}5, {100 + i % 89}.5]");
        return $$"""{"task_id": "{{id}}__{{id * 3}}", "image_id": {{id / 4}}, "Polygons": [[[{{string.Join(", ", list)}}]]], "phrase": "thing {{id % 1000}}"}""";
    }

    /// <summary>One instance of one polygon: a rectangle whose border belongs to it.</summary>
    public static string Rectangle(int left, int top, int width, int height)
    {
        (int right, int bottom) = (left + width - 1, top + height - 1);
        return $"[[[[{left},{top}],[{right},{top}],[{right},{bottom}],[{left},{bottom}]]]]";
    }

    public static string Write(this TemporaryFolder folder, string name, params IEnumerable<string> records)
    {
        string path = folder.File(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, $"[{string.Join(',', records)}]");
        return path;
    }

    /// <summary>A PNG whose every pixel is (x, y, seed), in the folder's images.</summary>
    public static string WritePicture(this TemporaryFolder folder, string name, int width, int height, byte seed = 0)
    {
        byte[] pixels = [.. from y in Enumerable.Range(0, height) from x in Enumerable.Range(0, width) from c in new[] { (byte)x, (byte)y, seed } select c];
        string path = folder.File(Path.Combine("images", name));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, PictureFixtures.Png(width, height, PngKind.Rgb8, pixels));
        return path;
    }

    public static PhraseSource OpenSource(this TemporaryFolder folder, DataProblems problems, string data = "refer_train.json") =>
        PhraseSource.Open(folder.File(data), pictures: null, split: "train", problems);
}
