using System.Text.Json;
using ClipSegNative.Evaluation;
using ClipSegNative.Imaging;

namespace ClipSegNative.Cli.Tests;

public sealed class EvaluateTests : IDisposable
{
    const int Width = 40, Height = 30;
    const string Left = "[[[[0,0],[9,0],[9,29],[0,29]]]]", Right = "[[[[20,0],[39,0],[39,29],[20,29]]]]", Nothing = "[]";

    readonly TinyModel _model;
    readonly TestFolder _folder = new();

    public EvaluateTests(TinyModel model)
    {
        _model = model;
        Directory.CreateDirectory(_folder["found"]);
        _folder.Picture("images/1.png", Width, Height);
        _folder.Picture("images/2.png", Width, Height, seed: 2);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Evaluate_PerfectMasks_GivesOneAndTheAgreedKeys()
    {
        string data = Refer(Task("a", 1, Left), Task("b", 1, Right), Task("c", 2, Right));
        Mask("a", 0, 10);
        Mask("b", 20, 40);
        Probabilities("c", 20, 40, 0.31f);
        CommandResult result = Evaluate(data, "--json").Expect(ExitCode.Ok);
        JsonElement json = Assert.Single(result.Json);
        foreach (string key in (string[])["mean_iou", "cumulative_iou", "pr@0.5", "pr@0.6", "pr@0.7", "pr@0.8", "pr@0.9", "accuracy", "dice", "iou", "mean_iou_all"])
            Assert.Equal(1, json.GetProperty(key).GetDouble());
        Assert.Equal("phrasecut", json.GetProperty("protocol").GetString());
        Assert.Equal(0.3f, json.GetProperty("threshold").GetSingle());
        Assert.Equal(3, json.GetProperty("evaluated").GetInt32());
        Assert.Equal(3, json.GetProperty("subsets").GetProperty("i_single").GetProperty("evaluated").GetInt32());
        Assert.False(json.TryGetProperty("miou", out _));
        Assert.False(json.TryGetProperty("empty_rate", out _));
        Assert.Matches(@"^3 evaluated, \d+\.\d s\n$", result.Error);
    }

    [Fact]
    public void Evaluate_Threshold_AppliesToProbabilities()
    {
        Probabilities("a", 0, 10, 0.31f);
        string data = Refer(Task("a", 1, Left));
        Assert.Equal(0, Number(Evaluate(data, "--json", "--threshold", "0.31"), "mean_iou"));
        Assert.Equal(1, Number(Evaluate(data, "--json", "--threshold", "0.309"), "mean_iou"));
    }

    [Fact]
    public void Evaluate_ClipSeg_GivesThePapersNumbersWithTheirThresholds()
    {
        Probabilities("a", 0, 10, 0.45f);
        JsonElement json = Assert.Single(Evaluate(Refer(Task("a", 1, Left)), "--json", "--protocol", "clipseg").Expect(ExitCode.Ok).Json);
        foreach (string name in (string[])["miou", "iou_fg", "iou_bin"])
        {
            Assert.InRange(json.GetProperty(name).GetDouble(), 0.9, 1);
            Assert.InRange(json.GetProperty($"{name}_threshold").GetDouble(), 0.02, 0.44);
            Assert.InRange(json.GetProperty($"{name}@0.3").GetDouble(), 0.5, json.GetProperty(name).GetDouble());
        }
        Assert.Equal(0, json.GetProperty("miou@0.5").GetDouble());
        Assert.InRange(json.GetProperty("ap").GetDouble(), 0, 1);
        Assert.InRange(json.GetProperty("mean_iou").GetDouble(), 0.9, 1);
    }

    [Fact]
    public void Evaluate_MissingPrediction_IsToldOfAndScaled()
    {
        Mask("a", 0, 10);
        CommandResult result = Evaluate(Refer(Task("a", 1, Left), Task("b", 1, Right)), "--json").Expect(ExitCode.Ok);
        Assert.Contains("warning: task b has no prediction.\n", result.Error, StringComparison.Ordinal);
        Assert.Contains("1 evaluated, 1 without prediction, ", result.Error, StringComparison.Ordinal);
        Assert.Equal((1, 1, 0.5), (Number(result, "missing"), Number(result, "mean_iou"), Number(result, "mean_iou_all")));
    }

    [Fact]
    public void Evaluate_BadPredictions_AreOneLineEachAndTheRestIsDone()
    {
        Mask("a", 0, 10);
        Mask("small", 0, 5, width: 20);
        _folder.Text("found/text.png", "Hello");
        Probabilities("logits", 0, 10, 7);
        string data = Refer(Task("a", 1, Left), Task("small", 1, Left), Task("text", 1, Left), Task("logits", 2, Left));
        CommandResult result = Evaluate(data, "--json", "--csv", _folder["tasks.csv"]).Expect(ExitCode.SomeInputsFailed);
        string[] errors = [.. result.Error.Split('\n').Where(line => line.StartsWith("error: ", StringComparison.Ordinal))];
        Assert.Equal(3, errors.Length);
        Assert.Contains("small.png has 20 x 30 pixels, but its picture has 40 x 30.", errors[0], StringComparison.Ordinal);
        Assert.Contains("text.png is not a picture", errors[1], StringComparison.Ordinal);
        Assert.Contains("logits.npy holds 7 at [0, 0]", errors[2], StringComparison.Ordinal);
        Assert.Equal((1, 3, 0.25), (Number(result, "evaluated"), Number(result, "failed"), Number(result, "mean_iou_all")));
        Assert.Equal(
            ["task_id,image_id,phrase,outcome,area,tp,fp,fn,tn,iou,dice,accuracy", "a,1,\"a thing, \"\"a\"\"\",evaluated,0.25,300,0,0,900,1,1,1",
                "small,1,\"a thing, \"\"small\"\"\",failed,,,,,,,,", "text,1,\"a thing, \"\"text\"\"\",failed,,,,,,,,", "logits,2,\"a thing, \"\"logits\"\"\",failed,,,,,,,,"],
            File.ReadAllLines(_folder["tasks.csv"]));
    }

    [Fact]
    public void Evaluate_ImagesBesideTheAnnotations_AreFoundByThemselves()
    {
        Mask("a", 0, 10, width: 20);
        CommandResult result = InProcess.Run("evaluate", "--data", Refer(Task("a", 1, Left)), "--predictions", _folder["found"]).Expect(ExitCode.Failed);
        Assert.Contains("its picture has 40 x 30.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Evaluate_NoPictures_TakesTheSizeOfThePrediction()
    {
        Mask("a", 0, 10);
        Directory.CreateDirectory(_folder["alone"]);
        string data = _folder["alone/refer.json"];
        File.Move(Refer(Task("a", 1, Left), Task("b", 9, Left)), data);
        CommandResult result = InProcess.Run("evaluate", "--data", data, "--predictions", _folder["found"], "--json").Expect(ExitCode.Ok);
        Assert.Equal((1, 1), (Number(result, "mean_iou"), Number(result, "missing")));
    }

    [Fact]
    public void Evaluate_PhrasesThatNameNothing_GivesEmptyRate()
    {
        Mask("a", 0, 0);
        Mask("b", 0, 0);
        Mask("c", 0, 1);
        CommandResult result = Evaluate(Refer(Task("a", 1, Nothing), Task("b", 1, Nothing), Task("c", 2, Nothing)), "--json", "--min-area", "0.1");
        Assert.Equal(2 / 3.0, Number(result, "empty_rate"));
        Assert.Equal(2 / 3.0, Number(result, "iou"));
        Assert.Equal(0, Number(result, "mean_iou"));
    }

    [Fact]
    public void Evaluate_MinArea_LeavesSmallTargetsOut()
    {
        Mask("a", 0, 10);
        Mask("b", 0, 40);
        CommandResult result = Evaluate(Refer(Task("a", 1, Left), Task("b", 1, Right)), "--json", "--min-area", "0.3").Expect(ExitCode.Ok);
        Assert.Equal((1, 1, 0.5), (Number(result, "evaluated"), Number(result, "skipped"), Number(result, "mean_iou")));
    }

    [Fact]
    public void Evaluate_WithoutJson_PrintsATable()
    {
        Mask("a", 0, 10);
        CommandResult result = Evaluate(Refer(Task("a", 1, Left)), "--quiet").Expect(ExitCode.Ok);
        Assert.Contains("mean_iou            1.0000\n", result.Text, StringComparison.Ordinal);
        Assert.Matches(@"\ni_single +1 +1\.0000", result.Text);
        Assert.Empty(result.Error);
    }

    [Fact]
    public void Evaluate_Model_JudgesTheMasksOfInfer()
    {
        string data = Refer(Task("a", 1, Left), Task("b", 2, Right), Task("c", 1, Right));
        JsonElement json = Assert.Single(EvaluateModel(data, "--json", "--threshold", "0.5", "--csv", _folder["tasks.csv"]).Expect(ExitCode.Ok).Json);
        _model.Infer(_folder["images/1.png"], "-t", "a thing, \"c\"", "--threshold", "0.5", "-o", _folder["masks"]).Expect(ExitCode.Ok);
        Picture mask = ImageReader.Read(Assert.Single(Directory.GetFiles(_folder["masks"])));
        int found = Enumerable.Range(0, Width * Height).Count(i => mask.Pixels[3 * i] != 0);
        int right = Enumerable.Range(0, Width * Height).Count(i => i % Width >= 20 && mask.Pixels[3 * i] != 0);
        string[] cells = File.ReadAllLines(_folder["tasks.csv"])[3].Split(',');
        Assert.Equal(["evaluated", "0.5", $"{right}", $"{found - right}"], cells[4..8]);
        Assert.InRange(found, 1, Width * Height - 1);
        Assert.Equal(3, json.GetProperty("evaluated").GetInt32());
    }

    /// <summary>A scene of a red thing on the left and a blue one on the right: the reader of colours knows both perfectly, and nothing else.</summary>
    [Fact]
    public void Evaluate_Baselines_KnowWhatTheySayTheyKnow()
    {
        string data = _folder.Text("refer.json", $"[{Phrase("a", "a red star", Left)},{Phrase("b", "a blue star", Right)},{Phrase("c", "a star", Left)}]");
        string absent = _folder.Text("absent.json", $"[{Phrase("d", "a green ring", Nothing)},{Phrase("e", "a red ring", Nothing)}]");
        _folder.Text("scenes.json", $$"""
            [{"file_name":"1.png","objects":[{"attributes":{"colour":"red"},"polygons":{{Left[1..^1]}}},{"attributes":{"colour":"blue"},"polygons":{{Right[1..^1]}}}]},
             {"file_name":"2.png","objects":[{"attributes":{"colour":"green"},"polygons":[]}]}]
            """);
        Assert.Equal((2 + 300.0 / 900) / 3, Number(Baseline("colour", data), "mean_iou"), tolerance: 1e-9);
        Assert.Equal(0.5, Number(Baseline("colour", absent), "empty_rate"));
        Assert.Equal((0.25 + 0.5 + 0.25) / 3, Number(Baseline("foreground", data), "mean_iou"), tolerance: 1e-9);
        Assert.Equal((0, 1), (Number(Baseline("background", data), "mean_iou"), Number(Baseline("background", absent), "empty_rate")));
        Assert.False(Assert.Single(Baseline("background", data).Json).TryGetProperty("presence", out _));
        File.Delete(_folder["scenes.json"]);
        Assert.Contains("scenes.json", Baseline("colour", data).Expect(ExitCode.Failed).Error, StringComparison.Ordinal);

        static CommandResult Baseline(string reader, string file) => InProcess.Run("evaluate", "--data", file, "--baseline", reader, "--json");

        static string Phrase(string id, string phrase, string polygons) => $"{{\"task_id\":\"{id}\",\"image_id\":1,\"phrase\":\"{phrase}\",\"Polygons\":{polygons}}}";
    }

    [Fact]
    public void Evaluate_ModelByThePapersProtocol_Works()
    {
        JsonElement json = Assert.Single(EvaluateModel(Refer(Task("a", 1, Left)), "--json", "--protocol", "clipseg").Expect(ExitCode.Ok).Json);
        Assert.InRange(json.GetProperty("miou").GetDouble(), 0.01, 1);
    }

    [Fact]
    public void Evaluate_BadPictures_AreToldOfOnce()
    {
        File.WriteAllBytes(_folder["images/3.png"], File.ReadAllBytes(_folder["images/1.png"])[..200]);
        string data = Refer(Task("a", 1, Left), Task("b", 3, Left), Task("c", 3, Right), Task("d", 4, Left), Task("e", 4, Left));
        CommandResult result = EvaluateModel(data, "--json").Expect(ExitCode.SomeInputsFailed);
        Assert.Equal(4, Number(result, "failed"));
        string[] errors = [.. result.Error.Split('\n').Where(line => line.StartsWith("error: ", StringComparison.Ordinal))];
        Assert.Equal(2, errors.Length);
        Assert.Contains("3.png is cut short", errors[0], StringComparison.Ordinal);
        Assert.Contains("images holds no picture 4.", errors[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Predict_SecondPhrase_NeedsNoSecondLookAtThePicture()
    {
        string picture = _folder.Picture("once.png");
        using var predictor = new ModelPredictor(Segmenter.Load(_model.Location, new SegmenterOptions { Threads = 1 }), EvaluationProtocol.PhraseCut);
        predictor.Predict("a cat", picture);
        File.Delete(picture);
        Assert.Equal((40, 30), (predictor.Predict("a dog", picture).Width, predictor.Predict("a dog", picture).Height));
    }

    [Fact]
    public void Evaluate_BrokenRecord_IsLeftOutOrEndsTheRun()
    {
        Mask("a", 0, 10);
        string data = Refer("{\"task_id\":\"x\"}", Task("a", 1, Left));
        CommandResult lenient = Evaluate(data, "--json").Expect(ExitCode.SomeInputsFailed);
        Assert.Contains("warning: ", lenient.Error, StringComparison.Ordinal);
        Assert.Contains("task x has no phrase", lenient.Error, StringComparison.Ordinal);
        Assert.Equal(1, Number(lenient, "mean_iou"));
        CommandResult strict = Evaluate(data, "--json", "--strict").Expect(ExitCode.Failed);
        Assert.Contains("task x has no phrase", strict.Error, StringComparison.Ordinal);
        Assert.Empty(strict.Output);
    }

    [Fact]
    public void Evaluate_NothingToJudge_FailsInOneSentence()
    {
        CommandResult none = Evaluate(Refer(Task("a", 1, Left)), "--json", "--quiet").Expect(ExitCode.Failed);
        Assert.Contains("nothing could be evaluated.", none.Error, StringComparison.Ordinal);
        Assert.Empty(none.Output);
        CommandResult input = Evaluate(Refer("{\"task_id\":\"a\",\"image_id\":1,\"phrase\":\"a cat\"}"), "--json").Expect(ExitCode.Failed);
        Assert.Contains("task a has no Polygons; evaluation needs the answers", input.Error, StringComparison.Ordinal);
        Assert.Contains("refer_none.json", Evaluate(_folder["none"]).Expect(ExitCode.Failed).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Evaluate_Interrupted_LeavesNoFile()
    {
        Mask("a", 0, 10);
        CommandResult result = InProcess.Run(
            ["evaluate", "--data", Refer(Task("a", 1, Left)), "--predictions", _folder["found"], "--csv", _folder["tasks.csv"]],
            interrupted: new CancellationToken(canceled: true)).Expect(ExitCode.Interrupted);
        Assert.Empty(result.Output);
        Assert.False(File.Exists(_folder["tasks.csv"]));
    }

    [Theory]
    [InlineData]
    [InlineData("--predictions", ".", "--model", ".")]
    [InlineData("--predictions", "no such folder")]
    [InlineData("--model", ".")]
    [InlineData("--predictions", ".", "--protocol", "coco")]
    [InlineData("--predictions", ".", "--baseline", "colour")]
    [InlineData("--baseline", "size")]
    [InlineData("--predictions", ".", "--threshold", "1")]
    [InlineData("--predictions", ".", "--min-area", "2")]
    public void Evaluate_WrongUsage_GivesTwo(params string[] arguments)
    {
        CommandResult result = InProcess.Run(["evaluate", "--data", "refer.json", .. arguments]).Expect(ExitCode.Usage);
        Assert.Empty(result.Output);
        Assert.NotEmpty(result.Error);
    }

    CommandResult Evaluate(string data, params string[] more) =>
        InProcess.Run(["evaluate", "--data", data, "--images", _folder["images"], "--predictions", _folder["found"], .. more]);

    CommandResult EvaluateModel(string data, params string[] more) =>
        InProcess.Run(["evaluate", "--data", data, "--images", _folder["images"], "--model", _model.Location, "--threads", "1", .. more]);

    string Refer(params string[] tasks) => _folder.Text("refer.json", $"[{string.Join(',', tasks)}]");

    static string Task(string id, int image, string polygons) =>
        $"{{\"task_id\":\"{id}\",\"image_id\":{image},\"phrase\":\"a thing, \\\"{id}\\\"\",\"Polygons\":{polygons}}}";

    /// <summary>A prediction of some columns, grey 1 on black: not black is found.</summary>
    void Mask(string id, int from, int to, int width = Width)
    {
        using FileStream stream = File.Create(_folder[$"found/{id}.png"]);
        PngWriter.Write(stream, PngKind.Grey8, width, Height, [.. Enumerable.Range(0, width * Height).Select(i => i % width >= from && i % width < to ? (byte)1 : (byte)0)]);
    }

    void Probabilities(string id, int from, int to, float probability)
    {
        using FileStream stream = File.Create(_folder[$"found/{id}.npy"]);
        NpyWriter.Write(stream, [.. Enumerable.Range(0, Width * Height).Select(i => i % Width >= from && i % Width < to ? probability : 0)], 1, Height, Width);
    }

    static double Number(CommandResult result, string key) => Assert.Single(result.Json).GetProperty(key).GetDouble();
}
