using ClipSegNative.Backends.Cpu;
using ClipSegNative.Backends.Decorators;
using ClipSegNative.Imaging;
using ClipSegNative.Layers;
using ClipSegNative.Models;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Conformance;
using ClipSegNative.Tests.Reference;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Models.ClipSeg;

public sealed class ConvDecoderTests(TinyConvModel model) : IClassFixture<TinyConvModel>
{
    static readonly Grid Tokens = new(3, 2);

    /// <summary>CLIPSeg's transformer decoder has 1,127,009 parameters, or 1,073,153 with the simple upsampler.</summary>
    [Theory]
    [InlineData("clipseg-conv-small", 444_609)]
    [InlineData("clipseg-conv-base", 1_105_905)]
    [InlineData("clipseg-conv-large", 2_430_945)]
    public void Presets_Decoder_HasAsManyParametersAsTheDocsSay(string preset, long parameters) =>
        Assert.Equal(parameters, ClipSegTensors.Decoder(ClipSegConfig.Presets[preset]).Sum(tensor => tensor.Shape.Elements));

    [Theory, MemberData(nameof(Paths))]
    public void Forward_OnePictureTwoPrompts_AgreesWithTheNaiveComposition(string path)
    {
        var set = Enum.Parse<CpuInstructionSet>(path);
        CpuBackends.SkipUnlessTested(set);
        using var backend = new CheckedBackend(CpuBackend.Create(set, threads: 2), finite: true);
        using var weights = new PrefixedWeights(WeightFiles.Open(model.Folder));
        using var engine = new ClipSegModel(backend, TinyConvModel.Config, weights);
        using Plan plan = engine.DecodePlan(images: 1, prompts: 2, Tokens);
        float[][] inputs = [.. plan.Inputs.Select((input, i) => RandomInput(input, seed: i))];
        for (int i = 0; i < inputs.Length; i++) backend.Upload(inputs[i], plan.Inputs[i]);
        plan.Run();
        var logits = new float[plan.Outputs[0].Shape.Elements];
        backend.Download(plan.Outputs[0], logits);

        var naive = new NaiveConvDecoder(TinyConvModel.Config.Conv!, name => Values(weights, name));
        double[][] features = [.. inputs[..^1].Select(Widened)];
        double[] expected = [.. inputs[^1].Chunk(TinyConvModel.Config.ProjectionSize).SelectMany(condition => naive.Run(features, Widened(condition), Tokens.Height, Tokens.Width))];
        Assert.Equal(new Shape(2, Tokens.Height * 8, Tokens.Width * 8, 1), plan.Outputs[0].Shape);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], logits[i], 1e-4);
        Assert.True(expected.Max() - expected.Min() > 0.5, "The logits hardly differ: a part that does nothing would not be noticed.");
    }

    [Fact]
    public void Segmenter_ConvolutionalModel_FollowsPictureAndPhrase()
    {
        using Segmenter segmenter = Segmenter.Load(model.Folder);
        using EncodedImage first = segmenter.Encode(Noise(seed: 1)), second = segmenter.Encode(Noise(seed: 2));
        float[] cat = first.Segment("a cat")[0].Logits.ToArray();
        Assert.Equal(24 * 16, cat.Length);
        Assert.NotEqual(cat, first.Segment("the sofa")[0].Logits.ToArray());
        Assert.NotEqual(cat, second.Segment("a cat")[0].Logits.ToArray());
        IReadOnlyList<Segmentation> together = first.Segment("x", "y", "z", "the sofa", "a cat");
        Assert.Equal(cat, together[^1].Logits.ToArray());
    }

    public static TheoryData<string> Paths => [.. Enum.GetNames<CpuInstructionSet>()];

    static Picture Noise(int seed)
    {
        var pixels = new byte[40 * 30 * 3];
        new Random(seed).NextBytes(pixels);
        return Picture.FromRgb(pixels, 40, 30, 40 * 3);
    }

    static float[] RandomInput(Tensor input, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, (int)input.Shape.Elements).Select(_ => (float)(2 * random.NextDouble() - 1))];
    }

    static double[] Widened(float[] values) => [.. values.Select(value => (double)value)];

    static double[] Values(PrefixedWeights weights, string name) =>
        weights.TryFind(name, out WeightEntry entry) ? Widened(entry.Singles().ToArray()) : throw new InvalidOperationException($"There is no {name}.");
}
