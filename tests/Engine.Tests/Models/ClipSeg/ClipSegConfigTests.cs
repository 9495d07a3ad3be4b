using System.Text;
using System.Text.Json.Nodes;
using ClipSegNative.Backends;
using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tests.Weights;

namespace ClipSegNative.Tests.Models.ClipSeg;

public sealed class ClipSegConfigTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_SimpleFixture_GivesItsValues()
    {
        ClipSegConfig config = ClipSegConfig.Read(TestData.Fixture("clipseg-tiny-simple"));
        Assert.Equal([0, 1, 3], config.ExtractLayers);
        Assert.Equal((24, 16, 4, 64, 0, false), Decoder(config));
        Assert.Equal(new ClipTextConfig { HiddenSize = 16, IntermediateSize = 32, Layers = 2, Heads = 2 }, config.Text);
        Assert.Equal(new ClipVisionConfig { HiddenSize = 48, IntermediateSize = 96, Layers = 5, Heads = 4, PatchSize = 16, ImageSize = 64 }, config.Vision);
        Assert.Equal(17, config.Vision.Positions);
    }

    [Fact]
    public void Read_RefinedFixture_GivesItsValues()
    {
        ClipSegConfig config = ClipSegConfig.Read(TestData.Fixture("clipseg-tiny-refined", "config.json"));
        Assert.Equal([1, 3], config.ExtractLayers);
        Assert.Equal((24, 8, 2, 24, 1, true), Decoder(config));
    }

    [Fact]
    public void Read_ModelTypeOnly_GivesHuggingFacesDefaults()
    {
        ClipSegConfig config = Read("""{"model_type":"clipseg","text_config":null}""");
        Assert.Equal([3, 6, 9], config.ExtractLayers);
        Assert.Equal((512, 64, 4, 2048, 0, false), Decoder(config));
        Assert.Equal((49408, 512, 2048, 12, 8, 77), (config.Text.VocabularySize, config.Text.HiddenSize, config.Text.IntermediateSize, config.Text.Layers, config.Text.Heads, config.Text.Positions));
        Assert.Equal((768, 3072, 12, 12, 32, 224), (config.Vision.HiddenSize, config.Vision.IntermediateSize, config.Vision.Layers, config.Vision.Heads, config.Vision.PatchSize, config.Vision.ImageSize));
        Assert.Equal((1e-5f, Activation.QuickGelu, 49407), (config.Text.LayerNormEpsilon, config.Text.Activation, config.Text.EndTokenId));
        Assert.Equal((1e-5f, Activation.QuickGelu), (config.Vision.LayerNormEpsilon, config.Vision.Activation));
    }

    [Fact]
    public void Read_LegacySections_ReplaceTheCurrentOnes()
    {
        ClipSegConfig config = Read("""
            {"model_type":"clipseg","text_config":{"hidden_size":128,"num_hidden_layers":3},"text_config_dict":{"hidden_size":256,"eos_token_id":2},
             "vision_config":{"patch_size":16},"vision_config_dict":null}
            """);
        Assert.Equal((256, 12, 2), (config.Text.HiddenSize, config.Text.Layers, config.Text.EndTokenId));
        Assert.Equal(16, config.Vision.PatchSize);
    }

    [Fact]
    public void Read_ByteOrderMark_IsSkipped()
    {
        File.WriteAllBytes(_folder["config.json"], [.. Encoding.UTF8.Preamble, .. """{"model_type":"clipseg"}"""u8]);
        Assert.Equal(64, ClipSegConfig.Read(_folder["config.json"]).ReduceSize);
    }

    [Theory]
    [InlineData("""{}""", "'model_type' is missing, expected \"clipseg\"")]
    [InlineData("""{"model_type":"clip"}""", "'model_type' is \"clip\", expected \"clipseg\"")]
    [InlineData("""{"model_type":7}""", "'model_type' is 7, expected a string")]
    [InlineData("""{"model_type":"\ud800"}""", "is not valid JSON")]
    [InlineData("""{"\ud800odel_type":"clipseg"}""", "is not valid JSON")]
    [InlineData("""[]""", "is not a JSON object")]
    [InlineData("""{"model_type":"clipseg",}""", "is not valid JSON")]
    [InlineData("""{"model_type":"clipseg","reduce_dim":"64"}""", "'reduce_dim' is \"64\", expected a whole number from 1 to 8192")]
    [InlineData("""{"model_type":"clipseg","reduce_dim":64.5}""", "'reduce_dim' is 64.5")]
    [InlineData("""{"model_type":"clipseg","decoder_type":"unet"}""", "'decoder_type' is \"unet\", expected \"transformer\" or \"conv\"")]
    [InlineData("""{"model_type":"clipseg","decoder_type":"conv"}""", "'conv_channels' is missing, expected 6 whole numbers")]
    [InlineData("""{"model_type":"clipseg","decoder_type":"conv","conv_channels":[8,8,8]}""", "'conv_channels' is [8,8,8], expected 6 whole numbers")]
    [InlineData("""{"model_type":"clipseg","decoder_type":"conv","conv_channels":[8,8,8,8,8,12]}""", "'conv_groups' is missing, expected a divisor of each of conv_channels 8, 8, 8, 8, 8, 12")]
    [InlineData("""{"model_type":"clipseg","decoder_type":"conv","vision_config":{"patch_size":14}}""", "as patch_size 14 is no power of two")]
    [InlineData("""{"model_type":"clipseg","decoder_type":"conv","vision_config":{"patch_size":2},"conv_channels":[8,8]}""", "'extract_layers' is missing, expected at most 2 layers")]
    [InlineData("""{"model_type":"clipseg","reduce_dim":0}""", "'reduce_dim' is 0")]
    [InlineData("""{"model_type":"clipseg","reduce_dim":99999999999}""", "'reduce_dim' is 99999999999")]
    [InlineData("""{"model_type":"clipseg","projection_dim":-1}""", "'projection_dim' is -1")]
    [InlineData("""{"model_type":"clipseg","decoder_num_attention_heads":3}""", "'decoder_num_attention_heads' is 3, expected a divisor of reduce_dim 64")]
    [InlineData("""{"model_type":"clipseg","decoder_intermediate_size":1000000}""", "'decoder_intermediate_size' is 1000000")]
    [InlineData("""{"model_type":"clipseg","extract_layers":[3,12]}""", "'extract_layers' is [3,12], expected 1 to 128 whole numbers from 0 to 11")]
    [InlineData("""{"model_type":"clipseg","extract_layers":[-1]}""", "'extract_layers' is [-1]")]
    [InlineData("""{"model_type":"clipseg","extract_layers":[]}""", "'extract_layers' is []")]
    [InlineData("""{"model_type":"clipseg","extract_layers":3}""", "'extract_layers' is 3")]
    [InlineData("""{"model_type":"clipseg","extract_layers":["3"]}""", "'extract_layers' is [\"3\"]")]
    [InlineData("""{"model_type":"clipseg","vision_config":{"num_hidden_layers":9}}""", "'extract_layers' is missing, expected numbers below the 9 layers")]
    [InlineData("""{"model_type":"clipseg","conditional_layer":3}""", "'conditional_layer' is 3, expected a whole number from 0 to 2")]
    [InlineData("""{"model_type":"clipseg","use_complex_transposed_convolution":1}""", "'use_complex_transposed_convolution' is 1, expected true or false")]
    [InlineData("""{"model_type":"clipseg","use_complex_transposed_convolution":true,"vision_config":{"patch_size":14}}""", "patch_size 14 is no multiple of 4")]
    [InlineData("""{"model_type":"clipseg","use_complex_transposed_convolution":true,"reduce_dim":1,"decoder_num_attention_heads":1}""", "'reduce_dim' is 1")]
    [InlineData("""{"model_type":"clipseg","text_config":[]}""", "'text_config' is [], expected an object")]
    [InlineData("""{"model_type":"clipseg","text_config":{"hidden_size":10000}}""", "'text_config.hidden_size' is 10000, expected a whole number from 1 to 8192")]
    [InlineData("""{"model_type":"clipseg","text_config":{"num_attention_heads":7}}""", "'text_config.num_attention_heads' is 7, expected a divisor of hidden_size 512")]
    [InlineData("""{"model_type":"clipseg","text_config":{"vocab_size":1000001}}""", "'text_config.vocab_size' is 1000001")]
    [InlineData("""{"model_type":"clipseg","text_config":{"max_position_embeddings":0}}""", "'text_config.max_position_embeddings' is 0")]
    [InlineData("""{"model_type":"clipseg","text_config":{"layer_norm_eps":0}}""", "'text_config.layer_norm_eps' is 0")]
    [InlineData("""{"model_type":"clipseg","text_config":{"hidden_act":"gelu_new"}}""", "'text_config.hidden_act' is \"gelu_new\", expected quick_gelu, gelu or relu")]
    [InlineData("""{"model_type":"clipseg","vision_config":{"num_hidden_layers":129}}""", "'vision_config.num_hidden_layers' is 129")]
    [InlineData("""{"model_type":"clipseg","vision_config":{"num_attention_heads":7}}""", "expected a divisor of hidden_size 768")]
    [InlineData("""{"model_type":"clipseg","vision_config":{"image_size":4097}}""", "'vision_config.image_size' is 4097")]
    [InlineData("""{"model_type":"clipseg","vision_config":{"image_size":[224,224]}}""", "'vision_config.image_size' is [224,224]")]
    [InlineData("""{"model_type":"clipseg","vision_config":{"patch_size":256}}""", "'vision_config.patch_size' is 256, expected at most image_size 224")]
    [InlineData("""{"model_type":"clipseg","vision_config":{"num_channels":4}}""", "'vision_config.num_channels' is 4, expected 3")]
    public void Read_ValueOutOfPlace_IsRefusedByKeyAndValue(string json, string problem)
    {
        string message = Assert.Throws<ModelFileException>(() => Read(json)).Message;
        Assert.StartsWith(_folder["config.json"] + ": ", message);
        Assert.Contains(problem, message);
    }

    [Fact]
    public void Read_NoFile_IsRefused() =>
        Assert.Contains("config.json: is missing", Assert.Throws<ModelFileException>(() => ClipSegConfig.Read(_folder.Location)).Message);

    [Theory]
    [InlineData("clipseg-tiny-simple")]
    [InlineData("clipseg-tiny-refined")]
    public void WriteJson_OfAFixture_KeepsEveryValueItRead(string fixture)
    {
        ClipSegConfig config = ClipSegConfig.Read(TestData.Fixture(fixture));
        JsonObject original = JsonNode.Parse(File.ReadAllText(TestData.Fixture(fixture, "config.json")))!.AsObject();
        JsonObject written = JsonNode.Parse(Json(config))!.AsObject();
        original.Remove("decoder_attention_dropout");   // dead in the reference
        original.Remove("decoder_hidden_act");
        foreach (string tower in new[] { "text_config", "vision_config" })
            foreach ((string key, JsonNode? value) in original[tower]!.AsObject())
                Assert.Equal(value!.ToJsonString(), written[tower]![key]!.ToJsonString(), ignoreCase: true);
        foreach ((string key, JsonNode? value) in original.Where(pair => !pair.Key.EndsWith("_config", StringComparison.Ordinal)))
            Assert.Equal(value!.ToJsonString(), written[key]!.ToJsonString());
        Assert.Equal(Json(config), Json(Read(Json(config))));
    }

    [Fact]
    public void WriteJson_ConvolutionalDecoder_IsReadBack()
    {
        ClipSegConfig config = ClipSegConfig.Presets["clipseg-conv-base"] with { Conv = new ConvDecoderConfig { Channels = [40, 30, 20, 10, 10], Groups = 5 } };
        ClipSegConfig read = Read(Json(config));
        Assert.Equal([40, 30, 20, 10, 10], read.Conv!.Channels);
        Assert.Equal(5, read.Conv.Groups);
        Assert.Equal([40, 30, 20], read.FeatureWidths);
        Assert.Equal(Json(config), Json(read));
    }

    static (int, int, int, int, int, bool) Decoder(ClipSegConfig config) =>
        (config.ProjectionSize, config.ReduceSize, config.DecoderHeads, config.DecoderIntermediateSize, config.ConditionalLayer, config.ComplexUpsampler);

    static string Json(ClipSegConfig config)
    {
        using var stream = new MemoryStream();
        config.WriteJson(stream);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    ClipSegConfig Read(string json) => ClipSegConfig.Read(_folder.WriteText("config.json", json));
}
