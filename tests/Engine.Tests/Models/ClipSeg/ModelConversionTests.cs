using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Weights;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Models.ClipSeg;

public sealed class ModelConversionTests : IDisposable
{
    /// <summary>The CLIP inside hf_clipseg_tiny, which the authors' decoder belongs to.</summary>
    static readonly ClipConfig DecodersClip = new(
        new ClipTextConfig { VocabularySize = 600, HiddenSize = 16, IntermediateSize = 32, Layers = 2, Heads = 2, BeginTokenId = 598, EndTokenId = 599 },
        new ClipVisionConfig { HiddenSize = 48, IntermediateSize = 96, Layers = 5, Heads = 4, PatchSize = 16, ImageSize = 64 }, 24);

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WriteFolder_OpenAiClip_IsHuggingFacesClip()
    {
        using (ModelConversion model = ModelConversion.Open(Foreign("openai_clip_tiny.pt"), clip: null, extractLayers: null))
        {
            Assert.Null(model.ClipSeg);
            Assert.Equal(["context_length", "input_resolution", "vocab_size"], model.Ignored.Order(StringComparer.Ordinal));
            model.WriteFolder(_folder["clip"], new PreprocessorConfig(), halve: false, TestContext.Current.CancellationToken);
        }
        Assert.Equal(["config.json", "model.safetensors"], Directory.GetFiles(_folder["clip"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        using var written = new SafetensorsFile(_folder["clip/model.safetensors"]);
        using IWeightSource original = WeightFiles.Open(Foreign("openai_clip_tiny.pt"));
        ClipConfig config = ClipConfig.Read(_folder["clip"]);
        Assert.Equal(ClipConfig.FromShapes(original), config);
        Assert.Contains("vision_model.pre_layrnorm.weight", written.Names);
        foreach ((string name, Shape shape) in ClipTensors.All(config.Text, config.Vision, config.ProjectionSize)) AssertEqual(original, written, name, name["clip.".Length..]);
    }

    [Fact]
    public void WriteFolder_AuthorsDecoderAndItsClip_IsTheWholeModel()
    {
        WriteClip("clip");
        using (ModelConversion model = ModelConversion.Open(Foreign("author_decoder_tiny.pth"), _folder["clip"], [1, 2, 3]))
        {
            Assert.Equal(["reduce.bias", "reduce.weight"], model.Ignored.Order(StringComparer.Ordinal));
            model.WriteFolder(_folder["out"], new PreprocessorConfig { Width = 64, Height = 64 }, halve: false, TestContext.Current.CancellationToken);
        }
        ClipSegConfig config = ClipSegConfig.Read(_folder["out"]);
        Assert.Equal([1, 2, 3], config.ExtractLayers);
        Assert.Equal((24, 16, 4, 64, false), (config.ProjectionSize, config.ReduceSize, config.DecoderHeads, config.DecoderIntermediateSize, config.ComplexUpsampler));
        Assert.Equal((DecodersClip.Text, DecodersClip.Vision), (config.Text, config.Vision));
        Assert.Equal(64, PreprocessorConfig.Read(_folder["out"]).Width);
        using IWeightSource written = WeightFiles.Open(_folder["out"]);
        using var expected = new SafetensorsFile(Foreign("hf_clipseg_tiny.expected.safetensors"));
        foreach ((string name, _) in ClipSegTensors.All(config)) AssertEqual(expected, written, name, name);
    }

    [Fact]
    public void WriteWeights_Halved_RoundsEveryTensor()
    {
        using (ModelConversion model = ModelConversion.Open(Foreign("openai_clip_tiny.pt"), clip: null, extractLayers: null))
            model.WriteWeights(_folder["half.safetensors"], halve: true, TestContext.Current.CancellationToken);
        using var half = new SafetensorsFile(_folder["half.safetensors"]);
        Assert.All(half.Names, name => Assert.Equal(DType.F16, Find(half, name).Type));
        using IWeightSource original = WeightFiles.Open(Foreign("openai_clip_tiny.pt"));
        float[] exact = Find(original, "clip.text_model.final_layer_norm.weight").Singles().ToArray();
        Assert.Equal(exact.Select(value => (float)(Half)value), Find(half, "text_model.final_layer_norm.weight").Singles().ToArray());
    }

    [Fact]
    public void WriteWeights_HalvedValueTooLarge_IsRefusedAndLeavesNothing()
    {
        WriteClip("clip", values => values[0] = 70_000);
        using ModelConversion model = ModelConversion.Open(_folder["clip"], clip: null, extractLayers: null);
        string message = Assert.Throws<ModelFileException>(() => model.WriteWeights(_folder["half.safetensors"], halve: true, TestContext.Current.CancellationToken)).Message;
        Assert.Contains("holds 70000, but F16 ends at 65504", message);
        Assert.False(File.Exists(_folder["half.safetensors"]));
    }

    [Fact]
    public void Open_ModelFolder_KeepsItsConfiguration()
    {
        using ModelConversion model = ModelConversion.Open(TestData.Fixture("clipseg-tiny-refined"), clip: null, extractLayers: null);
        Assert.Equal([1, 3], model.ClipSeg!.ExtractLayers);
        Assert.Empty(model.Ignored);
    }

    [Fact]
    public void Open_WhatIsNoWholeModel_SaysWhatIsMissing()
    {
        WriteClip("clip");
        string decoder = Foreign("author_decoder_tiny.pth"), openAi = Foreign("openai_clip_tiny.pt");
        Assert.Contains("a decoder without the CLIP that it was trained on", Refusal(decoder));
        Assert.Contains("image tower of width 48 and vectors of 24, not 64 and 24: is this its CLIP?", Refusal(decoder, openAi));
        Assert.Contains("holds no CLIP", Refusal(decoder, decoder));
        Assert.Contains("holds a CLIP of its own", Refusal(openAi, openAi));
        Assert.Contains("does not read the outputs of layers 3, 6, 9 of 5: say which", Refusal(decoder, _folder["clip"]));
        Assert.Contains("does not read the outputs of layers 1, 2 of 5", Refusal(decoder, _folder["clip"], [1, 2]));
        File.Copy(Foreign("hf_clipseg_tiny.bin"), _folder["alone.bin"]);
        Assert.Contains("config.json: is missing", Refusal(_folder["alone.bin"]));
        SafetensorsWriter.Write(_folder["other.safetensors"], [new WeightToWrite("x", new Shape(1), new float[1])]);
        Assert.Contains("holds neither CLIP's towers nor a CLIPSeg decoder", Refusal(_folder["other.safetensors"]));
    }

    static string Refusal(string model, string? clip = null, int[]? layers = null) =>
        Assert.Throws<ModelFileException>(() => ModelConversion.Open(model, clip, layers).Dispose()).Message;

    static string Foreign(string file) => TestData.Fixture("foreign", file);

    /// <summary>The towers of hf_clipseg_tiny as a CLIP of their own, as Hugging Face stores one.</summary>
    void WriteClip(string name, Action<Span<float>>? spoil = null)
    {
        Directory.CreateDirectory(_folder[name]);
        using IWeightSource source = WeightFiles.Open(Foreign("hf_clipseg_tiny.bin"));
        SafetensorsWriter.Write(_folder[$"{name}/model.safetensors"],
        [
            .. ClipTensors.All(DecodersClip.Text, DecodersClip.Vision, DecodersClip.ProjectionSize)
                .Select(tensor => new WeightToWrite(tensor.Name["clip.".Length..], tensor.Shape, values =>
                {
                    Find(source, tensor.Name).ToSingle(values);
                    spoil?.Invoke(values);
                })),
        ]);
        using FileStream config = File.Create(_folder[$"{name}/config.json"]);
        DecodersClip.WriteJson(config);
    }

    static void AssertEqual(IWeightSource expected, IWeightSource found, string expectedName, string foundName)
    {
        (WeightEntry wanted, WeightEntry actual) = (Find(expected, expectedName), Find(found, foundName));
        Assert.Equal(wanted.Type, actual.Type);
        Assert.True(wanted.Bytes.SequenceEqual(actual.Bytes), foundName);
    }

    static WeightEntry Find(IWeightSource source, string name)
    {
        Assert.True(source.TryFind(name, out WeightEntry entry), name);
        return entry;
    }
}
