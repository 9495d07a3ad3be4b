using ClipSegNative.Backends;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.Tests;
using ClipSegNative.Tests.Conformance;
using ClipSegNative.Tests.Kernels.Emulation;
using ClipSegNative.Tests.Layers;
using ClipSegNative.Tests.Models.ClipSeg;
using ClipSegNative.Training;

namespace ClipSegNative.GpuChecks;

/// <summary>The tests' cases on a device. Each is a line; one that fails does not end the others.</summary>
/// <param name="open">Opens the device anew; each layer and model has its own.</param>
/// <param name="precision">Of its products.</param>
/// <param name="output">Gets the lines.</param>
sealed class CheckList(Func<CudaBackend> open, CudaPrecision precision, TextWriter output)
{
    /// <summary>For fp16, by a few halvings.</summary>
    const double TooLarge = 1L << 40;

    static readonly string[] Models = ["clipseg-tiny-simple", "clipseg-tiny-refined"];

    public int Count { get; private set; }

    public int Failures { get; private set; }

    /// <summary>The op table against the reference; the first case of each operation again, and replayed.</summary>
    /// <param name="filter">Only operations of this name; null for all.</param>
    public void Operations(string? filter)
    {
        using CudaBackend backend = open();
        foreach (IGrouping<string, OpCase> operation in OpTable.All.Where(op => filter is null || op.Operation == filter).GroupBy(op => op.Operation))
        {
            Check(operation.Key, () =>
            {
                OpCase first = operation.First();
                float[] once = first.Run(backend);
                SameBits("again", once, first.Run(backend));
                SameBits("replayed", once, first.Replay(backend));
                return operation.Max(op => CudaTolerance.Of(op, precision) is { } tolerance ? Difference.Of(op.Expected, op.Run(backend), tolerance).Share : 0);
            });
        }
    }

    /// <summary>Layers forward and backward against double precision; in float32.</summary>
    /// <param name="filter">Only the layer of this name; null for all.</param>
    public void Layers(string? filter)
    {
        foreach (LayerCase layer in LayerTable.All.Where(layer => filter is null || layer.Name == filter))
        {
            Check(layer.Name, () =>
            {
                using LayerRun expected = new(layer, _ => true), actual = new(layer, _ => true, open());
                expected.Run();
                actual.Run();
                return Difference.Of(expected.Everything(), actual.Everything(), CudaTolerance.Layer).Share;
            });
        }
    }

    /// <summary>The tiny models of the reference implementation: logits, twenty steps of training, and in fp16 that the loss scale finds its way.</summary>
    public void WholeModels()
    {
        foreach (string name in Models)
        {
            Check($"{name}, logits", () =>
            {
                using var model = new FixtureModel(name, open(), finite: false);
                return Difference.Of(model.Values("expected.logits"), model.Compute()["logits"], CudaTolerance.Model(precision)).Share;
            });
            Check($"{name}, training", () =>
            {
                using FixtureTraining training = Training(name);
                double scale = training.Decoder.ScalesLoss ? LossScale.Start.Value : 1;
                if (training.Decoder.ScalesLoss) training.Decoder.ScaleLoss(scale);
                float[] losses = training.Expected("train.dice_losses"), rates = training.Expected("train.lrs");
                return Difference.Of(losses, [.. losses.Select((_, i) => (float)training.Step(i + 1, rates[i], scale))], CudaTolerance.Training).Share;
            });
            if (precision == CudaPrecision.Float16) Check($"{name}, loss scale", () => LossScaleFinds(name));
        }
    }

    FixtureTraining Training(string name) => new(name, open(), new MaskLosses { Dice = 1 }, scalesLoss: precision == CudaPrecision.Float16);

    /// <summary>From a scale beyond fp16 it comes down to one that fits, and the gradient there is that of the usual scale.</summary>
    double LossScaleFinds(string name)
    {
        using FixtureTraining training = Training(name);
        double expected = Length(LossScale.Start.Value), length;
        var scale = new LossScale(TooLarge, 0, 0);
        do
        {
            length = Length(scale.Value);
            scale = scale.After(double.IsFinite(length));
        }
        while (!double.IsFinite(length));
        if (scale.Skipped == 0) Assert.Fail($"A loss scale of {TooLarge} is not too large.");
        return Difference.Of([(float)expected], [(float)length], new Tolerance(0, 2e-2)).Share;

        double Length(double scale)
        {
            training.Decoder.ScaleLoss(scale);
            training.Decoder.ZeroGradients();
            training.Decoder.Accumulate([], []);
            return training.Decoder.GradientNorm() / scale;
        }
    }

    /// <param name="name">What is checked.</param>
    /// <param name="run">Gives the share of the tolerance that was used.</param>
    void Check(string name, Func<double> run)
    {
        Count++;
        try
        {
            output.WriteLine(FormattableString.Invariant($"{name}: at worst {run():0.00} of the tolerance"));
        }
        catch (Exception error) when (error is CheckFailedException or DeviceException)
        {
            Failures++;
            output.WriteLine($"FAILED {name}: {error.Message}");
        }
    }

    static void SameBits(string how, float[] once, float[] twice)
    {
        for (int i = 0; i < once.Length; i++)
            if (BitConverter.SingleToInt32Bits(once[i]) != BitConverter.SingleToInt32Bits(twice[i])) Assert.Fail($"Run {how}, element {i} is {twice[i]:R} instead of {once[i]:R}.");
    }
}
