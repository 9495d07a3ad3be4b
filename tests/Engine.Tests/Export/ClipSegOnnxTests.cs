using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Export;
using ClipSegNative.Layers;
using ClipSegNative.Models;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Weights;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace ClipSegNative.Tests.Export;

/// <summary>ONNX Runtime, which shares no code with the engine, runs the exported graphs: an independent check of both.</summary>
public sealed class ClipSegOnnxTests : IDisposable
{
    const int EndToken = 599;
    const float Tolerance = 1e-4f;

    static readonly Grid Grid = new(4, 6);   // not the native grid, not square: positions are resampled

    static readonly Dictionary<string, ClipSegConfig> Configs = new()
    {
        ["refined"] = TinyModel.Config,
        ["simple, conditioned late"] = TinyModel.Config with { ComplexUpsampler = false, ConditionalLayer = 1, Vision = TinyModel.Config.Vision with { Activation = Activation.Gelu } },
        ["convolutional"] = TinyModel.Config with { Conv = new ConvDecoderConfig { Channels = [16, 16, 8, 8, 8], Groups = 4 } },
    };

    readonly string _folder = Directory.CreateTempSubdirectory("clipseg-onnx").FullName;

    public static TheoryData<string> Names => [.. Configs.Keys];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory, MemberData(nameof(Names))]
    public void Whole_OnePictureManyPrompts_EqualsTheEngine(string name) => Compare(Configs[name], pictures: 1, prompts: 3, halve: false, Tolerance);

    [Theory, MemberData(nameof(Names))]
    public void Whole_APictureForEachPrompt_EqualsTheEngine(string name) => Compare(Configs[name], pictures: 2, prompts: 2, halve: false, Tolerance);

    [Fact]
    public void Whole_HalvedWeights_IsNearAndHalfAsLarge()
    {
        long whole = Compare(Configs["refined"], pictures: 1, prompts: 1, halve: false, Tolerance), half = Compare(Configs["refined"], pictures: 1, prompts: 1, halve: true, tolerance: 0.02f);
        Assert.InRange(half, 0.4 * whole, 0.7 * whole);
    }

    [Fact]
    public void Text_PaddedBehindTheEndToken_IsTheSame()
    {
        using PrefixedWeights weights = Weights(TinyModel.Config);
        using InferenceSession text = Session(new ClipSegOnnx(TinyModel.Config, weights, Grid, EndToken, halve: false).Text());
        float[] exact = Run(text, ("input_ids", Ids([598, 5, 6, EndToken], 1))), padded = Run(text, ("input_ids", Ids([598, 5, 6, EndToken, EndToken, 7, 8], 1)));
        Assert.Equal(exact.Length, padded.Length);
        for (int i = 0; i < exact.Length; i++) Assert.Equal(exact[i], padded[i], 1e-5f);
    }

    /// <returns>The size of the whole graph's file.</returns>
    long Compare(ClipSegConfig config, int pictures, int prompts, bool halve, float tolerance)
    {
        var random = new Random(3);
        int patch = config.Vision.PatchSize, side = config.LogitsPerPatch;
        float[] pixels = [.. Enumerable.Range(0, pictures * 3 * Grid.Cells * patch * patch).Select(_ => random.NextSingle() * 4 - 2)];
        int[] ids = [.. Enumerable.Range(0, prompts).SelectMany(_ => (int[])[598, random.Next(500), random.Next(500), random.Next(500), EndToken])];
        using PrefixedWeights weights = Weights(config);
        float[] expected = Engine(config, weights, pixels, ids, pictures, prompts);
        Assert.True(expected.Max() - expected.Min() > 0.1f, "the logits have no spread to compare");

        var graphs = new ClipSegOnnx(config, weights, Grid, EndToken, halve);
        DenseTensor<float> pixelTensor = new(pixels, [pictures, 3, Grid.Height * patch, Grid.Width * patch]);
        using InferenceSession whole = Session(graphs.Whole()), vision = Session(graphs.Vision()), text = Session(graphs.Text()), decoder = Session(graphs.Decoder());
        using var outputs = whole.Run([NamedOnnxValue.CreateFromTensor("pixel_values", pixelTensor), NamedOnnxValue.CreateFromTensor("input_ids", Ids(ids, prompts))]);
        Assert.Equal([prompts, Grid.Height * side, Grid.Width * side], outputs[0].AsTensor<float>().Dimensions.ToArray());
        AssertNear(expected, [.. outputs[0].AsEnumerable<float>()], tolerance);

        using var features = vision.Run([NamedOnnxValue.CreateFromTensor("pixel_values", pixelTensor)]);
        using var condition = text.Run([NamedOnnxValue.CreateFromTensor("input_ids", Ids(ids, prompts))]);
        using var decoded = decoder.Run([.. features.Concat(condition).Select(value => NamedOnnxValue.CreateFromTensor(value.Name, value.AsTensor<float>()))]);
        AssertNear(expected, [.. decoded[0].AsEnumerable<float>()], tolerance);
        return new FileInfo(Path.Combine(_folder, "clipseg.onnx")).Length;
    }

    static float[] Engine(ClipSegConfig config, IWeightSource weights, float[] pixels, int[] ids, int pictures, int prompts)
    {
        using IBackend backend = CpuBackend.Create(threads: 1);
        using var model = new ClipSegModel(backend, config, weights);
        using Plan encode = model.EncodePlan(pictures, Grid), text = model.TextPlan(prompts, ids.Length / prompts), decode = model.DecodePlan(pictures, prompts, Grid);
        backend.Upload(pixels, encode.Inputs[0]);
        encode.Run();
        backend.Upload(ids, text.Inputs[0]);
        backend.Upload((int[])[.. Enumerable.Range(1, prompts).Select(prompt => prompt * (ids.Length / prompts) - 1)], text.Inputs[1]);
        text.Run();
        for (int i = 0; i < encode.Outputs.Length; i++) backend.Copy(encode.Outputs[i], decode.Inputs[i]);
        backend.Copy(text.Outputs[0].Reshape(prompts, config.ProjectionSize), decode.Inputs[^1]);
        decode.Run();
        var logits = new float[prompts * Grid.Cells * config.LogitsPerPatch * config.LogitsPerPatch];
        backend.Download(decode.Outputs[0], logits);
        return logits;
    }

    PrefixedWeights Weights(ClipSegConfig config)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, Guid.NewGuid().ToString("N"))).FullName;
        RandomWeights.Write(folder, config, seed: 5);
        return new PrefixedWeights(WeightFiles.Open(folder));
    }

    InferenceSession Session(OnnxGraph graph)
    {
        string path = Path.Combine(_folder, $"{graph.Name}.onnx");
        OnnxFile.Write(path, graph, "test", CancellationToken.None);
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        return new InferenceSession(path, options);
    }

    static float[] Run(InferenceSession session, (string Name, DenseTensor<long> Value) input)
    {
        using var outputs = session.Run([NamedOnnxValue.CreateFromTensor(input.Name, input.Value)]);
        return [.. outputs[0].AsEnumerable<float>()];
    }

    static DenseTensor<long> Ids(int[] ids, int prompts) => new(ids.Select(id => (long)id).ToArray(), [prompts, ids.Length / prompts]);

    static void AssertNear(float[] expected, float[] actual, float tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        float worst = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(worst <= tolerance, $"logits differ by {worst}, allowed are {tolerance}");
    }
}
