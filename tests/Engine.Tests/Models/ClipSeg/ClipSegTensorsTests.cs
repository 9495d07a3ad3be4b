using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Weights;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Models.ClipSeg;

public sealed class ClipSegTensorsTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("clipseg-rd64-refined", 150_747_746)]
    [InlineData("clipseg-rd64", 150_693_890)]
    [InlineData("clipseg-rd16", 149_884_418)]
    public void All_Preset_HasThePublishedCount(string preset, long elements) =>
        Assert.Equal(elements, ClipSegTensors.All(ClipSegConfig.Presets[preset]).Sum(tensor => tensor.Shape.Elements));

    [Theory]
    [InlineData("clipseg-tiny-simple")]
    [InlineData("clipseg-tiny-refined")]
    public void All_Fixture_IsWhatTheFileHolds(string fixture)
    {
        ClipSegConfig config = ClipSegConfig.Read(TestData.Fixture(fixture));
        using var source = new PrefixedWeights(WeightFiles.Open(TestData.Fixture(fixture)));
        ClipSegTensors.Verify(source, config);
        Assert.Equal(source.Names.Order(StringComparer.Ordinal), ClipSegTensors.All(config).Select(tensor => tensor.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Verify_AnotherWidth_NamesTensorShapesAndSetting()
    {
        string message = RefusedAs(config => config with { ReduceSize = 32 }, (_, shape) => shape);
        Assert.Contains("'decoder.film_mul.weight' has shape [16,24], expected [32,24]. config.json says reduce_dim 32, projection_dim 24: are these the weights", message);
    }

    [Fact]
    public void Verify_ShapeOfAPublishedModel_GuessesWhichOne()
    {
        string message = RefusedAs(config => config, (name, shape) => name == "decoder.film_mul.weight" ? new Shape(64, 512) : shape);
        Assert.Contains("config.json says reduce_dim 16, projection_dim 24: is this the clipseg-rd64-refined or clipseg-rd64 model?", message);
        message = RefusedAs(config => config with { ReduceSize = 64 }, (name, shape) => name == "decoder.film_mul.weight" ? new Shape(16, 512) : shape);
        Assert.Contains("has shape [16,512], expected [64,24]. config.json says reduce_dim 64, projection_dim 24: is this the clipseg-rd16 model?", message);
    }

    [Fact]
    public void Verify_MissingUpsampler_NamesTheSetting()
    {
        string message = RefusedAs(config => config with { ComplexUpsampler = true }, (_, shape) => shape);
        Assert.Contains("'decoder.transposed_convolution.0.weight' [16,16,3,3] is missing. config.json says use_complex_transposed_convolution true", message);
    }

    [Fact]
    public void Verify_MissingBlock_NamesTheSetting()
    {
        string message = RefusedAs(config => config with { Vision = config.Vision with { Layers = 6 } }, (_, shape) => shape);
        Assert.Contains("'clip.vision_model.encoder.layers.5.self_attn.k_proj.weight' [48,48] is missing. config.json says vision_config hidden_size 48, num_hidden_layers 6", message);
    }

    /// <summary>The message for a file of the simple fixture's tensors, reshaped, under a configuration altered.</summary>
    string RefusedAs(Func<ClipSegConfig, ClipSegConfig> altered, Func<string, Shape, Shape> reshaped)
    {
        ClipSegConfig config = ClipSegConfig.Read(TestData.Fixture("clipseg-tiny-simple"));
        SafetensorsWriter.Write(_folder["model.safetensors"],
            [.. ClipSegTensors.All(config).Select(tensor => new WeightToWrite(tensor.Name, reshaped(tensor.Name, tensor.Shape), destination => destination.Clear()))]);
        using IWeightSource source = WeightFiles.Open(_folder.Location);
        return Assert.Throws<ModelFileException>(() => ClipSegTensors.Verify(source, altered(config))).Message;
    }
}
