using System.Text.Json;

namespace ClipSegNative.Cli.Tests;

public sealed class TrainOptionsTests(TinyModel model) : IDisposable
{
    static readonly JsonDocumentOptions WithComments = new() { CommentHandling = JsonCommentHandling.Skip };

    readonly TrainingFolder _folder = new(model);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void PrintConfig_FourLayers_TheCommandLineWinsThenTheEnvironmentThenTheFile()
    {
        string config = _folder.Text("config.json", """
            {
              // comments and a last comma are fine
              "steps": 1, "batch": 2, "seed": 3, "flip": true,
            }
            """);
        var variables = new Dictionary<string, string> { ["CLIPSEG_STEPS"] = "10", ["CLIPSEG_BATCH"] = "20", ["CLIPSEG_THREADS"] = "7" };
        CommandResult result = InProcess.Run(["train", "--config", config, "--steps", "100", "--print-config"], variables: variables).Expect(ExitCode.Ok);
        JsonElement settings = JsonDocument.Parse(result.Text, WithComments).RootElement;
        Assert.Equal([100, 20, 3, 7, 1], new[] { "steps", "batch", "seed", "threads", "accumulate" }.Select(key => settings.GetProperty(key).GetInt32()));
        Assert.True(settings.GetProperty("flip").GetBoolean());
        Assert.Contains("\"steps\": 100,   // command line", result.Text, StringComparison.Ordinal);
        Assert.Contains("\"batch\": 20,   // CLIPSEG_BATCH", result.Text, StringComparison.Ordinal);
        Assert.Contains($"\"seed\": 3,   // {config}", result.Text, StringComparison.Ordinal);
        Assert.Contains("\"accumulate\": 1,\n", result.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Config_OfAnotherRun_GivesTheSameWeights()
    {
        _folder.Train("first", "--steps", "2", "--seed", "9").Expect(ExitCode.Ok);
        InProcess.Run("train", "--config", _folder["first/run.json"], "--out", _folder["second"]).Expect(ExitCode.Ok);
        Assert.Equal(_folder.Bytes("first/last.safetensors"), _folder.Bytes("second/last.safetensors"));
    }

    [Theory]
    [InlineData("{\"stepz\": 1}", "there is no setting 'stepz'")]
    [InlineData("{\"steps\": \"many\"}", "'steps' is 'many'; it must be a whole number.")]
    [InlineData("{\"batch\": 3000000000}", "'batch' is '3000000000'; it must be a whole number.")]
    [InlineData("{\"flip\": 1}", "'flip' is '1'; it must be true or false.")]
    [InlineData("[]", "is not a JSON object of settings.")]
    [InlineData("{", "is not valid JSON")]
    public void Config_Wrong_IsRefusedByFileAndKey(string text, string expected)
    {
        string config = _folder.Text("config.json", text);
        string error = InProcess.Run("train", "--config", config, "--out", _folder["run"]).Expect(ExitCode.Usage).Error;
        Assert.StartsWith($"error: {config}", error, StringComparison.Ordinal);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--steps", "x", "--steps is 'x'; it must be a whole number.")]
    [InlineData("--learning-rate", "NaN", "--learning-rate is 'NaN'; it must be a number.")]
    [InlineData("--flip", "maybe", "--flip is 'maybe'; it must be true or false.")]
    [InlineData("--loss", "mse", "--loss must be one of bce, dice, focal, tversky, not 'mse'.")]
    [InlineData("--size", "huge", "there is no size or preset 'huge'")]
    [InlineData("--size", "clipseg-conv-base", "has a conv decoder, but --decoder is transformer")]
    [InlineData("--device", "gpu", "--device is 'gpu'")]
    [InlineData("--precision", "bf16", "--precision must be fp32 on the CPU: bf16 needs --device cuda.")]
    [InlineData("--resume", "nowhere", "nowhere holds no run.json")]
    public void Option_Wrong_IsRefusedInOneSentence(string option, string value, string expected)
    {
        string error = _folder.Train("run", option, value).Expect(ExitCode.Usage).Error;
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_NoOut_IsRefused() => Assert.Contains("--out is missing", InProcess.Run("train", "--data", "x", "--clip", "y").Expect(ExitCode.Usage).Error, StringComparison.Ordinal);

    [Fact]
    public void Train_NoSuchData_Fails()
    {
        string[] arguments = ["train", "--data", _folder["none.json"], "--clip", model.Location, "--out", _folder["run"]];
        Assert.Contains("none.json", InProcess.Run(arguments).Expect(ExitCode.Failed).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_NoSuchTowers_IsAModelError()
    {
        string[] arguments = ["train", "--data", _folder["refer.json"], "--clip", _folder["none"], "--out", _folder["run"]];
        InProcess.Run(arguments).Expect(ExitCode.ModelFile);
    }
}
