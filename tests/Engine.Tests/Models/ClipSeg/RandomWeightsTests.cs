using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tests.Weights;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Models.ClipSeg;

public sealed class RandomWeightsTests : IDisposable
{
    static readonly ClipSegConfig Tiny = new()
    {
        Text = new ClipTextConfig { VocabularySize = 5000, HiddenSize = 64, IntermediateSize = 128, Layers = 2, Heads = 2 },
        Vision = new ClipVisionConfig { HiddenSize = 96, IntermediateSize = 192, Layers = 4, Heads = 4, PatchSize = 16, ImageSize = 64 },
        ProjectionSize = 32,
        ExtractLayers = [1, 3],
        ReduceSize = 16,
        DecoderIntermediateSize = 64,
        ComplexUpsampler = true,
    };

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_SameSeed_GivesTheSameBytes()
    {
        foreach ((string name, ulong seed) in new[] { ("a", 1UL), ("b", 1UL), ("c", 2UL) }) RandomWeights.Write(_folder[name], Tiny, seed);
        foreach (string file in new[] { "model.safetensors", "config.json", "preprocessor_config.json" })
            Assert.Equal(Bytes("a", file), Bytes("b", file));
        Assert.Equal(3, Directory.GetFileSystemEntries(_folder["a"]).Length);
        Assert.NotEqual(Bytes("a", "model.safetensors"), Bytes("c", "model.safetensors"));
    }

    [Fact]
    public void Write_ReadBack_IsACompleteModelWithSpread()
    {
        RandomWeights.Write(_folder.Location, Tiny, seed: 3);
        ClipSegConfig config = ClipSegConfig.Read(_folder.Location);
        using var source = new PrefixedWeights(WeightFiles.Open(_folder.Location));
        ClipSegTensors.Verify(source, config);
        foreach (string name in source.Names.Where(name => name != ClipTensors.LogitScale))
        {
            source.TryFind(name, out WeightEntry entry);
            float[] values = entry.Singles().ToArray();
            Assert.All(values, value => Assert.True(float.IsFinite(value) && value != 0, name));
            if (values.Length > 4000) Assert.InRange(Deviation(values), 0.01, 1);
        }
        Assert.Equal(Math.Sqrt(1.0 / 64 / 4), Spread(source, "clip.text_model.encoder.layers.0.self_attn.q_proj.weight"), 0.003);
        Assert.Equal(Math.Sqrt(1.0 / 96 / 8), Spread(source, "clip.vision_model.encoder.layers.0.mlp.fc2.weight"), 0.003);
        Assert.Equal(Math.Sqrt(2.0 / (16 * 9)), Spread(source, "decoder.transposed_convolution.0.weight"), 0.01);
        source.TryFind("clip.vision_model.pre_layrnorm.weight", out WeightEntry gain);
        Assert.InRange(gain.Singles()[0], 0.7f, 1.3f);
        source.TryFind(ClipTensors.LogitScale, out WeightEntry scale);
        Assert.Equal(2.6592f, scale.Singles()[0]);
    }

    static double Spread(PrefixedWeights source, string name)
    {
        Assert.True(source.TryFind(name, out WeightEntry entry));
        return Deviation(entry.Singles().ToArray());
    }

    static double Deviation(float[] values) => Math.Sqrt(values.Average(value => (double)value * value));

    byte[] Bytes(string folder, string file) => File.ReadAllBytes(Path.Combine(_folder[folder], file));
}
