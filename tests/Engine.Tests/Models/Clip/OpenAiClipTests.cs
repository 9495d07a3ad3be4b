using System.Runtime.InteropServices;
using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Backends.Decorators;
using ClipSegNative.Backends.Planning;
using ClipSegNative.Layers;
using ClipSegNative.Models.Clip;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Models.Clip;

/// <summary>A small CLIP as OpenAI writes them, from its file to the two vectors that OpenAI's own code gives.</summary>
public sealed class OpenAiClipTests : IDisposable
{
    const float Tolerance = 1e-4f;

    readonly CheckedBackend _backend = new(CpuBackend.Create(threads: 2), finite: true);
    readonly PrefixedWeights _weights = new(WeightFiles.Open(TestData.Fixture("foreign", "openai_clip_tiny.pt")));
    readonly SafetensorsFile _case = new(TestData.Fixture("foreign", "openai_clip_tiny.expected.safetensors"));
    readonly ParameterStore _parameters;
    readonly ClipConfig _config;

    public OpenAiClipTests()
    {
        _parameters = new ParameterStore(_backend, _weights);
        _config = ClipConfig.FromShapes(_weights);
    }

    public void Dispose()
    {
        _parameters.Dispose();
        _case.Dispose();
        _weights.Dispose();
        _backend.Dispose();
    }

    [Fact]
    public void FromShapes_TinyClip_GivesItsSizes()
    {
        Assert.Equal(
            new ClipVisionConfig { HiddenSize = 64, IntermediateSize = 256, Layers = 3, Heads = 1, ImageSize = 64, PatchSize = 16 }, _config.Vision);
        Assert.Equal(
            new ClipTextConfig { VocabularySize = 600, HiddenSize = 64, IntermediateSize = 256, Layers = 2, Heads = 1, BeginTokenId = 598, EndTokenId = 599 },
            _config.Text);
        Assert.Equal(24, _config.ProjectionSize);
    }

    [Fact]
    public void Forward_Picture_GivesTheReferenceFeatures()
    {
        Shape pixels = Entry("case.pixel_values").Shape;
        var grid = new Grid(pixels[2] / _config.Vision.PatchSize, pixels[3] / _config.Vision.PatchSize);
        int batch = pixels[0];
        using var arena = new Arena(_backend);
        Tensor input = arena.Keep(DType.F32, batch, 3, pixels[2], pixels[3]);
        var tower = new ClipVisionEncoder(Scope(arena, "clip.vision_model"), _config.Vision, batch, grid, _config.Vision.Layers);
        var pooled = new PooledProjection(
            Scope(arena, "clip.vision_model.post_layernorm"), Scope(arena, "clip.visual_projection"), batch, 1 + grid.Cells, token: 0,
            _config.Vision.HiddenSize, _config.Vision.LayerNormEpsilon, _config.ProjectionSize);
        Tensor features = default;
        IReplay replay = arena.Capture(() => arena.Retain(features = pooled.Forward(tower.Forward(input)[^1])));
        _backend.Upload(Entry("case.pixel_values").Singles(), input);
        replay.Run();
        AssertClose("expected.image_features", features, row: 0);
    }

    [Fact]
    public void Forward_Texts_GiveTheReferenceFeatures()
    {
        WeightEntry stored = Entry("case.input_ids");
        int batch = stored.Shape[0], padded = stored.Shape[1];
        for (int row = 0; row < batch; row++)
        {
            int[] ids = [.. MemoryMarshal.Cast<byte, long>(stored.Bytes).Slice(row * padded, padded).ToArray().Select(id => (int)id)];
            ids = ids[..(Array.IndexOf(ids, _config.Text.EndTokenId) + 1)];
            Assert.InRange(ids.Length, 2, padded);
            using var arena = new Arena(_backend);
            Tensor input = arena.Keep(DType.I32, ids.Length);
            var tower = new ClipTextEncoder(Scope(arena, "clip"), _config.Text, _config.ProjectionSize, 1, ids.Length);
            Tensor features = default;
            IReplay replay = arena.Capture(() => arena.Retain(features = tower.Forward(input)));
            _backend.Upload(ids, input);
            replay.Run();
            AssertClose("expected.text_features", features, row);
        }
    }

    void AssertClose(string expectedName, Tensor features, int row)
    {
        var values = new float[features.Shape.Elements];
        _backend.Download(features, values);
        float[] expected = Entry(expectedName).Singles().Slice(row * _config.ProjectionSize, values.Length).ToArray();
        float worst = expected.Zip(values, (wanted, found) => Math.Abs(wanted - found)).Max();
        Assert.InRange(worst, 0, Tolerance);
        TestContext.Current.TestOutputHelper?.WriteLine($"{expectedName}: off by {worst:g2}, values up to {expected.Max(Math.Abs):g2}");
    }

    LayerScope Scope(Arena arena, string path) => new(arena, _parameters, path);

    WeightEntry Entry(string name) => _case.TryFind(name, out WeightEntry entry) ? entry : throw new InvalidOperationException($"The case has no {name}.");
}
