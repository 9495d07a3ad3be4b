using ClipSegNative.Backends.Cpu.Assembly;
using ClipSegNative.Interop;

namespace ClipSegNative.Backends.Cpu;

/// <summary>In what a CPU backend keeps weights and multiplies, and the machine code it does that with, if any.</summary>
sealed class CpuArithmetic : IDisposable
{
    CpuArithmetic(Precision precision, TileKernels? kernels = null) => (Precision, Kernels) = (precision, kernels);

    public Precision Precision { get; }

    /// <summary>Null where vectors of .NET do the products.</summary>
    public TileKernels? Kernels { get; }

    public WeightFormat Format => Precision == Precision.Bf16 ? WeightFormat.Bf16 : WeightFormat.F32;

    /// <summary>The best that this processor can do towards a precision.</summary>
    /// <param name="asked">What the user wants.</param>
    /// <param name="set">What the backend computes with.</param>
    /// <param name="pages">Where memory for code comes from; null for the system.</param>
    /// <param name="warning">One sentence where it is less than asked for, else null.</param>
    public static CpuArithmetic Choose(Precision asked, CpuInstructionSet set, IMemoryPages? pages, out string? warning)
    {
        warning = null;
        if (asked == Precision.Fp32) return new CpuArithmetic(asked);
        if (set != CpuInstructionSet.Avx512 || !ProcessorFeatures.Avx512Bf16)
        {
            warning = set == CpuInstructionSets.Best
                ? "bf16 needs a processor with AVX512_BF16, which this one has not: computing in fp32."
                : $"bf16 needs AVX-512, not {set.Name()}: computing in fp32.";
            return new CpuArithmetic(Precision.Fp32);
        }
        if (TileKernels.TryCreate(TileKind.Bf16, pages ?? new SystemPages(), out string problem) is { } kernels) return new CpuArithmetic(asked, kernels);
        warning = $"bf16 needs memory for machine code, which the system refuses ({problem}): computing in fp32.";
        return new CpuArithmetic(Precision.Fp32);
    }

    /// <summary>A precision by .NET's vectors alone, on any processor: slow, to tell what it costs in accuracy.</summary>
    public static CpuArithmetic Portable(Precision precision) => new(precision);

    public void Dispose() => Kernels?.Dispose();
}
