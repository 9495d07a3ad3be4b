using ClipSegNative.Backends.Cuda;
using ClipSegNative.Tests.Conformance;

namespace ClipSegNative.Tests.Kernels.Emulation;

/// <summary>The op table on the CUDA backend, its kernels interpreted.</summary>
public sealed class CudaConformanceTests
{
    /// <summary>What float32 kernels may differ by beyond the CPU's: the special function unit's exponentials, sums of other orders.</summary>
    const double Slack = 4;

    public static TheoryData<string, string> Rounded =>
        new(from op in OpTable.All
            where op.Operation is "Attention" or "Linear" or "LinearAdd" or "Convolution" && op.Regime.Length == 0
            from precision in new[] { CudaPrecision.TensorFloat32, CudaPrecision.BFloat16, CudaPrecision.Float16 }
            select (op.Name, precision.ToString()));

    [Theory, MemberData(nameof(OpTable.Names), MemberType = typeof(OpTable))]
    public void Operation_Emulated_AgreesWithReference(string name)
    {
        OpCase op = OpTable.Get(name);
        using CudaBackend backend = EmulatedDevice.CreateBackend();
        Difference.Of(op.Expected, op.Run(backend), new Tolerance(op.Tolerance.Absolute * Slack, op.Tolerance.Relative * Slack));
    }

    /// <summary>Products and attention with rounded operands; a large logit's rounding is as large as it is, so those cases have no bound.</summary>
    [Theory, MemberData(nameof(Rounded))]
    public void Operation_RoundedOperands_AgreesWithReference(string name, string precision)
    {
        OpCase op = OpTable.Get(name);
        using CudaBackend backend = EmulatedDevice.CreateBackend(Enum.Parse<CudaPrecision>(precision));
        float[] actual = op.Run(backend);
        Difference.Of(op.Expected, actual, new Tolerance(precision == nameof(CudaPrecision.BFloat16) ? 2e-2 : 3e-3, 2e-2));
    }

    /// <summary>One order of every sum: whatever blocks and warps run first.</summary>
    [Theory, MemberData(nameof(OpTable.OperationNames), MemberType = typeof(OpTable))]
    public void Operation_RunTwiceOrBackwards_GivesTheSameBits(string operation)
    {
        OpCase op = OpTable.First(operation);
        using CudaBackend backend = EmulatedDevice.CreateBackend();
        float[] once = op.Run(backend);
        Assert.Equal(once, op.Run(backend));
        using CudaBackend backwards = EmulatedDevice.CreateBackend(backwards: true);
        Assert.Equal(once, op.Run(backwards));
    }

    [Theory, MemberData(nameof(OpTable.OperationNames), MemberType = typeof(OpTable))]
    public void Operation_Replayed_GivesTheSameBits(string operation)
    {
        OpCase op = OpTable.First(operation);
        using CudaBackend backend = EmulatedDevice.CreateBackend();
        Assert.Equal(op.Run(backend), op.Replay(backend));
    }
}
