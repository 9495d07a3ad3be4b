using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Layers;
using ClipSegNative.Models;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Backends;
using ClipSegNative.Tests.Layers;
using ClipSegNative.Tests.Weights;
using ClipSegNative.Training;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Models.ClipSeg;

public sealed class DecoderTrainingTests : IDisposable
{
    const int Batch = 2;

    static readonly Grid Tokens = new(2, 1);

    readonly IBackend _backend = CpuBackend.Create(threads: 2);
    readonly TemporaryFolder _folder = new();
    FeatureCache? _features;

    static ClipSegConfig Config(string decoder) => decoder switch
    {
        "simple" => LayerTable.TinyTransformer,
        "refined" => LayerTable.TinyRefined,
        _ => LayerTable.TinyConv,
    };

    public static TheoryData<string> Decoders => ["simple", "refined", "convolutional"];

    [Theory, MemberData(nameof(Decoders))]
    public void Step_Warm_AllocatesNothing(string decoder)
    {
        using DecoderTraining training = Create(decoder);
        (float[] values, float[] condition, float[] target) = Sample(training, decoder, seed: 1);
        Tensor features = OnDevice(decoder, values);
        float[] losses = new float[Batch], sums = new float[Batch * MaskLosses.Sums], logits = new float[Batch * target.Length];
        long step = 0;
        Assert.Equal(0, Allocations.Of(() =>
        {
            training.ZeroGradients();
            for (int i = 0; i < Batch; i++) training.Place(i, features, condition, target);
            training.Accumulate(losses, sums);
            training.Update(1e-3, 0.01, ++step, Math.Min(1, 1 / training.GradientNorm()));
            training.Forward(losses, sums, logits);
        }));
    }

    [Theory, MemberData(nameof(Decoders))]
    public void Update_ManySteps_LearnsTheBatch(string decoder)
    {
        using DecoderTraining training = Create(decoder);
        Fill(training, decoder, seed: 1);
        double first = Train(training, 1, 1);
        for (int step = 2; step <= 60; step++) Train(training, step, 1);
        Assert.True(Train(training, 61, 1) < first / 2, "The loss did not fall to a half.");
    }

    [Fact]
    public void Accumulate_TwoMicroBatches_IsTheMeanOfBoth()
    {
        using DecoderTraining both = Create("refined"), single = Create("refined");
        float[] first = Gradient(1), second = Gradient(2), mean = new float[both.ParameterCount];
        both.ZeroGradients();
        foreach (int seed in new[] { 1, 2 })
        {
            Fill(both, "refined", seed);
            both.Accumulate([], []);
        }
        both.Read(ParameterBlock.Gradients, mean);
        for (int i = 0; i < mean.Length; i++) Assert.Equal(first[i] + second[i], mean[i], 1e-6);
        Assert.Equal(Math.Sqrt(mean.Sum(value => (double)value * value)), both.GradientNorm(), 1e-6);

        float[] Gradient(int seed)
        {
            var gradient = new float[single.ParameterCount];
            Fill(single, "refined", seed);
            single.ZeroGradients();
            single.Accumulate([], []);
            single.Read(ParameterBlock.Gradients, gradient);
            return gradient;
        }
    }

    /// <summary>At the first step AdamW moves every parameter by the learning rate, whatever its gradient: the scale shows in the moments.</summary>
    [Fact]
    public void Update_GradientScale_ScalesTheMoments()
    {
        using DecoderTraining training = Create("simple");
        Fill(training, "simple", seed: 1);
        training.ZeroGradients();
        training.Accumulate([], []);
        float[] gradients = new float[training.ParameterCount], first = new float[gradients.Length], second = new float[gradients.Length];
        training.Update(1e-3, 0, step: 1, gradientScale: 0.25);
        training.Read(ParameterBlock.Gradients, gradients);
        training.Read(ParameterBlock.FirstMoments, first);
        training.Read(ParameterBlock.SecondMoments, second);
        for (int i = 0; i < gradients.Length; i++)
        {
            Assert.Equal(0.1 * 0.25 * gradients[i], first[i], 1e-8);
            Assert.Equal(0.001 * 0.0625 * gradients[i] * gradients[i], second[i], 1e-10);
        }
    }

    [Theory, MemberData(nameof(Decoders))]
    public void Restore_FromAFile_GoesOnToTheSameBits(string decoder)
    {
        string path = _folder["state.safetensors"];
        using DecoderTraining training = Create(decoder), resumed = Create(decoder);
        Fill(training, decoder, seed: 1);
        Fill(resumed, decoder, seed: 1);
        for (int step = 1; step <= 3; step++) Train(training, step, 1);
        ParameterBlock[] blocks = [ParameterBlock.Weights, ParameterBlock.FirstMoments, ParameterBlock.SecondMoments];
        SafetensorsWriter.Write(path, [.. blocks.SelectMany(block => training.Tensors(block, $"{block}."))]);
        using (var file = new SafetensorsFile(path))
            foreach (ParameterBlock block in blocks) resumed.Restore(block, file, $"{block}.");
        for (int step = 4; step <= 5; step++) Assert.Equal(Train(training, step, 1), Train(resumed, step, 1));
        foreach (ParameterBlock block in blocks)
        {
            float[] expected = new float[training.ParameterCount], values = new float[training.ParameterCount];
            training.Read(block, expected);
            resumed.Read(block, values);
            Assert.Equal(expected, values);
        }
    }

    [Fact]
    public void Write_EarlierWeights_GivesEarlierLosses()
    {
        using DecoderTraining training = Create("refined");
        Fill(training, "refined", seed: 1);
        var weights = new float[training.ParameterCount];
        training.Read(ParameterBlock.Weights, weights);
        double before = Train(training, 1, 1);
        Assert.NotEqual(before, Train(training, 2, 1));
        training.Write(ParameterBlock.Weights, weights);
        Assert.Equal(before, Train(training, 3, 1));
    }

    [Fact]
    public void Restore_AnotherDecodersFile_NamesTheTensor()
    {
        string path = _folder["state.safetensors"];
        using DecoderTraining simple = Create("simple"), refined = Create("refined");
        SafetensorsWriter.Write(path, simple.Tensors(ParameterBlock.Weights));
        using var file = new SafetensorsFile(path);
        var error = Assert.Throws<ModelFileException>(() => refined.Restore(ParameterBlock.Weights, file));
        Assert.Contains("'decoder.transposed_convolution.0.weight' [4,4,3,3] is missing", error.Message);
    }

    /// <summary>What the trainer saves is what the other plans load: features, conditions and logits agree with those of inference.</summary>
    [Theory, MemberData(nameof(Decoders))]
    public void Forward_TrainedAndSaved_EqualsInference(string decoder)
    {
        ClipSegConfig config = Config(decoder);
        using DecoderTraining training = Create(decoder);
        int tokens = (1 + Tokens.Cells) * config.Vision.HiddenSize;
        var pixels = new float[3 * Tokens.Cells * config.Vision.PatchSize * config.Vision.PatchSize];
        NormalNumbers.Fill(pixels, NormalNumbers.Stream(1, "pixels"), 0, 1);
        (float[] features, float[] condition, float[] target) = Sample(training, decoder, seed: 1);
        using (var untrained = new ClipSegModel(_backend, config, new RandomWeightSource(ClipSegTensors.All(config))))
        using (Plan plan = untrained.FeaturePlan(batch: 1, Tokens))
        {
            _backend.Upload(pixels, plan.Inputs[0]);
            plan.Run();
            for (int i = 0; i < plan.Outputs.Length; i++) _backend.Download(plan.Outputs[i], features.AsSpan(i * tokens, tokens));
        }
        for (int i = 0; i < Batch; i++) training.Place(i, OnDevice(decoder, features), condition, target);
        for (int step = 1; step <= 2; step++) Train(training, step, 1);
        var logits = new float[Batch * target.Length];
        training.Forward([], [], logits);

        IEnumerable<WeightToWrite> towers = new RandomWeightSource(ClipSegTensors.All(config)).ToWrite().Where(tensor => !tensor.Name.StartsWith("decoder.", StringComparison.Ordinal));
        SafetensorsWriter.Write(_folder[WeightFiles.Single], [.. towers, .. training.Tensors(ParameterBlock.Weights)]);
        using IWeightSource saved = WeightFiles.Open(_folder.Location);
        ClipSegTensors.Verify(saved, config);
        using var model = new ClipSegModel(_backend, config, saved);
        using Plan encode = model.EncodePlan(batch: 1, Tokens), decode = model.DecodePlan(images: 1, prompts: 1, Tokens);
        _backend.Upload(pixels, encode.Inputs[0]);
        encode.Run();
        for (int i = 0; i < encode.Outputs.Length; i++) _backend.Copy(encode.Outputs[i], decode.Inputs[i]);
        _backend.Upload(condition, decode.Inputs[^1]);
        decode.Run();
        var expected = new float[target.Length];
        _backend.Download(decode.Outputs[0], expected);
        for (int i = 0; i < logits.Length; i++) Assert.Equal(expected[i % expected.Length], logits[i], 1e-5);
    }

    [Fact]
    public void Forward_SameBatch_HasTheLossesOfAccumulate()
    {
        using DecoderTraining training = Create("refined");
        Fill(training, "refined", seed: 1);
        float[] learned = new float[Batch], seen = new float[Batch];
        float[] learnedSums = new float[Batch * MaskLosses.Sums], seenSums = new float[Batch * MaskLosses.Sums];
        training.Accumulate(learned, learnedSums);
        training.Forward(seen, seenSums, []);
        Assert.Equal(learned, seen);
        Assert.Equal(learnedSums, seenSums);
    }

    public void Dispose()
    {
        _features?.Dispose();
        _backend.Dispose();
        _folder.Dispose();
    }

    DecoderTraining Create(string decoder) => new(
        _backend, Config(decoder), new RandomWeightSource(ClipSegTensors.Decoder(Config(decoder))), Batch, Tokens, new MaskLosses { CrossEntropy = 1, Dice = 1 });

    static double Train(DecoderTraining training, int step, double scale)
    {
        var losses = new float[Batch];
        training.ZeroGradients();
        training.Accumulate(losses, []);
        training.Update(0.02, 0.01, step, scale);
        return losses.Average();
    }

    /// <summary>Valid until the next.</summary>
    Tensor OnDevice(string decoder, float[] features)
    {
        _features?.Dispose();
        int columns = Config(decoder).Vision.HiddenSize;
        _features = new FeatureCache(_backend, new Shape(features.Length / columns, columns), memoryBytes: 0);
        return _features.Get(key: null, values => _backend.Upload(features, values));
    }

    void Fill(DecoderTraining training, string decoder, int seed)
    {
        for (int i = 0; i < Batch; i++)
        {
            (float[] features, float[] condition, float[] target) = Sample(training, decoder, seed * Batch + i);
            training.Place(i, OnDevice(decoder, features), condition, target);
        }
    }

    static (float[] Features, float[] Condition, float[] Target) Sample(DecoderTraining training, string decoder, int seed)
    {
        ClipSegConfig config = Config(decoder);
        float[] features = new float[config.ExtractLayers.Count * (1 + Tokens.Cells) * config.Vision.HiddenSize], condition = new float[config.ProjectionSize];
        NormalNumbers.Fill(features, NormalNumbers.Stream((ulong)seed, "features"), 0, 1);
        NormalNumbers.Fill(condition, NormalNumbers.Stream((ulong)seed, "condition"), 0, 1);
        var target = new float[training.LogitHeight * training.LogitWidth];
        for (int i = 0; i < target.Length; i++) target[i] = i * 2 / target.Length ^ seed & 1;   // one half of the map, by turns the upper and the lower
        return (features, condition, target);
    }
}
