using ClipSegNative.Backends;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.Tests.Conformance;
using ClipSegNative.Tests.Models.ClipSeg;

namespace ClipSegNative.Tests.Kernels.Emulation;

/// <summary>The CUDA backend's convolutions on a machine without cuDNN, and which of them go to it where it is there.</summary>
public sealed class CudaConvolutionTests
{
    public static TheoryData<string> Convolutions =>
        new(from op in OpTable.All where op.Operation.StartsWith("Convolution", StringComparison.Ordinal) select op.Name);

    [Theory, MemberData(nameof(Convolutions))]
    public void Operation_WithoutCudnn_AgreesWithReference(string name)
    {
        OpCase op = OpTable.Get(name);
        using CudaBackend backend = EmulatedDevice.CreateBackend(convolves: false);
        Difference.Of(op.Expected, op.Run(backend), CudaTolerance.Of(op, CudaPrecision.Float32)!.Value);
        Assert.Equal(op.Run(backend), op.Replay(backend));
    }

    [Fact]
    public void Update_WithoutCudnn_FollowsTheReference()
    {
        using var training = new FixtureTraining("clipseg-tiny-refined", EmulatedDevice.CreateBackend(convolves: false), new MaskLosses { Dice = 1 });
        float[] losses = training.Expected("train.dice_losses"), rates = training.Expected("train.lrs");
        Difference.Of(losses[..3], [.. losses[..3].Select((_, i) => (float)training.Step(i + 1, rates[i]))], CudaTolerance.Training);
    }

    [Theory]
    [InlineData("2x7x9x8 to 12, kernel 3, bias", 1)]
    [InlineData("2x7x9x8 to 12, kernel 5", 1)]
    [InlineData("2x7x9x8 to 12, kernel 1, bias", 0)]   // a product
    [InlineData("1x5x4x7 to 33, kernel 3, bias", 0)]   // no multiples of 16 bytes
    [InlineData("1x22x22x12 to 33, kernel 5", 0)]
    public void Operation_WithCudnn_UsesItForWholeWords(string detail, int times)
    {
        foreach (string operation in new[] { "Convolution", "ConvolutionBackward" })
        {
            using var device = EmulatedDevice.Create();
            var runtime = new EmulatedRuntime(device);
            using var backend = new CudaBackend(runtime);
            OpTable.Get($"{operation} {detail}").Run(backend);
            Assert.Equal(times, runtime.Convolutions);
        }
    }

    [Fact]
    public void Replayed_AlignedMaps_GivesTheBitsOfEager()
    {
        foreach (string operation in new[] { "Convolution", "ConvolutionBackward" })
        {
            OpCase op = OpTable.Get($"{operation} 2x7x9x8 to 12, kernel 3, bias");
            using CudaBackend backend = EmulatedDevice.CreateBackend();
            Assert.Equal(op.Run(backend), op.Replay(backend));
        }
    }
}
