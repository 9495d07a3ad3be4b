using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ClipSegNative.Backends.Cpu;

namespace ClipSegNative.Benchmarks;

/// <summary>What the processor's multiply-add units give when nothing else happens: twelve independent chains in registers.</summary>
sealed class FmaPeak(CpuInstructionSet set, int threads) : IDisposable
{
    const int Chains = 12;
    const int Iterations = 500_000;

    readonly WorkerPool _pool = new(threads);

    /// <summary>Best of three runs of a few milliseconds, in 10⁹ floating-point operations a second, a multiply-add being two.</summary>
    public double GigaFlops()
    {
        double best = 0;
        for (int run = 0; run < 3; run++)
        {
            long start = Stopwatch.GetTimestamp();
            int width = set switch
            {
                CpuInstructionSet.Avx512 => Run<Set512, Vector512<float>>(),
                CpuInstructionSet.Avx2 => Run<Set256, Vector256<float>>(),
                _ => Run<Set128, Vector128<float>>(),
            };
            best = Math.Max(best, 2.0 * threads * Chains * Iterations * width / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9);
        }
        return best;
    }

    public void Dispose() => _pool.Dispose();

    int Run<TSet, TVector>() where TSet : struct, IVectorSet<TVector> where TVector : struct
    {
        _pool.Run(_pool.Threads, new Work<TSet, TVector>());
        return TSet.Width;
    }

    readonly struct Work<TSet, TVector> : IParallelWork where TSet : struct, IVectorSet<TVector> where TVector : struct
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int task, int worker)
        {
            TVector x = TSet.Broadcast(0.999f), y = TSet.Broadcast(1e-3f);
            TVector a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
            for (int n = 0; n < Iterations; n++)
            {
                a = TSet.MultiplyAdd(a, x, y); b = TSet.MultiplyAdd(b, x, y); c = TSet.MultiplyAdd(c, x, y); d = TSet.MultiplyAdd(d, x, y);
                e = TSet.MultiplyAdd(e, x, y); f = TSet.MultiplyAdd(f, x, y); g = TSet.MultiplyAdd(g, x, y); h = TSet.MultiplyAdd(h, x, y);
                i = TSet.MultiplyAdd(i, x, y); j = TSet.MultiplyAdd(j, x, y); k = TSet.MultiplyAdd(k, x, y); l = TSet.MultiplyAdd(l, x, y);
            }
            TVector sum = TSet.Add(TSet.Add(TSet.Add(a, b), TSet.Add(c, d)), TSet.Add(TSet.Add(e, f), TSet.Add(g, h)));
            sum = TSet.Add(sum, TSet.Add(TSet.Add(i, j), TSet.Add(k, l)));
            if (TSet.Sum(sum) == 0) throw new InvalidOperationException("The chains were optimised away.");
        }
    }
}
