using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.Layers;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Layers;
using ClipSegNative.Training;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Kernels.Emulation;

/// <summary>Gradients of decoders whose products take rounded operands, beside those of float32.</summary>
public sealed class MixedPrecisionTests
{
    const int Batch = 2;

    /// <summary>Of a tensor's largest gradient: what float32 differs by at most, and what rounded operands must stay within.</summary>
    const double Float32Noise = 1e-5, Rounding = 0.1;

    /// <summary>Of the largest of all: where a tensor's are smaller, they are differences of large ones.</summary>
    const double Negligible = 0.01;

    static readonly Grid Tokens = new(2, 1);

    static ClipSegConfig Config(string decoder) => decoder switch
    {
        "simple" => LayerTable.TinyTransformer,
        "refined" => LayerTable.TinyRefined,
        _ => LayerTable.TinyConv,
    };

    public static TheoryData<string> Decoders => ["simple", "refined", "convolutional"];

    [Fact]
    public void LinearBackward_Bf16_RoundsBothOperandsAndNoSum()
    {
        const float Lost = 1 + 1f / 512, Kept = 1 + 1f / 128;
        Assert.Equal(2, Sum(Lost, 1));
        Assert.Equal(2, Sum(1, Lost));
        Assert.Equal(2 * Kept, Sum(Kept, 1));
        Assert.Equal(2 * Kept * Kept, Sum(Kept, Kept));

        static float Sum(float x, float dy)
        {
            using CudaBackend backend = EmulatedDevice.CreateBackend(CudaPrecision.BFloat16);
            using DeviceMemory memory = backend.Allocate(1024);
            Tensor inputs = At(memory, 0, 2), outputs = At(memory, 256, 2), dw = At(memory, 512, 1);
            backend.Fill(x, inputs);
            backend.Fill(dy, outputs);
            backend.Fill(0, dw);
            backend.LinearBackward(inputs, outputs, dw, default);
            var sum = new float[1];
            backend.Download(dw, sum);
            return sum[0];
        }

        static Tensor At(DeviceMemory memory, long offset, int rows)
        {
            var storage = new Storage(DType.F32, rows);
            storage.Bind(memory, offset);
            return new Tensor(storage, 0, new Shape(rows, 1), 1);
        }
    }

    /// <summary>Matrices and kernels alike: forward, on the way back and in their own gradients.</summary>
    [Theory, MemberData(nameof(Decoders))]
    public void Accumulate_Bf16_IsRoundedAndStaysNearFloat32(string decoder)
    {
        Dictionary<string, float[]> expected = Gradients(decoder, CpuBackend.Create(threads: 1)), actual = Gradients(decoder, EmulatedDevice.CreateBackend(CudaPrecision.BFloat16));
        foreach ((string name, double difference) in Differences(expected, actual))
            Assert.InRange(difference, name.EndsWith("weight", StringComparison.Ordinal) ? Float32Noise : 0, Rounding);
    }

    /// <summary>
    /// An answer that is right, and sure of it: what is left to learn is below what fp16 can hold, so that without the scale only the last bias, whose
    /// gradient is a sum and no product, has one.
    /// </summary>
    [Theory, MemberData(nameof(Decoders))]
    public void Accumulate_Fp16SmallGradients_AreLostWithoutTheScale(string decoder)
    {
        Dictionary<string, float[]> expected = Gradients(decoder, CpuBackend.Create(threads: 1), sure: true);
        Dictionary<string, float[]> lost = Gradients(decoder, EmulatedDevice.CreateBackend(CudaPrecision.Float16), sure: true);
        Dictionary<string, float[]> kept = Gradients(decoder, EmulatedDevice.CreateBackend(CudaPrecision.Float16), sure: true, scale: 1 << 20);
        Assert.All(Differences(expected, kept), row => Assert.InRange(row.Difference, 0, Rounding));
        Assert.Single(lost.Values, values => values.Any(value => value != 0));
    }

    /// <param name="decoder">Which.</param>
    /// <param name="backend">Disposed.</param>
    /// <param name="sure">All background, and the decoder knows it.</param>
    /// <param name="scale">Of the loss, taken out of what is returned.</param>
    static Dictionary<string, float[]> Gradients(string decoder, IBackend backend, bool sure = false, double scale = 1)
    {
        using IBackend device = backend;
        ClipSegConfig config = Config(decoder);
        using var training = new DecoderTraining(
            device, config, new RandomWeightSource(ClipSegTensors.Decoder(config)), Batch, Tokens, new MaskLosses { CrossEntropy = 1 }, scalesLoss: scale > 1);
        if (scale > 1) training.ScaleLoss(scale);
        if (sure) MakeSure(training);
        var shape = new Shape(config.ExtractLayers.Count * (1 + Tokens.Cells), config.Vision.HiddenSize);
        using var cache = new FeatureCache(device, shape, memoryBytes: 0);
        float[] features = new float[shape.Elements], condition = new float[config.ProjectionSize];
        var target = new float[training.LogitHeight * training.LogitWidth];
        for (int place = 0; place < Batch; place++)
        {
            NormalNumbers.Fill(features, NormalNumbers.Stream((ulong)place, "features"), 0, 1);
            NormalNumbers.Fill(condition, NormalNumbers.Stream((ulong)place, "condition"), 0, 1);
            if (!sure) target.AsSpan(0, target.Length / 2).Fill(1);
            training.Place(place, cache.Get(key: null, values => device.Upload(features, values)), condition, target);
        }
        training.ZeroGradients();
        training.Accumulate([], []);
        return training.Tensors(ParameterBlock.Gradients).ToDictionary(tensor => tensor.Name, tensor =>
        {
            var values = new float[tensor.Shape.Elements];
            tensor.Fill(values);
            return Array.ConvertAll(values, value => (float)(value / scale));
        });
    }

    /// <summary>The last bias far below 0.</summary>
    static void MakeSure(DecoderTraining training)
    {
        var weights = new float[training.ParameterCount];
        training.Read(ParameterBlock.Weights, weights);
        int offset = 0;
        foreach ((_, Shape shape) in training.Parameters)
        {
            if (shape.Elements == 1) weights[offset] = -17;
            offset += (int)shape.Elements;
        }
        training.Write(ParameterBlock.Weights, weights);
    }

    /// <summary>The largest difference in a tensor, as a share of its largest value.</summary>
    static IEnumerable<(string Name, double Difference)> Differences(Dictionary<string, float[]> expected, Dictionary<string, float[]> actual)
    {
        double least = Negligible * expected.Values.Max(Largest);
        return expected.Select(tensor => (tensor.Key, tensor.Value.Zip(actual[tensor.Key], (e, a) => Math.Abs(e - a)).Max() / Math.Max(Largest(tensor.Value), least)));

        static double Largest(float[] values) => values.Max(Math.Abs);
    }
}
