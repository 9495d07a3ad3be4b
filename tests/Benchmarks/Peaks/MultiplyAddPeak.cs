using System.Diagnostics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Backends.Cpu.Assembly;

namespace ClipSegNative.Benchmarks.Peaks;

/// <summary>What the processor's multiply-add units give in one precision when nothing else happens: independent chains in registers.</summary>
sealed class MultiplyAddPeak : IDisposable
{
    const int Steps = 500_000;

    readonly WorkerPool _pool;
    readonly Action<WorkerPool> _run;
    readonly double _operations;
    readonly IDisposable? _code;

    /// <param name="threads">All of which run the chains.</param>
    /// <param name="multiplyAdds">Of one thread and step.</param>
    /// <param name="run">Runs <see cref="Steps"/> on all threads.</param>
    /// <param name="code">What the chains run from, if that must be freed.</param>
    MultiplyAddPeak(int threads, int multiplyAdds, Action<WorkerPool> run, IDisposable? code = null)
    {
        (_pool, _run, _code) = (new WorkerPool(threads), run, code);
        _operations = 2.0 * threads * multiplyAdds * Steps;
    }

    /// <summary>By the instructions that this engine multiplies with in that precision; null where the processor or the system has none.</summary>
    public static MultiplyAddPeak? Of(Precision precision, CpuInstructionSet set, int threads) => precision switch
    {
        Precision.Fp32 => Floats(set, threads),
        Precision.Bf16 => set == CpuInstructionSet.Avx512 && ProcessorFeatures.Avx512Bf16 ? Assembled(TileKind.Bf16, threads) : null,
        Precision.Int8 => set == CpuInstructionSet.Avx512 && ProcessorFeatures.Avx512Vnni && Assembled(TileKind.Int8, threads) is { } peak ? peak : Bytes(set, threads),
        _ => null,
    };

    /// <summary>Best of three runs of a few milliseconds, in 10⁹ operations a second, a multiply-add being two.</summary>
    public double GigaFlops()
    {
        double best = 0;
        for (int run = 0; run < 3; run++)
        {
            long start = Stopwatch.GetTimestamp();
            _run(_pool);
            best = Math.Max(best, _operations / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9);
        }
        return best;
    }

    public void Dispose()
    {
        _pool.Dispose();
        _code?.Dispose();
    }

    static MultiplyAddPeak Floats(CpuInstructionSet set, int threads) => set switch
    {
        CpuInstructionSet.Avx512 => Floats<Set512, Vector512<float>>(threads),
        CpuInstructionSet.Avx2 => Floats<Set256, Vector256<float>>(threads),
        _ => Floats<Set128, Vector128<float>>(threads),
    };

    static MultiplyAddPeak Floats<TSet, TVector>(int threads) where TSet : struct, IVectorSet<TVector> where TVector : struct =>
        new(threads, FloatChains<TSet, TVector>.Count * TSet.Width, pool => pool.Run(threads, new FloatChains<TSet, TVector>(Steps)));

    static MultiplyAddPeak? Bytes(CpuInstructionSet set, int threads) =>
        set == CpuInstructionSet.Portable ? null : AvxVnni.IsSupported ? Bytes<RaisedDot>(threads) : Bytes<SignedDot>(threads);

    static MultiplyAddPeak Bytes<TDot>(int threads) where TDot : struct, IByteDot =>
        new(threads, ByteChains<TDot>.Count * Vector256<byte>.Count, pool => pool.Run(threads, new ByteChains<TDot>(Steps)));

    static MultiplyAddPeak? Assembled(TileKind kind, int threads) => AssembledChains.TryCreate(kind) is { } chains
        ? new(threads, AssembledChains.Count * AssembledChains.MultiplyAdds(kind), pool => pool.Run(threads, new AssembledChainsWork(chains, Steps)), chains)
        : null;
}
