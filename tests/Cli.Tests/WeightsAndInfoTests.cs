using System.Diagnostics;
using System.Text.Json;
using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;

namespace ClipSegNative.Cli.Tests;

public sealed class WeightsAndInfoTests(TinyModel model) : IDisposable
{
    static readonly ClipSegConfig Smallest = new()
    {
        Vision = new ClipVisionConfig { HiddenSize = 8, IntermediateSize = 8, Layers = 1, Heads = 1, PatchSize = 4, ImageSize = 8 },
        Text = new ClipTextConfig { HiddenSize = 8, IntermediateSize = 8, Layers = 1, Heads = 1, VocabularySize = 514 },
        ExtractLayers = [0],
        ReduceSize = 4,
        ProjectionSize = 4,
    };

    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WeightsInit_Twice_GivesTheSameBytesUnlessTheSeedDiffers()
    {
        Init("a", seed: 3);
        Init("b", seed: 3);
        Init("c", seed: 4);
        Assert.Equal(["config.json", "merges.txt", "model.safetensors", "preprocessor_config.json", "vocab.json"], _folder.Files("a"));
        foreach (string file in _folder.Files("a")) Assert.Equal(File.ReadAllBytes(_folder[$"a/{file}"]), File.ReadAllBytes(_folder[$"b/{file}"]));
        Assert.NotEqual(File.ReadAllBytes(_folder["a/model.safetensors"]), File.ReadAllBytes(_folder["c/model.safetensors"]));
    }

    [Fact]
    public void WeightsInit_WithoutVocabulary_SaysWhatItIsGoodFor() =>
        Assert.Contains("byte by byte, and masks mean nothing", Init("a", seed: 0), StringComparison.Ordinal);

    [Fact]
    public void WeightsInit_ClipVocab_IsCopied()
    {
        Assert.DoesNotContain("byte by byte", Init("a", seed: 0, vocabulary: Path.Combine(_folder["b"])), StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(_folder["b/vocab.json"]), File.ReadAllBytes(_folder["a/vocab.json"]));
    }

    [Fact]
    public void WeightsInit_ClipVocabLargerThanTheModel_IsRefusedBeforeAnythingIsWritten()
    {
        Assert.Throws<ModelFileException>(() => WeightsCommand.Write(_folder["a"], Smallest, 0, model.Location, Silent(TextWriter.Null)));
        Assert.False(Directory.Exists(_folder["a"]));
    }

    [Fact]
    public void WeightsInit_UnknownPreset_NamesThePresets()
    {
        string error = InProcess.Run("weights", "init", "--preset", "big", "--out", _folder["a"]).Expect(ExitCode.Usage).Error;
        foreach (string preset in ClipSegConfig.Presets.Keys) Assert.Contains(preset, error, StringComparison.Ordinal);
    }

    [Fact]
    public void WeightsInit_ModelIsThere_NeedsForce()
    {
        _folder.Text("model.safetensors", "precious");
        CommandResult result = InProcess.Run("weights", "init", "--preset", "clipseg-rd16", "--out", _folder.Location).Expect(ExitCode.Usage);
        Assert.Contains("--force", result.Error, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(_folder["model.safetensors"]));
    }

    [Fact]
    public void ConvolutionalModel_InfoAndInfer_UseItsDecoder()
    {
        WeightsCommand.Write(_folder["conv"], Smallest with { Conv = new ConvDecoderConfig { Channels = [8, 6, 4], Groups = 2 } }, seed: 1, vocabulary: null, Silent(TextWriter.Null));
        Assert.Contains("convolutional, stages of 8, 6, 4 channels", InProcess.Run("info", "--model", _folder["conv"]).Expect(ExitCode.Ok).Text, StringComparison.Ordinal);
        InProcess.Run("infer", _folder.Picture("cat.png"), "-t", "a cat", "--model", _folder["conv"], "--size", "16x24", "--output", "logits").Expect(ExitCode.Ok);
        Assert.Contains("'shape': (1, 24, 16)", File.ReadAllText(_folder["cat.logits.npy"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Info_Json_TellsMachineAndModel()
    {
        JsonElement info = Assert.Single(InProcess.Run("info", "--json", "--model", model.Location).Expect(ExitCode.Ok).Json);
        Assert.Equal(Environment.ProcessorCount, info.GetProperty("cores").GetInt32());
        Assert.NotEmpty(info.GetProperty("cpu_path").GetString()!);
        JsonElement found = info.GetProperty("model");
        long bytes = new FileInfo(Path.Combine(model.Location, "model.safetensors")).Length, parameters = found.GetProperty("parameters").GetInt64();
        Assert.InRange(bytes - parameters * sizeof(float), 1, 100_000);   // the header
        Assert.Equal((TinyModel.Side, 600), (found.GetProperty("working_width").GetInt32(), found.GetProperty("vocabulary").GetInt32()));
        Assert.Equal([1, 2, 3], found.GetProperty("extract_layers").EnumerateArray().Select(layer => layer.GetInt32()));
    }

    [Fact]
    public void Info_Text_WorksWithoutAModelAndFailsOnAWrongOne()
    {
        Assert.Contains("CLIPSEG_MODEL", InProcess.Run("info").Expect(ExitCode.Ok).Text, StringComparison.Ordinal);
        Assert.Contains("parameters", InProcess.Run("info", "--model", model.Location).Expect(ExitCode.Ok).Text, StringComparison.Ordinal);
        InProcess.Run("info", "--model", _folder["none"]).Expect(ExitCode.ModelFile);
    }

    [Fact]
    public void Suggest_AfterDevice_GivesTheDevices()
    {
        const string Line = "clipseg-native infer a.png -t x --device ";
        Assert.Equal(["auto", "cpu", "cuda"], InProcess.Run($"[suggest:{Line.Length}]", Line).Expect(ExitCode.Ok).Lines);
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    [InlineData("pwsh")]
    public void Completion_Shell_PrintsAScriptThatAsksThisProgram(string shell) =>
        Assert.Contains("[suggest:", InProcess.Run("completion", shell).Expect(ExitCode.Ok).Text, StringComparison.Ordinal);

    [Fact]
    public void Completion_Bash_IsValid()
    {
        Assert.SkipUnless(File.Exists("/bin/bash"), "There is no bash.");
        using Process bash = Process.Start(new ProcessStartInfo("/bin/bash", ["-n"]) { RedirectStandardInput = true, RedirectStandardError = true })!;
        bash.StandardInput.Write(InProcess.Run("completion", "bash").Text);
        bash.StandardInput.Close();
        Assert.Empty(bash.StandardError.ReadToEnd());
    }

    string Init(string name, ulong seed, string? vocabulary = null)
    {
        if (vocabulary is not null) Text.ClipVocabulary.WriteByteLevel(vocabulary, 514);
        using var error = new StringWriter();
        WeightsCommand.Write(_folder[name], Smallest, seed, vocabulary, Silent(error));
        return error.ToString();
    }

    static Host Silent(TextWriter error) => new(Stream.Null, Stream.Null, error, CancellationToken.None);
}
