using ClipSegNative.Backends.Cuda;
using ClipSegNative.Tests.Conformance;

namespace ClipSegNative.Tests.Kernels.Emulation;

/// <summary>The op table on the CUDA backend, its kernels interpreted.</summary>
public sealed class CudaConformanceTests
{
    public static TheoryData<string, string> Rounded =>
        new(from op in OpTable.All
            where CudaTolerance.Rounds(op.Operation) && op.Regime.Length == 0
            from precision in new[] { CudaPrecision.TensorFloat32, CudaPrecision.BFloat16, CudaPrecision.Float16 }
            select (op.Name, precision.ToString()));

    [Theory, MemberData(nameof(OpTable.Names), MemberType = typeof(OpTable))]
    public void Operation_Emulated_AgreesWithReference(string name)
    {
        OpCase op = OpTable.Get(name);
        using CudaBackend backend = EmulatedDevice.CreateBackend();
        Difference.Of(op.Expected, op.Run(backend), CudaTolerance.Of(op, CudaPrecision.Float32)!.Value);
    }

    /// <summary>Products and attention with rounded operands.</summary>
    [Theory, MemberData(nameof(Rounded))]
    public void Operation_RoundedOperands_AgreesWithReference(string name, string precision)
    {
        OpCase op = OpTable.Get(name);
        var rounding = Enum.Parse<CudaPrecision>(precision);
        using CudaBackend backend = EmulatedDevice.CreateBackend(rounding);
        Difference.Of(op.Expected, op.Run(backend), CudaTolerance.Of(op, rounding)!.Value);
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
