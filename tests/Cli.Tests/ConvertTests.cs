using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tests;
using ClipSegNative.Text;
using ClipSegNative.Weights;

namespace ClipSegNative.Cli.Tests;

public sealed class ConvertTests : IDisposable
{
    /// <summary>For hf_clipseg_tiny, which has no configuration of its own.</summary>
    static readonly ClipSegConfig Config = new()
    {
        Text = new ClipTextConfig { VocabularySize = 600, HiddenSize = 16, IntermediateSize = 32, Layers = 2, Heads = 2, BeginTokenId = 598, EndTokenId = 599 },
        Vision = new ClipVisionConfig { HiddenSize = 48, IntermediateSize = 96, Layers = 5, Heads = 4, PatchSize = 16, ImageSize = 64 },
        ProjectionSize = 24,
        ExtractLayers = [1, 2, 3],
        ReduceSize = 16,
        DecoderIntermediateSize = 64,
    };

    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Convert_ModelFolderOfPyTorchs_SegmentsTheSame()
    {
        WritePyTorchModel("bin");
        CommandResult converted = InProcess.Run("convert", _folder["bin"], _folder["safe"]).Expect(ExitCode.Ok);
        Assert.Equal($"{_folder["safe"]}: a CLIPSeg of {ClipSegTensors.All(Config).Sum(tensor => tensor.Shape.Elements):N0} parameters.\n", converted.Error.ReplaceLineEndings("\n"));
        Assert.Empty(converted.Output);
        Assert.Equal(["config.json", "merges.txt", "model.safetensors", "preprocessor_config.json", "vocab.json"], _folder.Files("safe"));

        string picture = _folder.Picture("a.png");
        byte[][] logits = [.. new[] { "bin", "bin/pytorch_model.bin", "safe", "safe/model.safetensors" }.Select((model, i) =>
        {
            InProcess.Run("infer", picture, "-t", "x", "--threads", "1", "--output", "logits", "--model", _folder[model], "-o", _folder[$"{i}"]).Expect(ExitCode.Ok);
            return File.ReadAllBytes(_folder[$"{i}/a.logits.npy"]);
        })];
        Assert.All(logits, bytes => Assert.Equal(logits[0], bytes));
        Assert.Contains("pytorch_model.bin, 0.7 MB, F32", InProcess.Run("info", "--model", _folder["bin"]).Expect(ExitCode.Ok).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Convert_OpenAiClip_TakesTheVocabularyAndTellsWhatIsLeftOut()
    {
        ClipVocabulary.WriteByteLevel(_folder["vocabulary"], 600);
        string error = InProcess.Run("convert", Foreign("openai_clip_tiny.pt"), _folder["clip"], "--clip-vocab", _folder["vocabulary"]).Expect(ExitCode.Ok).Error;
        Assert.Contains("a CLIP of ", error, StringComparison.Ordinal);
        Assert.Contains("left out, as a CLIP has no such tensors: context_length, input_resolution, vocab_size", error, StringComparison.Ordinal);
        Assert.Equal(["config.json", "merges.txt", "model.safetensors", "vocab.json"], _folder.Files("clip"));
        Assert.Contains("no vocabulary yet", InProcess.Run("convert", Foreign("openai_clip_tiny.pt"), _folder["bare"]).Expect(ExitCode.Ok).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Convert_AuthorsDecoder_NeedsItsClip()
    {
        WritePyTorchModel("clip");
        string error = InProcess.Run("convert", Foreign("author_decoder_tiny.pth"), _folder["out"]).Expect(ExitCode.ModelFile).Error;
        Assert.Contains("--clip", error, StringComparison.Ordinal);
        InProcess.Run("convert", Foreign("author_decoder_tiny.pth"), _folder["out"], "--clip", _folder["clip"]).Expect(ExitCode.ModelFile);
        Assert.False(Directory.Exists(_folder["out"]));
        InProcess.Run("convert", Foreign("author_decoder_tiny.pth"), _folder["out"], "--clip", _folder["clip"], "--extract-layers", "1,2,3").Expect(ExitCode.Ok);
        InProcess.Run("convert", _folder["clip"], _folder["same"]).Expect(ExitCode.Ok);
        foreach (string file in (string[])["model.safetensors", "vocab.json", "merges.txt"])
            Assert.Equal(File.ReadAllBytes(_folder[$"same/{file}"]), File.ReadAllBytes(_folder[$"out/{file}"]));
    }

    [Fact]
    public void Convert_ToAFile_WritesTheWeightsAloneAndHalvesThem()
    {
        WritePyTorchModel("bin");
        InProcess.Run("convert", _folder["bin"], _folder["whole.safetensors"]).Expect(ExitCode.Ok);
        Assert.Contains(", F16.", InProcess.Run("convert", _folder["bin"], _folder["half.safetensors"], "--f16").Expect(ExitCode.Ok).Error, StringComparison.Ordinal);
        long whole = new FileInfo(_folder["whole.safetensors"]).Length, half = new FileInfo(_folder["half.safetensors"]).Length;
        Assert.InRange(half - whole / 2.0, 0, 20_000);   // the header does not shrink
    }

    [Fact]
    public void Convert_WeightsAreThere_NeedsForce()
    {
        WritePyTorchModel("bin");
        File.WriteAllText(_folder["out.safetensors"], "precious");
        Assert.Contains("--force", InProcess.Run("convert", _folder["bin"], _folder["out.safetensors"]).Expect(ExitCode.Usage).Error, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(_folder["out.safetensors"]));
        InProcess.Run("convert", _folder["bin"], _folder["out.safetensors"], "--force").Expect(ExitCode.Ok);
        Assert.NotEqual("precious", File.ReadAllText(_folder["out.safetensors"]));
    }

    [Fact]
    public void Convert_Interrupted_LeavesNoWeights()
    {
        WritePyTorchModel("bin");
        using var interruption = new CancellationTokenSource();
        interruption.Cancel();
        InProcess.Run(["convert", _folder["bin"], _folder["out"]], interrupted: interruption.Token).Expect(ExitCode.Interrupted);
        Assert.DoesNotContain(_folder.Files("out"), file => file.Contains("safetensors", StringComparison.Ordinal));
    }

    [Fact]
    public void Infer_FileThatIsNoWholeModel_NamesTheCommandThatHelps()
    {
        string error = InProcess.Run("infer", _folder.Picture("a.png"), "-t", "x", "--model", Foreign("author_decoder_tiny.pth")).Expect(ExitCode.ModelFile).Error;
        Assert.Contains("clipseg-native convert", error, StringComparison.Ordinal);
        Assert.Single(error.Trim().Split('\n'));
    }

    void WritePyTorchModel(string name)
    {
        ClipVocabulary.WriteByteLevel(_folder[name], 600);
        File.Copy(Foreign("hf_clipseg_tiny.bin"), Path.Combine(_folder[name], WeightFiles.PyTorch));
        AtomicFile.Write(_folder[$"{name}/{ClipSegConfig.FileName}"], Config.WriteJson);
        AtomicFile.Write(_folder[$"{name}/{PreprocessorConfig.FileName}"], new PreprocessorConfig { Width = 64, Height = 64 }.WriteJson);
    }

    static string Foreign(string file) => TestData.Fixture("foreign", file);
}
