using ClipSegNative.Backends;
using ClipSegNative.Backends.Decorators;
using ClipSegNative.Backends.Planning;
using ClipSegNative.Layers;
using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Models.ClipSeg;

/// <summary>One of the tiny models of the reference implementation, with its inputs and expected tensors.</summary>
sealed class FixtureModel : IDisposable
{
    const int EndToken = 49_407;

    readonly CheckedBackend _backend;
    readonly SafetensorsFile _case;
    readonly PrefixedWeights _weights;
    readonly ParameterStore _parameters;

    /// <param name="name">Of the fixture.</param>
    /// <param name="device">Disposed with the model.</param>
    /// <param name="finite">Every result is looked at, which a device that records its operations does not allow.</param>
    public FixtureModel(string name, IBackend device, bool finite = true)
    {
        _backend = new CheckedBackend(device, finite);
        Config = ClipSegConfig.Read(TestData.Fixture(name, "config.json"));
        _case = new SafetensorsFile(TestData.Fixture(name, "case.safetensors"));
        _weights = new PrefixedWeights(WeightFiles.Open(TestData.Fixture(name)));
        ClipSegTensors.Verify(_weights, Config);
        _parameters = new ParameterStore(_backend, _weights);
    }

    public ClipSegConfig Config { get; }

    public Shape Shape(string tensor) => Entry(tensor).Shape;

    public float[] Values(string tensor) => Entry(tensor).Singles().ToArray();

    /// <summary>Everything the reference gives for text and image prompts, under its names without the leading <c>expected.</c></summary>
    public Dictionary<string, float[]> Compute()
    {
        Shape pixels = Shape("pixel_values");
        int batch = pixels[0], patch = Config.Vision.PatchSize;
        var grid = new Grid(pixels[2] / patch, pixels[3] / patch);
        float[] conditions = Conditions(batch);

        using var arena = new Arena(_backend);
        Tensor input = arena.Keep(DType.F32, batch, 3, pixels[2], pixels[3]);
        Tensor condition = arena.Keep(DType.F32, batch, Config.ProjectionSize);
        var vision = new ClipVisionEncoder(Scope(arena, "clip.vision_model"), Config.Vision, batch, grid, Config.Vision.Layers);
        var reduction = new FeatureReduction(Scope(arena, "decoder"), Config, batch, 1 + grid.Cells);
        var decoder = new TransformerDecoder(Scope(arena, "decoder"), Config, batch, batch, grid);
        var named = new Dictionary<string, Tensor>();
        IReplay replay = arena.Capture(() =>
        {
            Tensor[] hidden = vision.Forward(input);
            Tensor[] decoded = decoder.Hidden(reduction.Forward(hidden), condition);
            named["logits"] = decoder.Upsample(decoded[^1]);
            for (int i = 0; i < hidden.Length; i++) named[$"vision.hidden.{i}"] = hidden[i];
            for (int i = 0; i < decoded.Length; i++) named[$"decoder.hidden.{i}"] = decoded[i];
            foreach (Tensor tensor in named.Values) arena.Retain(tensor);
        });
        _backend.Upload(Values("pixel_values"), input);
        _backend.Upload(conditions, condition);
        replay.Run();

        var results = new Dictionary<string, float[]> { ["conditional_embeddings"] = conditions };
        foreach ((string name, Tensor tensor) in named) _backend.Download(tensor, results[name] = new float[tensor.Shape.Elements]);

        results["image_pooled_projection"] = ImageConditions("pixel_values", batch, grid);
        _backend.Upload(ImageConditions("conditional_pixel_values", batch, grid), condition);
        replay.Run();
        _backend.Download(named["logits"], results["image_prompt.logits"] = new float[results["logits"].Length]);
        return results;
    }

    public void Dispose()
    {
        _parameters.Dispose();
        _weights.Dispose();
        _case.Dispose();
        _backend.Dispose();
    }

    /// <summary>Only the real tokens run: each row of the padded ids is cut behind its first end token.</summary>
    float[] Conditions(int batch)
    {
        long[] ids = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(Entry("input_ids").Bytes).ToArray();
        int padded = ids.Length / batch;
        var conditions = new float[batch * Config.ProjectionSize];
        for (int row = 0; row < batch; row++)
        {
            int[] tokens = [.. ids.AsSpan(row * padded, padded).ToArray().Select(id => (int)id)];
            tokens = tokens[..(Array.IndexOf(tokens, EndToken) + 1)];
            using var arena = new Arena(_backend);
            Tensor input = arena.Keep(DType.I32, tokens.Length);
            var text = new ClipTextEncoder(Scope(arena, "clip"), Config.Text, Config.ProjectionSize, 1, tokens.Length);
            Tensor output = default;
            IReplay replay = arena.Capture(() => arena.Retain(output = text.Forward(input)));
            _backend.Upload(tokens, input);
            replay.Run();
            _backend.Download(output, conditions.AsSpan(row * Config.ProjectionSize, Config.ProjectionSize));
        }
        return conditions;
    }

    float[] ImageConditions(string pixels, int batch, Grid grid)
    {
        using var arena = new Arena(_backend);
        Tensor input = arena.Keep(DType.F32, batch, 3, grid.Height * Config.Vision.PatchSize, grid.Width * Config.Vision.PatchSize);
        var vision = new ClipVisionEncoder(Scope(arena, "clip.vision_model"), Config.Vision, batch, grid, Config.Vision.Layers - 1);
        var projection = new ClipImageProjection(Scope(arena, "clip"), Config.Vision, Config.ProjectionSize, batch, 1 + grid.Cells);
        Tensor output = default;
        IReplay replay = arena.Capture(() => arena.Retain(output = projection.Forward(vision.Forward(input)[^1])));
        _backend.Upload(Values(pixels), input);
        replay.Run();
        var conditions = new float[batch * Config.ProjectionSize];
        _backend.Download(output, conditions);
        return conditions;
    }

    LayerScope Scope(Arena arena, string path) => new(arena, _parameters, path);

    WeightEntry Entry(string tensor) => _case.TryFind(tensor, out WeightEntry entry) ? entry : throw new InvalidOperationException($"The case has no {tensor}.");
}
