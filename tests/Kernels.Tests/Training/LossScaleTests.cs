using ClipSegNative.Training;

namespace ClipSegNative.Tests.Kernels.Training;

/// <summary>Whole runs of training in fp16, on an emulated device.</summary>
public sealed class LossScaleTests : IDisposable
{
    /// <summary>Beyond what the gradients of these runs leave room for, by a few halvings.</summary>
    const double TooMuch = 1L << 40;

    readonly EmulatedRun _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public void After_GoodSteps_DoublesWhenThereWereEnough()
    {
        LossScale scale = LossScale.Start;
        for (int step = 0; step < 1999; step++) scale = scale.After(fitted: true);
        Assert.Equal(new LossScale(65536, 1999, 0), scale);
        Assert.Equal(new LossScale(131072, 0, 0), scale.After(fitted: true));
        Assert.Equal(new LossScale(32768, 0, 1), scale.After(fitted: false));
        for (int step = 0; step < 100_000; step++) scale = scale.After(fitted: true);
        Assert.Equal(1 << 24, scale.Value);
    }

    [Fact]
    public void Train_Overflow_HalvesAndSkipsAndChangesNothing()
    {
        _run.Train("run", steps: 1, "fp16");
        _run.SetLossScale("run", TooMuch);
        Dictionary<string, float[]> before = _run.Tensors("run");
        TrainingState state = _run.Train("run", steps: 3, "fp16");
        Assert.Equal(new LossScale(TooMuch / 4, 0, Skipped: 2), state.LossScale);
        Assert.Equal((3, 6), (state.Step, state.Sample));
        Assert.Equal(before, _run.Tensors("run"));
        string warning = Assert.Single(_run.Warnings);
        Assert.StartsWith("step 2: the gradient is beyond fp16 at a loss scale of 1099511627776, so", warning, StringComparison.Ordinal);
    }

    /// <summary>Skipped steps do not count for AdamW: the first one that is taken moves a parameter by the learning rate.</summary>
    [Fact]
    public void Train_SkippedThenTaken_IsTheFirstStep()
    {
        const string Parameter = "decoder.film_mul.bias";
        _run.Train("run", steps: 1, "fp16", until: 0);
        _run.SetLossScale("run", TooMuch);
        float before = _run.Tensors("run")[Parameter][0];
        int step = 0;
        while (_run.Train("run", ++step, "fp16", change: settings => settings with { WeightDecay = 0 }).LossScale.Steps == 0) Assert.InRange(step, 1, 40);
        Assert.InRange(step, 3, 40);
        Assert.Equal(1e-3, Math.Abs(_run.Tensors("run")[Parameter][0] - before), 1e-5);
    }

    [Fact]
    public void Train_InterruptedWhileTheScaleMoves_ResumesToTheSameBits()
    {
        foreach (string run in new[] { "whole", "again", "broken" })
        {
            _run.Train(run, steps: 6, "fp16", until: 0);
            _run.SetLossScale(run, 1 << 26);
        }
        TrainingState whole = _run.Train("whole", steps: 6, "fp16");
        Assert.InRange(whole.LossScale.Skipped, 1, 5);
        Assert.Equal(whole, _run.Train("again", steps: 6, "fp16"));
        for (int until = 1; until <= 6; until++) _run.Train("broken", steps: 6, "fp16", until);
        Assert.Equal(_run.Bytes("whole"), _run.Bytes("again"));
        Assert.Equal(_run.Bytes("whole"), _run.Bytes("broken"));
    }

    /// <summary>Nothing goes into the upsampler, and large weights make little of it; the gradient on its way back meets all of them.</summary>
    [Fact]
    public void Train_OverflowAtScaleOne_IsDiagnosed()
    {
        _run.Train("run", steps: 1, "fp16", until: 0);
        _run.SetLossScale("run", 1, (name, values) =>
        {
            if (name.StartsWith("decoder.layers.1.layer_norm2", StringComparison.Ordinal)) values.AsSpan().Clear();
            if (name == "decoder.transposed_convolution.0.bias") values.AsSpan().Fill(1e-3f);
            if (name is "decoder.transposed_convolution.2.weight" or "decoder.transposed_convolution.4.weight") values.AsSpan().Fill(6000);
        });
        var error = Assert.Throws<TrainingException>(() => _run.Train("run", steps: 1, "fp16"));
        Assert.Matches("^step 1: the gradient's length is .* or --precision bf16\\.$", error.Message);
        Assert.Empty(_run.Warnings);
    }

    [Fact]
    public void Train_Fp32_KeepsNoScale()
    {
        TrainingState state = _run.Train("run", steps: 2);
        Assert.Equal(LossScale.Start, state.LossScale);
        Assert.DoesNotContain("loss_scale", System.Text.Encoding.ASCII.GetString(_run.Bytes("run")), StringComparison.Ordinal);
    }
}
