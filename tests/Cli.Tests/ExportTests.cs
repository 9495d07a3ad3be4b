using ClipSegNative.Models.ClipSeg;

namespace ClipSegNative.Cli.Tests;

public sealed class ExportTests : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Export_ModelFolder_WritesTheGraphsOnce()
    {
        using var model = new TinyModel();
        CommandResult exported = InProcess.Run("export", "--format", "onnx", "--model", model.Location, "--out", _folder["onnx"]).Expect(ExitCode.Ok);
        Assert.Empty(exported.Output);
        Assert.Contains("vision.onnx, text.onnx, decoder.onnx, model.onnx for pictures of 64 x 64", exported.Error, StringComparison.Ordinal);
        Assert.Equal(["decoder.onnx", "merges.txt", "model.onnx", PreprocessorConfig.FileName, "text.onnx", "vision.onnx", "vocab.json"], _folder.Files("onnx"));
        byte[] first = File.ReadAllBytes(_folder["onnx/model.onnx"]);

        Assert.Contains("--force", InProcess.Run("export", "--model", model.Location, "--out", _folder["onnx"]).Expect(ExitCode.Usage).Error, StringComparison.Ordinal);
        InProcess.Run("export", "--model", model.Location, "--out", _folder["onnx"], "--force").Expect(ExitCode.Ok);
        Assert.Equal(first, File.ReadAllBytes(_folder["onnx/model.onnx"]));
        InProcess.Run("export", "--model", model.Location, "--out", _folder["half"], "--f16").Expect(ExitCode.Ok);
        Assert.InRange(new FileInfo(_folder["half/model.onnx"]).Length, 0.4 * first.Length, 0.7 * first.Length);
    }

    [Fact]
    public void Export_UnknownFormatOrModel_IsRefused()
    {
        using var model = new TinyModel();
        InProcess.Run("export", "--format", "tflite", "--model", model.Location, "--out", _folder["onnx"]).Expect(ExitCode.Usage);
        InProcess.Run("export", "--model", _folder["nothing"], "--out", _folder["onnx"]).Expect(ExitCode.ModelFile);
        Assert.False(Directory.Exists(_folder["onnx"]));
    }
}
