using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Layers;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tests.Weights;
using ClipSegNative.Training;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Training;

public sealed class TrainingStateTests : IDisposable
{
    static readonly TrainingState Somewhere = new(Step: 12, Sample: 96, Judged: 10, BestScore: 1.0 / 3, BestStep: 5, Worse: 1) { LossScale = new LossScale(8, 17, 3) };

    readonly TemporaryFolder _folder = new();
    readonly TinyModel _model = new();
    readonly IBackend _backend = CpuBackend.Create(set: null, threads: 1);

    public void Dispose()
    {
        _backend.Dispose();
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Restore_WhatWasWritten_GivesEveryBit()
    {
        var blocks = new Dictionary<ParameterBlock, float[]>();
        using (DecoderTraining written = Decoder(TinyModel.Config))
        {
            foreach (ParameterBlock block in new[] { ParameterBlock.Weights, ParameterBlock.FirstMoments, ParameterBlock.SecondMoments })
            {
                blocks[block] = [.. Enumerable.Range(0, written.ParameterCount).Select(i => (i + 1) / (3f + (int)block))];
                written.Write(block, blocks[block]);
            }
            Somewhere.Write(_folder["last"], written);
        }
        using DecoderTraining restored = Decoder(TinyModel.Config);
        Assert.Equal(Somewhere, TrainingState.Restore(_folder["last"], restored));
        foreach ((ParameterBlock block, float[] expected) in blocks)
        {
            var values = new float[expected.Length];
            restored.Read(block, values);
            Assert.Equal(expected, values);
        }
    }

    [Fact]
    public void Restore_BeforeTheFirstValidation_KnowsThatThereWasNone()
    {
        using DecoderTraining decoder = Decoder(TinyModel.Config);
        TrainingState.Start.Write(_folder["last"], decoder);
        Assert.Equal(double.NegativeInfinity, TrainingState.Restore(_folder["last"], decoder).BestScore);
    }

    /// <summary>As every checkpoint had it once.</summary>
    [Fact]
    public void Restore_NoLossScale_IsTheFirst()
    {
        using DecoderTraining decoder = Decoder(TinyModel.Config);
        TrainingState.Start.Write(_folder["last"], decoder);
        using (var file = new SafetensorsFile(_folder["last"])) Assert.DoesNotContain("loss_scale", file.Metadata.Keys);
        Assert.Equal(LossScale.Start, TrainingState.Restore(_folder["last"], decoder).LossScale);
    }

    [Fact]
    public void Restore_OtherDecoder_IsRefused()
    {
        using (DecoderTraining decoder = Decoder(TinyModel.Config)) Somewhere.Write(_folder["last"], decoder);
        RandomWeights.Write(_folder["other"], TinyModel.Config with { ReduceSize = 8 }, seed: 1);
        using var weights = new SafetensorsFile(Path.Combine(_folder["other"], WeightFiles.Single));
        using var other = new DecoderTraining(_backend, TinyModel.Config with { ReduceSize = 8 }, weights, batch: 1, new Grid(4, 6), new MaskLosses { Dice = 1 });
        Assert.Throws<ModelFileException>(() => TrainingState.Restore(_folder["last"], other));
    }

    [Fact]
    public void Restore_OnlyWeights_IsRefused()
    {
        using DecoderTraining decoder = Decoder(TinyModel.Config);
        SafetensorsWriter.Write(_folder["last"], [.. decoder.Tensors(ParameterBlock.Weights)]);
        Assert.Throws<ModelFileException>(() => TrainingState.Restore(_folder["last"], decoder));
    }

    DecoderTraining Decoder(ClipSegConfig config)
    {
        using IWeightSource weights = WeightFiles.Open(_model.Folder);
        return new DecoderTraining(_backend, config, weights, batch: 1, new Grid(4, 6), new MaskLosses { Dice = 1 });
    }
}
