using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSegNative.Calibration;

namespace ClipSegNative.Cli.Tests;

public sealed class CalibrateTests : IDisposable
{
    const string Left = "[[[[0,0],[19,0],[19,29],[0,29]]]]", Nothing = "[]";

    readonly TestFolder _folder = new();
    readonly string _model, _present, _absent, _near;

    public CalibrateTests(TinyModel model)
    {
        _model = _folder["model"];
        CopyModel(model.Location, _model);
        for (int i = 1; i <= 3; i++) _folder.Picture($"images/{i}.png", seed: i);
        _present = Refer("present.json", [.. Enumerable.Range(1, 6).Select(i => Task($"p{i}", i % 3 + 1, Left)), Task("dot", 1, "[[[[3,3],[4,3],[4,4]]]]")]);
        _absent = Refer("absent.json", [.. Enumerable.Range(1, 5).Select(i => Task($"a{i}", i % 3 + 1, Nothing))]);
        _near = Refer("near.json", [.. Enumerable.Range(1, 4).Select(i => Task($"n{i}", i % 3 + 1, Nothing))]);
    }

    string Stored => Path.Combine(_model, SegmentationConfig.FileName);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Calibrate_BothSides_StoresWhatEvaluateThenReports()
    {
        CommandResult result = Calibrate("--json", "--min-area", "0.05").Expect(ExitCode.Ok);
        JsonElement json = Assert.Single(result.Json), fitted = json.GetProperty("fitted");
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(File.ReadAllText(Stored)), JsonNode.Parse(result.Text)));
        Assert.Equal((6, 5, 4), (fitted.GetProperty("present").GetInt32(), fitted.GetProperty("absent").GetInt32(), fitted.GetProperty("near_misses").GetInt32()));
        Assert.Contains($"{_model}: threshold ", result.Error, StringComparison.Ordinal);

        JsonElement present = Evaluate(_present, "--min-area", "0.05");
        Assert.Equal(json.GetProperty("threshold").GetSingle(), present.GetProperty("threshold").GetSingle());
        Assert.Equal(json.GetProperty("presence").GetProperty("threshold").GetSingle(), present.GetProperty("presence").GetSingle());
        Assert.Equal(fitted.GetProperty("mean_iou").GetDouble(), present.GetProperty("mean_iou").GetDouble(), tolerance: 1e-9);
        Assert.Equal(fitted.GetProperty("absent_empty").GetDouble(), Evaluate(_absent).GetProperty("empty_rate").GetDouble(), tolerance: 1e-9);
        Assert.Equal(fitted.GetProperty("near_miss_empty").GetDouble(), Evaluate(_near, "--protocol", "clipseg").GetProperty("empty_rate").GetDouble(), tolerance: 0.26);
    }

    [Fact]
    public void Calibrate_Again_WritesTheSameBytes()
    {
        Calibrate().Expect(ExitCode.Ok);
        byte[] first = File.ReadAllBytes(Stored);
        Calibrate().Expect(ExitCode.Ok);
        Assert.Equal(first, File.ReadAllBytes(Stored));
    }

    /// <summary>The same questions with opposite answers cannot be told apart.</summary>
    [Fact]
    public void Calibrate_FloorsOutOfReach_Warns()
    {
        string opposite = Refer("opposite.json", [.. Enumerable.Range(1, 6).Select(i => Task($"p{i}", i % 3 + 1, Nothing))]);
        CommandResult result = Run("--data", _present, "--data", opposite, "--absent-floor", "1", "--iou-floor", "1", "--json").Expect(ExitCode.Ok);
        Assert.Contains("warning: no threshold gives empty masks to 1 of the absent", result.Error, StringComparison.Ordinal);
        Assert.False(result.Json[0].GetProperty("fitted").GetProperty("floors_met").GetBoolean());
    }

    [Fact]
    public void Infer_CalibratedModel_EmptiesWhatIsNotThereUnlessSwitchedOff()
    {
        Store(presence: 0.9f, bias: 0);   // every score is 0.5
        Assert.Equal((0, 0.5, false), Answer());
        Assert.Equal((0, 0.5, false), Answer("--threshold", "0.01"));
        Assert.Equal((1, 0.5, true), Answer("--threshold", "0.01", "--presence", "off"));
        Assert.Equal((1, 0.5, true), Answer("--threshold", "0.01", "--presence", "0.5"));
        Assert.Equal(0, Evaluate(_present).GetProperty("mean_iou").GetDouble());
        Assert.Equal(1, Evaluate(_absent).GetProperty("empty_rate").GetDouble());
        Assert.Equal(0, Evaluate(_absent, "--threshold", "0.01", "--presence", "off").GetProperty("empty_rate").GetDouble());
    }

    [Fact]
    public void Infer_ModelWithoutCalibration_SaysNothingOfPresence()
    {
        JsonElement line = InProcess.Run("infer", _folder["images/1.png"], "-t", "a cat", "--model", _model, "--threads", "1", "--json").Expect(ExitCode.Ok).Json[0];
        Assert.False(line.GetProperty("results")[0].TryGetProperty("present", out _));
        JsonElement evaluated = Evaluate(_present);
        Assert.Equal((0.3f, 0), (evaluated.GetProperty("threshold").GetSingle(), evaluated.GetProperty("presence").GetDouble()));
    }

    [Fact]
    public void Info_CalibratedModel_ShowsIt()
    {
        Assert.Contains("threshold      0.3, no presence threshold\n", InProcess.Run("info", "--model", _model).Expect(ExitCode.Ok).Text, StringComparison.Ordinal);
        Calibrate().Expect(ExitCode.Ok);
        string text = InProcess.Run("info", "--model", _model).Expect(ExitCode.Ok).Text;
        Assert.Contains("calibrated     on 7 phrases present, 5 absent, 4 nearly: mean IoU ", text, StringComparison.Ordinal);
        JsonElement json = InProcess.Run("info", "--model", _model, "--json").Expect(ExitCode.Ok).Json[0].GetProperty("model");
        Assert.Equal(SegmentationConfig.Read(_model)!.PresenceThreshold, json.GetProperty("presence").GetSingle());
        Assert.Equal(5, json.GetProperty("calibration").GetProperty("absent").GetInt32());
    }

    [Fact]
    public void Convert_CalibratedModel_TakesItAlongAndRemovesAnOldOne()
    {
        string copy = _folder["copy"];
        Store(presence: 0.25f, bias: 1);
        InProcess.Run("convert", _model, copy, "--f16").Expect(ExitCode.Ok);
        Assert.Equal(SegmentationConfig.Read(_model), SegmentationConfig.Read(copy));
        File.Delete(Stored);
        InProcess.Run("convert", _model, copy, "--force").Expect(ExitCode.Ok);
        Assert.Null(SegmentationConfig.Read(copy));
    }

    [Fact]
    public void Calibrate_DamagedCalibration_IsAModelFileError()
    {
        File.WriteAllText(Stored, "{}");
        Assert.Contains("'threshold' is missing", InProcess.Run("infer", _folder["images/1.png"], "-t", "x", "--model", _model).Expect(ExitCode.ModelFile).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Calibrate_WrongData_FailsInOneSentenceAndStoresNothing()
    {
        Assert.Contains("others with empty Polygons", Run("--data", _present).Expect(ExitCode.Failed).Error, StringComparison.Ordinal);
        Assert.Contains("others with empty Polygons", Run("--data", _absent).Expect(ExitCode.Failed).Error, StringComparison.Ordinal);
        Assert.Contains("task p1 has Polygons, but near misses name nothing", Run("--data", _present, "--near-miss", _present).Expect(ExitCode.Failed).Error, StringComparison.Ordinal);
        string input = Refer("input.json", """{"task_id":"q","image_id":1,"phrase":"a cat"}""");
        Assert.Contains("task q has no Polygons", Run("--data", input).Expect(ExitCode.Failed).Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Stored));
    }

    [Fact]
    public void Calibrate_MissingPicture_IsLeftOutAndToldOfOnce()
    {
        string more = Refer("more.json", Task("x", 9, Nothing), Task("y", 9, Nothing));
        CommandResult result = Calibrate("--data", more).Expect(ExitCode.SomeInputsFailed);
        Assert.Single(result.Error.Split('\n'), line => line.Contains("images holds no picture 9.", StringComparison.Ordinal));
        Assert.Equal(5, SegmentationConfig.Read(_model)!.Fitted!.Absent);
    }

    [Theory]
    [InlineData]
    [InlineData("--data", "nowhere/refer.json")]
    [InlineData("--data", "refer.json", "--images", ".", "--absent-floor", "2")]
    public void Calibrate_WrongUsage_GivesTwo(params string[] arguments) => InProcess.Run(["calibrate", .. arguments]).Expect(ExitCode.Usage);

    [Theory]
    [InlineData("infer", "a.png", "-t", "x", "--presence", "1.5")]
    [InlineData("evaluate", "--data", "refer.json", "--predictions", ".", "--presence", "off")]
    public void Presence_OutOfPlace_GivesTwo(params string[] arguments) =>
        Assert.Contains("--presence", InProcess.Run(arguments).Expect(ExitCode.Usage).Error, StringComparison.Ordinal);

    internal static void CopyModel(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.EnumerateFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }

    void Store(float presence, double bias) =>
        new SegmentationConfig { Threshold = 0.5f, Presence = new PresenceModel(bias, 0, 0, 0), PresenceThreshold = presence }.Write(_model);

    /// <summary>Share of the picture, score and presence of one phrase.</summary>
    (double Area, double Score, bool Present) Answer(params string[] more)
    {
        JsonElement result = InProcess.Run(["infer", _folder["images/1.png"], "-t", "a cat", "--model", _model, "--threads", "1", "--json", .. more])
            .Expect(ExitCode.Ok).Json[0].GetProperty("results")[0];
        return (result.GetProperty("area").GetDouble(), result.GetProperty("score").GetDouble(), result.GetProperty("present").GetBoolean());
    }

    JsonElement Evaluate(string data, params string[] more) =>
        InProcess.Run(["evaluate", "--data", data, "--images", _folder["images"], "--model", _model, "--threads", "1", "--json", .. more]).Expect(ExitCode.Ok).Json[0];

    CommandResult Calibrate(params string[] more) => Run(["--data", _present, "--data", _absent, "--near-miss", _near, .. more]);

    CommandResult Run(params string[] more) => InProcess.Run(["calibrate", "--model", _model, "--images", _folder["images"], "--threads", "1", .. more]);

    string Refer(string name, params string[] tasks) => _folder.Text(name, $"[{string.Join(',', tasks)}]");

    static string Task(string id, int image, string polygons) =>
        $"{{\"task_id\":\"{id}\",\"image_id\":{image},\"phrase\":\"thing {id}\",\"Polygons\":{polygons}}}";
}
