using System.Text.Json;
using ClipSegNative.Imaging;

namespace ClipSegNative.Cli.Tests.Study;

/// <summary>Scenes of two squares of 20 pixels, the left one red and the right one blue, in pictures of 64 x 64, with the files that compare reads.</summary>
sealed class SceneFolder : IDisposable
{
    const int Side = 64, Pictures = 4;

    readonly TestFolder _folder = new();

    public SceneFolder()
    {
        Directory.CreateDirectory(_folder["images"]);
        for (int i = 1; i <= Pictures; i++) WritePicture(i);
        int[][] left = Square(6), right = Square(38);
        object[] both = [new { attributes = new { colour = "red", shape = "square" }, polygons = new[] { left } }, new { attributes = new { colour = "blue", shape = "square" }, polygons = new[] { right } }];
        _folder.Text("scenes.json", JsonSerializer.Serialize(Enumerable.Range(1, Pictures).Select(i => new { file_name = $"{i}.png", objects = both })));
        Refer("train", ("a red square", left), ("a blue square", right), ("a green square", null));
        Refer("seen", ("a red square", left), ("a blue square", right));
        Refer("unseen", ("a square right of a red square", right));
        Refer("negative", ("a green star", null));
    }

    public string Location => _folder.Location;

    public string this[string name] => _folder[name];

    public string[] Files(string below) => _folder.Files(below);

    /// <summary>compare on these scenes, in a few steps.</summary>
    public string[] Arguments(TinyModel model, params string[] more) =>
        ["compare", "--data", Location, "--val", Location, "--clip", model.Location, "--out", this["study"], "--steps", "4", "--batch", "4", "--jobs", "2", .. more];

    public void Dispose() => _folder.Dispose();

    static int[][] Square(int x) => [[x, 20], [x + 20, 20], [x + 20, 40], [x, 40]];

    void Refer(string set, params (string Phrase, int[][]? Polygon)[] phrases) => _folder.Text($"refer_{set}.json", JsonSerializer.Serialize(
        from picture in Enumerable.Range(1, Pictures)
        from i in Enumerable.Range(0, phrases.Length)
        select new
        {
            task_id = $"{picture}__{i}",
            image_id = picture,
            phrase = phrases[i].Phrase,
            Polygons = phrases[i].Polygon is { } polygon ? new[] { new[] { polygon } } : [],
        }));

    void WritePicture(int number)
    {
        var pixels = new byte[Side * Side * 3];
        for (int i = 0; i < Side * Side; i++)
        {
            (int x, int y) = (i % Side, i / Side);
            pixels.AsSpan(3 * i, 3).Fill((byte)(100 + 10 * number));
            if (y is < 20 or > 40) continue;
            if (x is >= 6 and <= 26) pixels[3 * i] = 250;
            if (x is >= 38 and <= 58) pixels[3 * i + 2] = 250;
        }
        using FileStream file = File.Create(_folder[$"images/{number}.png"]);
        PngWriter.Write(file, PngKind.Rgb8, Side, Side, pixels);
    }
}
