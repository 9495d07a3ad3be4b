using System.Runtime.Intrinsics.X86;
using ClipSegNative.Backends.Cpu.Assembly;
using ClipSegNative.Interop;

namespace ClipSegNative.Backends.Cpu;

/// <summary>In what a CPU backend keeps weights and multiplies, and the machine code it does that with, if any.</summary>
sealed class CpuArithmetic : IDisposable
{
    readonly WeightFormat _format;

    CpuArithmetic(Precision precision, WeightFormat format, TileKernels? kernels = null) => (Precision, _format, Kernels) = (precision, format, kernels);

    public static CpuArithmetic Single => new(Precision.Fp32, WeightFormat.F32);

    public Precision Precision { get; }

    /// <summary>Null where vectors of .NET do the products.</summary>
    public TileKernels? Kernels { get; }

    /// <summary>How a matrix of so many inputs is kept.</summary>
    public WeightFormat FormatFor(int inputs, PrecisionFloor floor = PrecisionFloor.None) => floor switch
    {
        PrecisionFloor.Float32 => WeightFormat.F32,
        PrecisionFloor.SixteenBits when Precision == Precision.Int8 => WeightFormat.F16,
        _ => Precision == Precision.Int8 && inputs > Int8.MostInputs ? WeightFormat.F32 : _format,
    };

    /// <summary>Whether both products of an attention take bfloat16; in any other precision they are float32.</summary>
    public bool RoundsAttention(PrecisionFloor floor) => Precision == Precision.Bf16 && floor != PrecisionFloor.Float32;

    /// <summary>The best that this processor can do towards a precision.</summary>
    /// <param name="asked">What the user wants.</param>
    /// <param name="set">What the backend computes with.</param>
    /// <param name="pages">Where memory for code comes from; null for the system.</param>
    /// <param name="warning">One sentence where it is less than asked for, else null.</param>
    public static CpuArithmetic Choose(Precision asked, CpuInstructionSet set, IMemoryPages? pages, out string? warning)
    {
        warning = null;
        switch (asked)
        {
            case Precision.F16Weights: return new CpuArithmetic(asked, WeightFormat.F16);
            case Precision.Bf16: return ChooseBf16(set, pages ?? new SystemPages(), ref warning);
            case Precision.Int8: return ChooseInt8(set, pages ?? new SystemPages(), ref warning);
            case Precision.Tf32 or Precision.Fp16:
                warning = $"{asked.Name()} is for CUDA: computing in fp32.";
                return Single;
            default: return Single;
        }
    }

    /// <summary>A precision by .NET's vectors alone; bf16, on any processor, is then no faster than fp32: to tell what it costs in accuracy.</summary>
    /// <returns>Null where there are no such instructions.</returns>
    public static CpuArithmetic? ByVectors(Precision precision, CpuInstructionSet set) => precision switch
    {
        Precision.F16Weights => new(precision, WeightFormat.F16),
        Precision.Bf16 => new(precision, WeightFormat.Bf16),
        Precision.Int8 => set == CpuInstructionSet.Portable ? null : new(precision, AvxVnni.IsSupported ? WeightFormat.Int8Raised : WeightFormat.Int8Signed),
        Precision.Fp32 => Single,
        _ => null,
    };

    /// <summary>Bytes by AVX2, also where the processor has better: for tests.</summary>
    public static CpuArithmetic Int8ByAvx2() => new(Precision.Int8, WeightFormat.Int8Signed);

    /// <summary>Packs in a format, whether or not this processor multiplies in it: for tests.</summary>
    public static CpuArithmetic InFormat(WeightFormat format) => new(Precision.Fp32, format);

    public void Dispose() => Kernels?.Dispose();

    static CpuArithmetic ChooseBf16(CpuInstructionSet set, IMemoryPages pages, ref string? warning)
    {
        if (set != CpuInstructionSet.Avx512 || !ProcessorFeatures.Avx512Bf16)
        {
            warning = set == CpuInstructionSets.Best
                ? "bf16 needs a processor with AVX512_BF16, which this one has not: computing in fp32."
                : $"bf16 needs AVX-512, not {set.Name()}: computing in fp32.";
            return Single;
        }
        if (TileKernels.TryCreate(TileKind.Bf16, pages, out string problem) is { } kernels) return new CpuArithmetic(Precision.Bf16, WeightFormat.Bf16, kernels);
        warning = $"bf16 needs memory for machine code, which the system refuses ({problem}): computing in fp32.";
        return Single;
    }

    static CpuArithmetic ChooseInt8(CpuInstructionSet set, IMemoryPages pages, ref string? warning)
    {
        if (set == CpuInstructionSet.Avx512 && ProcessorFeatures.Avx512Vnni)
        {
            if (TileKernels.TryCreate(TileKind.Int8, pages, out string problem) is { } kernels) return new CpuArithmetic(Precision.Int8, WeightFormat.Int8Raised, kernels);
            warning = $"int8 is fastest with memory for machine code, which the system refuses ({problem}): computing it in 256 bits.";
        }
        if (ByVectors(Precision.Int8, set) is { } arithmetic) return arithmetic;
        warning = $"int8 needs AVX2, not {set.Name()}: computing in fp32.";
        return Single;
    }
}
