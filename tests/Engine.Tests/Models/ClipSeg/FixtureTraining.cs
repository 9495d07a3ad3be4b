using ClipSegNative.Backends;
using ClipSegNative.Layers;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Training;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Models.ClipSeg;

/// <summary>The decoder of a tiny model of the reference implementation, with the reference's hidden states and the target in place.</summary>
sealed class FixtureTraining : IDisposable
{
    readonly FixtureModel _model;
    readonly PrefixedWeights _weights;

    public FixtureTraining(string name, IBackend device, MaskLosses losses, bool scalesLoss = false)
    {
        _model = new FixtureModel(name, device);
        _weights = new PrefixedWeights(WeightFiles.Open(TestData.Fixture(name)));
        Shape target = _model.Shape("target");
        int batch = target[0], patch = _model.Config.Vision.PatchSize;
        Decoder = new DecoderTraining(device, _model.Config, _weights, batch, new Grid(target[1] / patch, target[2] / patch), losses, scalesLoss);
        float[][] hidden = [.. _model.Config.ExtractLayers.Select(layer => Expected($"vision.hidden.{layer + 1}"))];
        float[] conditions = Expected("conditional_embeddings"), targets = _model.Values("target");
        int tokens = 1 + target[1] / patch * (target[2] / patch);
        using var features = new FeatureCache(device, new Shape(hidden.Length * tokens, _model.Config.Vision.HiddenSize), memoryBytes: 0);
        for (int i = 0; i < batch; i++)
        {
            Tensor values = features.Get(key: null, slot => device.Upload([.. hidden.SelectMany(layer => Part(layer, i, batch))], slot));
            Decoder.Place(i, values, Part(conditions, i, batch), Part(targets, i, batch));
        }
    }

    public DecoderTraining Decoder { get; }

    public float[] Expected(string tensor) => _model.Values($"expected.{tensor}");

    /// <summary>The mean loss of the one batch, and its gradient added to what is there.</summary>
    public double Accumulate()
    {
        var losses = new float[Decoder.Batch];
        Decoder.Accumulate(losses, []);
        return losses.Average();
    }

    /// <summary>One step on the one batch; the loss before it.</summary>
    /// <param name="number">From 1.</param>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="lossScale">As told to the decoder before.</param>
    public double Step(int number, double learningRate, double lossScale = 1)
    {
        Decoder.ZeroGradients();
        double loss = Accumulate();
        Decoder.Update(learningRate, weightDecay: 0.01, number, gradientScale: 1 / lossScale);
        return loss;
    }

    public Dictionary<string, float[]> Gradients() => Decoder.Tensors(ParameterBlock.Gradients).ToDictionary(tensor => tensor.Name, tensor =>
    {
        var values = new float[tensor.Shape.Elements];
        tensor.Fill(values);
        return values;
    });

    public void Dispose()
    {
        Decoder.Dispose();
        _weights.Dispose();
        _model.Dispose();
    }

    static float[] Part(float[] values, int index, int count) => values[(values.Length / count * index)..(values.Length / count * (index + 1))];
}
