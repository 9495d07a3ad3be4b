using ClipSegNative.Backends;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.Imaging;
using ClipSegNative.Tests.Conformance;
using ClipSegNative.Tests.Models.ClipSeg;

namespace ClipSegNative.Tests.Kernels.Emulation;

/// <summary>Whole models on the CUDA backend, its kernels interpreted: against the reference implementation, and against the CPU.</summary>
public sealed class CudaModelTests
{
    static readonly Tolerance Exact = CudaTolerance.Model(CudaPrecision.Float32);

    public static TheoryData<string, string> ModelsAndPrecisions => new MatrixTheoryData<string, string>(
        Models.Select(row => row.Data), [nameof(CudaPrecision.Float32), nameof(CudaPrecision.BFloat16), nameof(CudaPrecision.Float16)]);

    public static TheoryData<string> Models => ["clipseg-tiny-simple", "clipseg-tiny-refined"];

    [Theory, MemberData(nameof(Models))]
    public void Forward_Recorded_EqualsEveryReferenceTensorAndTheBitsOfEager(string name)
    {
        using var model = new FixtureModel(name, EmulatedDevice.CreateBackend(), finite: false);
        using var eager = new FixtureModel(name, EmulatedDevice.CreateBackend(eager: true));
        Dictionary<string, float[]> results = model.Compute(), again = eager.Compute();
        Assert.Equal(2 * (1 + 1) + (model.Config.Vision.Layers + 1) + model.Config.ExtractLayers.Count, results.Count);
        foreach ((string tensor, float[] values) in results)
        {
            Difference.Of(model.Values($"expected.{tensor}"), values, Exact);
            Assert.Equal(values, again[tensor]);
        }
    }

    [Theory, MemberData(nameof(Models))]
    public void Forward_Bf16_StaysNearTheReference(string name)
    {
        using var model = new FixtureModel(name, EmulatedDevice.CreateBackend(CudaPrecision.BFloat16), finite: false);
        float[] expected = model.Values("expected.logits");
        Difference.Of(expected, model.Compute()["logits"], CudaTolerance.Model(CudaPrecision.BFloat16));
    }

    [Theory, MemberData(nameof(ModelsAndPrecisions))]
    public void Update_TwentySteps_FollowsTheReference(string name, string precision)
    {
        var rounding = Enum.Parse<CudaPrecision>(precision);
        double scale = rounding == CudaPrecision.Float16 ? 1 << 16 : 1;
        using var training = new FixtureTraining(name, EmulatedDevice.CreateBackend(rounding), new MaskLosses { Dice = 1 }, scalesLoss: scale > 1);
        if (scale > 1) training.Decoder.ScaleLoss(scale);
        float[] losses = training.Expected("train.dice_losses"), rates = training.Expected("train.lrs");
        float[] actual = [.. losses.Select((_, i) => (float)training.Step(i + 1, rates[i], scale))];
        Difference.Of(losses, actual, CudaTolerance.Training);
    }

    [Fact]
    public void Segmenter_TransformerDecoder_AgreesWithTheCpu()
    {
        using var model = new TinyModel();
        AgreesWithTheCpu(model.Folder);
    }

    [Fact]
    public void Segmenter_ConvolutionalDecoder_AgreesWithTheCpu()
    {
        using var model = new TinyConvModel();
        AgreesWithTheCpu(model.Folder);
    }

    [Fact]
    public void Segmenter_OutOfDeviceMemory_LosesNothing()
    {
        using var model = new TinyModel();
        var runtime = new EmulatedRuntime(EmulatedDevice.Create());
        using Segmenter segmenter = Segmenter.Load(model.Folder, new SegmenterOptions { Backend = () => new CudaBackend(runtime) });
        using EncodedImage image = segmenter.Encode(Noise());
        float[] before = image.Segment("a cat")[0].Logits.ToArray();
        image.Segment("a dog", "the sky");
        runtime.Memory = runtime.Used + 1000;
        Assert.Throws<DeviceException>(() => image.Segment("a cat", "a dog", "the sky"));
        Assert.Equal(runtime.Memory - 1000, runtime.Used);
        Assert.Equal(before, image.Segment("a cat")[0].Logits.ToArray());
        runtime.Memory = long.MaxValue;
        Assert.Equal(3, image.Segment("a cat", "a dog", "the sky").Count);
    }

    static Picture Noise()
    {
        var pixels = new byte[77 * 33 * 3];
        new Random(1).NextBytes(pixels);
        return Picture.FromRgb(pixels, 77, 33, 77 * 3);
    }

    static void AgreesWithTheCpu(string folder)
    {
        using Segmenter cpu = Segmenter.Load(folder), cuda = Segmenter.Load(folder, new SegmenterOptions { Backend = () => EmulatedDevice.CreateBackend() });
        Assert.StartsWith("cuda", cuda.Device, StringComparison.Ordinal);
        Picture picture = Noise();
        Prompt[] prompts = ["a cat", "sky", "a", "the red thing on the left", "cats"];
        using EncodedImage expected = cpu.Encode(picture), actual = cuda.Encode(picture);
        IReadOnlyList<Segmentation> masks = expected.Segment(prompts), found = actual.Segment(prompts);
        for (int i = 0; i < masks.Count; i++) Difference.Of(masks[i].Logits.ToArray(), found[i].Logits.ToArray(), Exact);
        Difference.Of(expected.Segment(cpu.Like(picture))[0].Logits.ToArray(), actual.Segment(cuda.Like(picture))[0].Logits.ToArray(), Exact);
    }
}
