using ClipSegNative.Tensors;
using ClipSegNative.Weights;
using ClipSegNative.Weights.PyTorch;

namespace ClipSegNative.Tests.Weights.PyTorch;

/// <summary>Files that PyTorch itself wrote, beside what they hold.</summary>
public class PyTorchFixtureTests
{
    [Theory]
    [InlineData("openai_clip_tiny.pt", "openai_clip_tiny", 74 + 3)]   // and three sizes, which are no weights
    [InlineData("hf_clipseg_tiny.bin", "hf_clipseg_tiny", 188)]
    [InlineData("hf_clipseg_tiny_legacy.bin", "hf_clipseg_tiny", 188)]
    public void Open_FileAsWritten_GivesEqualBytes(string file, string expected, int count)
    {
        using var source = new PyTorchFile(TestData.Fixture("foreign", file));
        Assert.Equal(count, source.Names.Count);
        AssertEqual(expected, source);
    }

    [Fact]
    public void Open_AuthorsDecoder_GivesCanonicalNamesAndEqualBytes()
    {
        using IWeightSource source = WeightFiles.Open(TestData.Fixture("foreign", "author_decoder_tiny.pth"));
        AssertEqual("author_decoder_tiny", source);
        Assert.Equal(["reduce.bias", "reduce.weight"], source.Names.Where(name => !name.StartsWith("decoder.", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Open_OpenAiClip_SplitsAndTransposes()
    {
        using IWeightSource source = WeightFiles.Open(TestData.Fixture("foreign", "openai_clip_tiny.pt"));
        using var expected = new SafetensorsFile(TestData.Fixture("foreign", "openai_clip_tiny.expected.safetensors"));
        foreach ((string canonical, string stored) in new[] { ("clip.visual_projection.weight", "visual.proj"), ("clip.text_projection.weight", "text_projection") })
        {
            (WeightEntry found, WeightEntry original) = (Find(source, canonical), Find(expected, stored));
            Assert.Equal((DType.F16, new Shape(24, 64), new Shape(64, 24)), (found.Type, found.Shape, original.Shape));
            float[] turned = found.Singles().ToArray(), straight = original.Singles().ToArray();
            for (int i = 0; i < turned.Length; i++) Assert.Equal(straight[i % 64 * 24 + i / 64], turned[i]);
        }
        byte[] packed = Find(expected, "visual.transformer.resblocks.2.attn.in_proj_weight").Bytes.ToArray();
        string[] parts = ["q_proj", "k_proj", "v_proj"];
        Assert.Equal(packed, parts.SelectMany(part => Find(source, $"clip.vision_model.encoder.layers.2.self_attn.{part}.weight").Bytes.ToArray()));
    }

    static void AssertEqual(string expectedName, IWeightSource source)
    {
        using var expected = new SafetensorsFile(TestData.Fixture("foreign", $"{expectedName}.expected.safetensors"));
        foreach (string name in expected.Names.Where(name => !name.StartsWith("case.", StringComparison.Ordinal) && !name.StartsWith("expected.", StringComparison.Ordinal)))
        {
            (WeightEntry wanted, WeightEntry found) = (Find(expected, name), Find(source, name));
            Assert.Equal(wanted.Type, found.Type);
            Assert.Equal(wanted.Shape, found.Shape.Rank == 0 ? new Shape(1) : found.Shape);   // safetensors' side has made vectors of scalars
            Assert.True(wanted.Bytes.SequenceEqual(found.Bytes), name);
        }
    }

    static WeightEntry Find(IWeightSource source, string name)
    {
        Assert.True(source.TryFind(name, out WeightEntry entry), name);
        return entry;
    }
}
