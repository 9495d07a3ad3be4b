using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using System.Text;
using ClipSegNative.Backends.Cpu;

namespace ClipSegNative.Cli;

/// <summary>The program and the machine it runs on.</summary>
sealed record MachineInfo(
    string Version, string Runtime, string System, string Processor, IReadOnlyList<string> Features, int Cores, string CpuPath, int Threads,
    CudaInfo Cuda, ModelInfo? Model)
{
    /// <summary>The first leaf of the CPUID instruction that spells the processor's name (Intel SDM, volume 2, CPUID).</summary>
    const int BrandLeaf = unchecked((int)0x80000002);

    /// <summary>With the commit behind a +, where the build knew it.</summary>
    public static string ProgramVersion => typeof(MachineInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    public static MachineInfo Collect(ModelInfo? model, int? threads, CudaInfo cuda) => new(
        ProgramVersion,
        RuntimeInformation.FrameworkDescription,
        $"{RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}",
        Brand(),
        FeatureNames(),
        Environment.ProcessorCount,
        CpuInstructionSets.Best.Name(),
        threads ?? Environment.ProcessorCount,
        cuda,
        model);

    static IReadOnlyList<string> FeatureNames()
    {
        (string Name, bool Has)[] features =
        [
            ("AVX2", Avx2.IsSupported),
            ("FMA", Fma.IsSupported),
            ("AVX-VNNI", AvxVnni.IsSupported),
            ("AVX-512", CpuInstructionSets.IsSupported(CpuInstructionSet.Avx512)),
            ("AVX512_VNNI", ProcessorFeatures.Avx512Vnni),
            ("AVX512_BF16", ProcessorFeatures.Avx512Bf16),
            ("AMX_BF16", ProcessorFeatures.AmxBf16),
            ("NEON", AdvSimd.IsSupported),
        ];
        return [.. features.Where(feature => feature.Has).Select(feature => feature.Name)];
    }

    static string Brand()
    {
        if (!X86Base.IsSupported || X86Base.CpuId(unchecked((int)0x80000000), 0).Eax - BrandLeaf < 2) return $"{RuntimeInformation.ProcessArchitecture}";
        var text = new StringBuilder();
        for (int i = 0; i < 3; i++)
        {
            (int a, int b, int c, int d) = X86Base.CpuId(BrandLeaf + i, 0);
            foreach (int word in (int[])[a, b, c, d]) text.Append(Encoding.ASCII.GetString(BitConverter.GetBytes(word)));
        }
        return text.ToString().Trim('\0', ' ');
    }
}
