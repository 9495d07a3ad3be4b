using System.Text.Json;
using ClipSegNative.Calibration;
using ClipSegNative.Cli.Recipes;

namespace ClipSegNative.Cli.Tests.Recipes;

/// <summary>A small recipe of real commands: train, convert, calibrate, judge.</summary>
public sealed class RecipeRunTests : IDisposable
{
    readonly TestFolder _folder = new();
    readonly TrainingFolder _data;

    public RecipeRunTests(TinyModel model)
    {
        _data = new TrainingFolder(model);
        _data.Text("absent.json", """[{"task_id":"a","image_id":1,"phrase":"nothing","Polygons":[]},{"task_id":"b","image_id":2,"phrase":"nothing else","Polygons":[]}]""");
        string data = Escaped(_data["refer.json"]), absent = Escaped(_data["absent.json"]);
        _folder.Text("recipe.json", $$"""
            {
              "numbers": { "steps": 2, "floor": 0.5 },
              "quick": { "steps": 1 },
              "stages": [
                { "name": "train", "makes": "{out}/runs/a", "resume": "train --resume {out}/runs/a",
                  "run": "train --data {{data}} --clip {{Escaped(model.Location)}} --out {out}/runs/a --threads 1 --batch 2 --negatives 0 --crop none --samples 0 --seed {seed} --steps {steps}" },
                { "name": "convert", "makes": "{out}/weights/clipseg-scenes", "run": "convert {out}/runs/a {out}/weights/clipseg-scenes --f16" },
                { "name": "calibrate", "makes": "{out}/weights/clipseg-scenes/segmentation_config.json",
                  "run": "calibrate --model {out}/weights/clipseg-scenes --data {{data}} --data {{absent}} --absent-floor {floor} --threads 1" },
                { "name": "scores.transformer.{set}.all", "makes": "{out}/scores/{set}.json", "scores": true, "each": { "set": ["refer", "absent"] },
                  "run": "evaluate --model {out}/weights/clipseg-scenes --data {{Escaped(Path.GetDirectoryName(_data["refer.json"])!)}}/{set}.json --json --threads 1" }
              ]
            }
            """);
    }

    public void Dispose()
    {
        _data.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Recipe_RunTwice_DoesEverythingOnce()
    {
        CommandResult first = Run().Expect(ExitCode.Ok);
        Assert.Equal(5, Started(first).Length);
        string[] files = _folder.Files("out");
        foreach (string file in (string[])["scores/refer.json", "weights/clipseg-scenes/README.md", "weights/clipseg-scenes/segmentation_config.json", "stages/train.json"])
            Assert.Contains(file, files);

        CommandResult second = Run().Expect(ExitCode.Ok);
        Assert.Empty(Started(second));
        Assert.Equal(first.Text, second.Text);
        Assert.Contains("done (", second.Error, StringComparison.Ordinal);
        Assert.Equal(5, InProcess.Run([.. Arguments, "--plan"]).Expect(ExitCode.Ok).Lines.Count(line => line.Contains(": done (", StringComparison.Ordinal)));
    }

    /// <summary>The card says what the files say, and no more.</summary>
    [Fact]
    public void Recipe_Card_HoldsTheMeasuredScoresAndTheCommands()
    {
        CommandResult result = Run().Expect(ExitCode.Ok);
        string card = File.ReadAllText(_folder["out/weights/clipseg-scenes/README.md"]);
        double iou = JsonDocument.Parse(File.ReadAllText(_folder["out/scores/refer.json"])).RootElement.GetProperty("mean_iou").GetDouble();
        double empty = JsonDocument.Parse(File.ReadAllText(_folder["out/scores/absent.json"])).RootElement.GetProperty("empty_rate").GetDouble();
        Assert.Contains(FormattableString.Invariant($"| refer, all | mean IoU | 4 | {iou:0.000} |\n| absent, all | empty masks | 2 | {empty:0.000} |\n"), card, StringComparison.Ordinal);
        Assert.Contains(result.Text, card, StringComparison.Ordinal);
        Assert.Contains("clipseg-native convert DIR/runs/a DIR/weights/clipseg-scenes --f16\n", card, StringComparison.Ordinal);
        CalibrationOutcome fitted = SegmentationConfig.Read(_folder["out/weights/clipseg-scenes"])!.Fitted!;
        Assert.Contains(FormattableString.Invariant($"mean IoU {fitted.MeanIoU:0.000} and empty masks {fitted.AbsentEmpty:0.000}"), card, StringComparison.Ordinal);
        Assert.DoesNotContain(_folder.Location, card, StringComparison.Ordinal);
        Assert.Contains("`clipseg-native recipe --out DIR --seed 1 --config recipe.json`", card, StringComparison.Ordinal);
        Assert.DoesNotContain("quick run", card, StringComparison.Ordinal);
    }

    [Fact]
    public void Recipe_AChangedNumber_RepeatsWhatDependsOnIt()
    {
        Run().Expect(ExitCode.Ok);
        string more = _folder.Text("more.json", File.ReadAllText(_folder["recipe.json"]).Replace("\"floor\": 0.5", "\"floor\": 0.4", StringComparison.Ordinal));
        CommandResult result = InProcess.Run("recipe", "--out", _folder["out"], "--config", more).Expect(ExitCode.Ok);
        Assert.Equal(["calibrate", "scores.transformer.refer.all", "scores.transformer.absent.all"], Started(result));
        result = InProcess.Run([.. Arguments, "--quick"]).Expect(ExitCode.Ok);
        Assert.Equal("train", Started(result)[0]);
        Assert.Contains("Made by a quick run", File.ReadAllText(_folder["out/weights/clipseg-scenes/README.md"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Recipe_CutOffInTraining_GoesOnWithIt()
    {
        Run().Expect(ExitCode.Ok);
        byte[] whole = File.ReadAllBytes(_folder["out/runs/a/last.safetensors"]);
        string stamp = _folder["out/stages/train.json"];
        File.WriteAllText(stamp, File.ReadAllText(stamp).Replace("\"finished\": true", "\"finished\": false", StringComparison.Ordinal));
        DateTime begun = File.GetCreationTimeUtc(_folder["out/runs/a/towers.safetensors"]);
        CommandResult result = Run().Expect(ExitCode.Ok);
        Assert.Equal(["train"], Started(result));
        Assert.Contains("train: begun:", result.Error, StringComparison.Ordinal);
        Assert.Equal(begun, File.GetCreationTimeUtc(_folder["out/runs/a/towers.safetensors"]));   // the folder is the same
        Assert.Equal(whole, File.ReadAllBytes(_folder["out/runs/a/last.safetensors"]));
    }

    [Fact]
    public void Recipe_StageThatFails_EndsWithItsCodeAndGoesOnFromThere()
    {
        string absent = File.ReadAllText(_data["absent.json"]);
        File.Delete(_data["absent.json"]);
        CommandResult failed = Run().Expect(ExitCode.Failed);
        Assert.Contains("error: stage 'calibrate' ended with exit code 1", failed.Error, StringComparison.Ordinal);
        _data.Text("absent.json", absent);
        Assert.Equal(["calibrate", "scores.transformer.refer.all", "scores.transformer.absent.all"], Started(Run().Expect(ExitCode.Ok)));
    }

    [Fact]
    public void Recipe_Interrupted_EndsWith130()
    {
        CommandResult result = InProcess.Run(Arguments, interrupted: new CancellationToken(canceled: true)).Expect(ExitCode.Interrupted);
        Assert.Empty(Started(result));
    }

    [Theory]
    [InlineData]
    [InlineData("--out", "x", "--config", "nowhere.json")]
    public void Recipe_WrongUsage_GivesTwo(params string[] arguments) => InProcess.Run(["recipe", .. arguments]).Expect(ExitCode.Usage);

    [Fact]
    public void Recipe_ThatMakesFilesElsewhere_IsRefused()
    {
        string elsewhere = _folder.Text("elsewhere.json", """{ "stages": [{ "name": "a", "run": "info", "makes": "{out}/../precious" }] }""");
        Directory.CreateDirectory(_folder["precious"]);
        Assert.Contains("is not below", InProcess.Run("recipe", "--out", _folder["out"], "--config", elsewhere).Expect(ExitCode.Usage).Error, StringComparison.Ordinal);
        Assert.True(Directory.Exists(_folder["precious"]));
    }

    [Fact]
    public void Recipe_PrintConfig_IsARecipe()
    {
        string printed = InProcess.Run("recipe", "--print-config").Expect(ExitCode.Ok).Text;
        Recipe recipe = Recipe.Parse(printed, "printed"), builtIn = Recipe.Parse(Recipe.BuiltIn, "built in");
        Assert.Equal(builtIn.Expand("out", 1, quick: true).Select(stage => stage.Shown), recipe.Expand("out", 1, quick: true).Select(stage => stage.Shown));
    }

    string[] Arguments => ["recipe", "--out", _folder["out"], "--config", _folder["recipe.json"]];

    CommandResult Run() => InProcess.Run(Arguments);

    static string[] Started(CommandResult result) =>
        [.. result.Error.Split('\n').Where(line => line.StartsWith("== ", StringComparison.Ordinal)).Select(line => line.Split(' ')[2].TrimEnd(':'))];

    static string Escaped(string path) => JsonEncodedText.Encode(path).ToString();
}
