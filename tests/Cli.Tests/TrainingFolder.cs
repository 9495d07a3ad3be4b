using System.Text.Json;

namespace ClipSegNative.Cli.Tests;

/// <summary>Four small pictures with a phrase about each one's bright square, and what training on them takes.</summary>
sealed class TrainingFolder : IDisposable
{
    const int Width = 80, Height = 60;

    readonly TestFolder _folder = new();
    readonly TinyModel _model;

    public TrainingFolder(TinyModel model)
    {
        _model = model;
        string[] phrases = ["the bright square", "a square", "something white", "the square on the left"];
        for (int i = 0; i < phrases.Length; i++) _folder.Picture($"images/{i + 1}.png", Width, Height, seed: i + 1);
        int[][] square = [[Width / 4, Height / 4], [Width / 2, Height / 4], [Width / 2, Height / 2], [Width / 4, Height / 2]];
        _folder.Text("refer.json", JsonSerializer.Serialize(phrases.Select((phrase, i) =>
            new { task_id = $"{i + 1}__1", image_id = i + 1, phrase, Polygons = new[] { new[] { square } } })));
    }

    public string this[string name] => _folder[name];

    /// <summary>train on these pictures, one thread, no negatives; later options win over nothing here, so give each once.</summary>
    public string[] Arguments(string run, params string[] more) =>
    [
        "train", "--data", _folder["refer.json"], "--clip", _model.Location, "--out", _folder[run], "--threads", "1", "--batch", "4",
        "--negatives", "0", "--crop", "none", .. more,
    ];

    public CommandResult Train(string run, params string[] more) => InProcess.Run(Arguments(run, more));

    /// <summary>The CSV without the speed, which no run repeats.</summary>
    public string[] Metrics(string run) =>
        [.. File.ReadAllLines(_folder[$"{run}/metrics.csv"]).Select(line => line.Split(',')).Select(fields => string.Join(',', fields[..^2]))];

    public byte[] Bytes(string name) => File.ReadAllBytes(_folder[name]);

    public string[] Files(string run) => _folder.Files(run);

    public string Text(string name, string text) => _folder.Text(name, text);

    public void Dispose() => _folder.Dispose();
}
