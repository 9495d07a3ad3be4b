using ClipSegNative.Backends.Cuda;
using ClipSegNative.Tests.Conformance;

namespace ClipSegNative.Tests.Kernels.Emulation;

/// <summary>How far results on CUDA may lie from the reference, interpreted or on a device.</summary>
static class CudaTolerance
{
    /// <summary>What float32 kernels may differ by beyond the CPU's: the special function unit's exponentials, sums of other orders.</summary>
    const double Slack = 4;

    /// <summary>Of whole models: values around 1, after all blocks.</summary>
    public static Tolerance Model(CudaPrecision precision) => precision == CudaPrecision.Float32 ? new(1e-4, 1e-4) : new(2e-2, 2e-2);

    /// <summary>Of one operation. Where operands are rounded, values are around 1: a large logit's rounding is as large as it is, so those cases have no bound.</summary>
    public static Tolerance? Of(OpCase op, CudaPrecision precision)
    {
        if (precision == CudaPrecision.Float32 || !Rounds(op.Operation)) return new Tolerance(op.Tolerance.Absolute * Slack, op.Tolerance.Relative * Slack);
        return op.Regime.Length > 0 ? null : new Tolerance(precision == CudaPrecision.BFloat16 ? 2e-2 : 3e-3, 2e-2);
    }

    /// <summary>Of layers and models, forward and backward in float32.</summary>
    public static Tolerance Layer { get; } = new(1e-5, 1e-4);

    /// <summary>Of the losses of twenty steps, in every precision; they fall by 4e-3 of themselves at least.</summary>
    public static Tolerance Training { get; } = new(0, 1e-4);

    /// <summary>Whether operands of it, or of what its case does before or after it, are rounded.</summary>
    public static bool Rounds(string operation) => operation is "PackMatrix" or "PackTransposed" or "Attention" or "AttentionBackward"
        or "Linear" or "LinearActivate" or "LinearAdd" or "LinearBackward" or "Convolution" or "ConvolutionActivate" or "ConvolutionBackward";
}
