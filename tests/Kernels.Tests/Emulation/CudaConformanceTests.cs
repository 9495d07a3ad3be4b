using ClipSegNative.Backends;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.Tests.Conformance;

namespace ClipSegNative.Tests.Kernels.Emulation;

/// <summary>The op table on the CUDA backend, its kernels interpreted.</summary>
public sealed class CudaConformanceTests
{
    /// <summary>What float32 kernels may differ by beyond the CPU's: the special function unit's exponentials, sums of other orders.</summary>
    const double Slack = 4;

    [Theory, MemberData(nameof(OpTable.Names), MemberType = typeof(OpTable))]
    public void Operation_Emulated_AgreesWithReference(string name)
    {
        OpCase op = OpTable.Get(name);
        using CudaBackend backend = EmulatedDevice.CreateBackend(out _);
        Difference.Of(op.Expected, op.Run(backend), new Tolerance(op.Tolerance.Absolute * Slack, op.Tolerance.Relative * Slack));
    }

    /// <summary>One order of every sum: whatever blocks and warps run first.</summary>
    [Theory, MemberData(nameof(OpTable.OperationNames), MemberType = typeof(OpTable))]
    public void Operation_RunTwiceOrBackwards_GivesTheSameBits(string operation)
    {
        OpCase op = OpTable.First(operation);
        using CudaBackend backend = EmulatedDevice.CreateBackend(out _);
        float[] once = op.Run(backend);
        Assert.Equal(once, op.Run(backend));
        using var backwards = new CudaBackend(new EmulatedRuntime(EmulatedDevice.Create(backwards: true)));
        Assert.Equal(once, op.Run(backwards));
    }

    [Theory, MemberData(nameof(OpTable.OperationNames), MemberType = typeof(OpTable))]
    public void Operation_Replayed_GivesTheSameBits(string operation)
    {
        OpCase op = OpTable.First(operation);
        using CudaBackend backend = EmulatedDevice.CreateBackend(out _);
        Assert.Equal(op.Run(backend), op.Run(backend, through: new ReplayingBackend(backend)));
    }
}
