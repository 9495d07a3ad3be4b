using System.Runtime.Intrinsics.X86;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Instructions that .NET has no property for (Intel SDM, volume 2, CPUID).</summary>
static class ProcessorFeatures
{
    const int Leaf = 7;

    /// <summary>Dot products of bfloat16 pairs in 512 bits; false where .NET was told to do without AVX-512.</summary>
    public static bool Avx512Bf16 => Avx512F.IsSupported && Bit(subLeaf: 1, 'a', 5);

    /// <summary>Dot products of byte quads in 512 bits.</summary>
    public static bool Avx512Vnni => Avx512F.IsSupported && Bit(subLeaf: 0, 'c', 11);

    public static bool AmxBf16 => Bit(subLeaf: 0, 'd', 22);

    static bool Bit(int subLeaf, char register, int bit)
    {
        if (!X86Base.IsSupported || X86Base.CpuId(0, 0).Eax < Leaf) return false;
        // A sub-leaf that is not there reads as another one's values on some processors: sub-leaf 0 says how many there are.
        if (X86Base.CpuId(Leaf, 0).Eax < subLeaf) return false;
        (int a, _, int c, int d) = X86Base.CpuId(Leaf, subLeaf);
        return ((register switch { 'a' => a, 'c' => c, _ => d }) >> bit & 1) != 0;
    }
}
