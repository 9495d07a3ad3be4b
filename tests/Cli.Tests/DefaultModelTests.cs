using System.Text.Json;
using ClipSegNative.Weights;

namespace ClipSegNative.Cli.Tests;

/// <summary>How the model that comes with the program is found; what it finds is a matter of ShippedModelTests.</summary>
public sealed class DefaultModelTests : IDisposable
{
    readonly TinyModel _model;
    readonly TestFolder _folder = new();
    readonly ShippedModels _shipped;
    readonly string _picture;

    public DefaultModelTests(TinyModel model)
    {
        _model = model;
        _shipped = new ShippedModels(_folder["program"]);
        CalibrateTests.CopyModel(model.Location, _folder["program/weights/clipseg-scenes"]);
        CalibrateTests.CopyModel(model.Location, _folder["program/weights/clipseg-scenes-conv"]);
        _picture = _folder.Picture("a.png");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Infer_NoModelNamed_TakesTheOneThatComesWithTheProgram()
    {
        File.Delete(_folder["program/weights/clipseg-scenes-conv/model.safetensors"]);
        Run("infer", _picture, "-t", "a cat", "--threads", "1").Expect(ExitCode.Ok);
        Assert.True(File.Exists(_folder["a.a-cat.mask.png"]));
        Assert.Equal(_shipped.Default, Run("info", "--json").Json[0].GetProperty("model").GetProperty("folder").GetString());
    }

    [Theory]
    [InlineData("clipseg-scenes")]
    [InlineData("clipseg-scenes-conv")]
    public void Model_ByItsName_IsFound(string name)
    {
        JsonElement model = Run("info", "--json", "--model", name).Expect(ExitCode.Ok).Json[0].GetProperty("model");
        Assert.Equal(_folder[$"program/weights/{name}"], model.GetProperty("folder").GetString());
    }

    [Fact]
    public void Model_EnvironmentAndCommandLine_ComeBeforeIt()
    {
        Dictionary<string, string> variables = new() { ["CLIPSEG_MODEL"] = _model.Location };
        JsonElement model = InProcess.Run(["info", "--json"], variables: variables, shipped: _shipped).Json[0].GetProperty("model");
        Assert.Equal(_model.Location, model.GetProperty("folder").GetString());
        InProcess.Run(["infer", _picture, "-t", "x", "--model", _folder["none"]], shipped: _shipped).Expect(ExitCode.ModelFile);
    }

    [Fact]
    public void Infer_BuildWithoutModels_NamesTheFolderAndTheRemedy()
    {
        File.Delete(Path.Combine(_shipped.Default, WeightFiles.Single));
        string error = Run("infer", _picture, "-t", "x").Expect(ExitCode.ModelFile).Error;
        foreach (string part in (string[])[_shipped.Default, "--model", "CLIPSEG_MODEL", "weights pull clipseg-rd64-refined"]) Assert.Contains(part, error, StringComparison.Ordinal);
        Assert.Contains("is not there", Run("info").Expect(ExitCode.Ok).Text, StringComparison.Ordinal);
        Run("infer", _picture, "-t", "x", "--model", "clipseg-scenes").Expect(ExitCode.ModelFile);
    }

    [Fact]
    public void LoadDefault_WithAndWithoutModels_LoadsOrSaysWhatIsMissing()
    {
        using (Segmenter segmenter = Segmenter.LoadDefault(_shipped, new SegmenterOptions { Threads = 1 })) Assert.Equal(TinyModel.Side, segmenter.LogitWidth);
        var none = new ShippedModels(_folder["elsewhere"]);
        Assert.Contains(none.Default, Assert.Throws<ModelFileException>(() => Segmenter.LoadDefault(none, options: null)).Message, StringComparison.Ordinal);
    }

    CommandResult Run(params string[] arguments) => InProcess.Run(arguments, shipped: _shipped);
}
