using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ClipSegNative.Backends.Cpu;

/// <summary>The three ways the CPU backend computes.</summary>
enum CpuInstructionSet
{
    /// <summary>128-bit vectors through .NET's portable types: NEON on Arm64, SSE on old x86, scalar code elsewhere.</summary>
    Portable,

    /// <summary>256-bit AVX2 with fused multiply-add.</summary>
    Avx2,

    /// <summary>512-bit AVX-512 (F, DQ, BW, VL).</summary>
    Avx512,
}

static class CpuInstructionSets
{
    public static CpuInstructionSet Best =>
        IsSupported(CpuInstructionSet.Avx512) ? CpuInstructionSet.Avx512 : IsSupported(CpuInstructionSet.Avx2) ? CpuInstructionSet.Avx2 : CpuInstructionSet.Portable;

    public static bool IsSupported(CpuInstructionSet set) => set switch
    {
        CpuInstructionSet.Avx512 => Avx512F.IsSupported && Avx512DQ.IsSupported && Avx512BW.IsSupported && Avx512F.VL.IsSupported,
        CpuInstructionSet.Avx2 => Avx2.IsSupported && Fma.IsSupported && Vector256.IsHardwareAccelerated,
        _ => true,
    };

    public static string Name(this CpuInstructionSet set) => set switch
    {
        CpuInstructionSet.Avx512 => "AVX-512",
        CpuInstructionSet.Avx2 => "AVX2",
        _ => "portable vectors",
    };
}
