using System.Globalization;

namespace ClipSegNative.Cli.Tests;

public sealed class PretrainTests : IDisposable
{
    static readonly string[] Tiny =
    [
        "--working-size", "32", "--width", "16", "--layers", "2", "--heads", "2", "--text-width", "16", "--text-layers", "1", "--text-heads", "2", "--projection", "8",
        "--crop-size", "16", "--crops", "6", "--batch", "3", "--pairs", "12", "--threads", "1", "--warm-up", "2", "--learning-rate", "3e-3", "--probe-pictures", "4",
    ];

    readonly TestFolder _folder = new();

    public PretrainTests() => InProcess.Run("data", "scenes", "--out", _folder["s"], "--count", "10", "--seed", "3", "--size", "32").Expect(ExitCode.Ok);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Pretrain_Scenes_LossFallsTheProbeTellsAndADecoderTrainsOnIt()
    {
        CommandResult result = Pretrain("clip", "--steps", "60", "--crop-steps", "30", "--probe-every", "30").Expect(ExitCode.Ok);
        Assert.Matches("step 30: probe colour 0\\.[0-9]{3}, shape 0\\.[0-9]{3}, pattern 0\\.[0-9]{3}, size 0\\.[0-9]{3}", result.Error);
        string[][] lines = [.. File.ReadAllLines(_folder["clip/metrics.csv"]).Select(line => line.Split(','))];
        Assert.Equal("step,stage,loss,learning_rate,pairs_per_second,colour,shape,pattern,size", string.Join(',', lines[0]));
        Assert.Equal(61, lines.Length);
        Assert.Equal("crops", lines[30][1]);
        Assert.Equal("pictures", lines[31][1]);
        double[] losses = [.. lines.Skip(1).Select(line => double.Parse(line[2], CultureInfo.InvariantCulture))];
        Assert.True(losses[25..30].Average() < 0.9 * losses[..5].Average(), $"{losses[0]} -> {losses[29]}");
        Assert.All(lines[60][5..], accuracy => Assert.InRange(double.Parse(accuracy, CultureInfo.InvariantCulture), 0, 1));

        InProcess.Run(
            "train", "--data", _folder["s/refer_train.json"], "--clip", _folder["clip"], "--out", _folder["run"], "--steps", "2", "--crop", "none", "--batch", "2",
            "--size", "small", "--extract", "0,1", "--threads", "1").Expect(ExitCode.Ok);
        InProcess.Run("infer", _folder["s/images/000001.png"], "-t", "a red star", "--model", _folder["run"], "--out", _folder["masks"]).Expect(ExitCode.Ok);
        Assert.Single(_folder.Files("masks"));
    }

    [Fact]
    public void Pretrain_Interrupted_ResumesToTheSameBytes()
    {
        string[] settings = ["--steps", "9", "--crop-steps", "4", "--probe-every", "2", "--seed", "5", "--save-every", "100"];
        Pretrain("whole", settings).Expect(ExitCode.Ok);
        foreach (string until in new[] { "step 2:", "step 6:" })   // in either stage
        {
            using var interruption = new CancellationTokenSource();
            using var error = new WatchingWriter(line => { if (line.StartsWith(until, StringComparison.Ordinal)) interruption.Cancel(); });
            string[] arguments = until == "step 2:" ? Arguments("broken", settings) : ["pretrain", "--resume", _folder["broken"]];
            Assert.Contains("saved at step ", InProcess.Run(arguments, error: error, interrupted: interruption.Token).Expect(ExitCode.Interrupted).Error, StringComparison.Ordinal);
        }
        InProcess.Run("pretrain", "--resume", _folder["broken"]).Expect(ExitCode.Ok);
        foreach (string name in new[] { "model.safetensors", "last.safetensors", "vocab.json", "merges.txt", "config.json" })
            Assert.Equal(File.ReadAllBytes(_folder[$"whole/{name}"]), File.ReadAllBytes(_folder[$"broken/{name}"]));
        Assert.Equal(10, File.ReadAllLines(_folder["broken/metrics.csv"]).Length);
    }

    /// <summary>Neither regions nor probes: any folder of pictures with captions does.</summary>
    [Fact]
    public void Pretrain_PlainCaptions_Trains()
    {
        string list = string.Join(',', Enumerable.Range(1, 4).Select(i => $$"""{"file_name": "{{Path.GetFileName(_folder.Picture($"images/{i}.png", seed: i))}}", "captions": ["picture {{i}} of four", "number {{i}}"]}"""));
        _folder.Text("captions.json", $"[{list}]");
        CommandResult result = InProcess.Run(["pretrain", "--data", _folder["captions.json"], "--out", _folder["clip"], "--steps", "6", "--crop-steps", "3", .. Tiny]).Expect(ExitCode.Ok);
        Assert.DoesNotContain("probe", result.Error, StringComparison.Ordinal);
        Assert.Equal("step,stage,loss,learning_rate,pairs_per_second", File.ReadLines(_folder["clip/metrics.csv"]).First());
        Assert.Contains("model.safetensors", _folder.Files("clip"));
    }

    [Theory]
    [InlineData("--heads must be a divisor of width, 16.", "--heads", "3")]
    [InlineData("--working-size must be a multiple of the patch, 8.", "--working-size", "30")]
    [InlineData("--crop-steps must be from 0 to 5, not 6.", "--steps", "5", "--crop-steps", "6")]
    [InlineData("--data must be a captions.json or its folder; it is missing.", "--data", "")]
    public void Pretrain_SettingsThatCannotBe_AreRefusedBeforeAnythingIsWritten(string expected, params string[] settings)
    {
        Assert.Contains(expected, Pretrain("clip", settings).Expect(ExitCode.Usage).Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["clip"]));
    }

    [Fact]
    public void Pretrain_BrokenRecords_AreLeftOutAndSaid()
    {
        _folder.Picture("images/1.png");
        _folder.Text("captions.json", """
            [{"file_name": "1.png", "captions": ["a square"]}, {"file_name": "2.png", "captions": ["not there"]}, {"file_name": "1b.png"}, {"captions": ["no file"]}]
            """);
        CommandResult result = InProcess.Run(["pretrain", "--data", _folder.Location, "--out", _folder["clip"], "--steps", "2", "--crop-steps", "1", .. Tiny]).Expect(ExitCode.Ok);
        Assert.Contains("picture 2.png has no picture in ", result.Error, StringComparison.Ordinal);
        Assert.Contains("has no file_name", result.Error, StringComparison.Ordinal);
    }

    CommandResult Pretrain(string run, params string[] settings) => InProcess.Run(Arguments(run, settings));

    string[] Arguments(string run, params string[] settings)
    {
        string[] data = settings.Contains("--data") ? [] : ["--data", _folder["s"]];
        // Later ones would be a second value of the same option.
        string[] rest = [.. Tiny.Chunk(2).Where(pair => !settings.Contains(pair[0])).SelectMany(pair => pair)];
        return ["pretrain", .. data, "--out", _folder[run], .. rest, .. settings];
    }
}
