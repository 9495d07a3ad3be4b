using ClipSegNative.Backends.Cpu;

namespace ClipSegNative.Benchmarks.Peaks;

/// <summary>The multiply-add peak of each precision that this processor has instructions for.</summary>
static class PeakCommand
{
    public static void Run(string[] arguments)
    {
        int threads = arguments.Length > 0 ? int.Parse(arguments[0]) : Environment.ProcessorCount;
        foreach (Precision precision in (Precision[])[Precision.Fp32, Precision.Bf16, Precision.Int8])
        {
            using MultiplyAddPeak? peak = MultiplyAddPeak.Of(precision, CpuInstructionSets.Best, threads);
            Console.WriteLine($"{precision.Name()}: {(peak is null ? "no instructions for it" : $"{peak.GigaFlops():F0} x 10⁹ operations a second on {threads} threads")}");
        }
    }
}
