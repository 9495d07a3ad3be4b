using System.Runtime.Intrinsics;
using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Conformance;
using ClipSegNative.Tests.Reference;

namespace ClipSegNative.Tests.Backends;

/// <summary>Error bounds of the element-wise functions over their whole range, on every vector width.</summary>
public sealed class VectorMathTests(CpuBackends backends) : IClassFixture<CpuBackends>
{
    const int Count = 1 << 16;

    [Theory, MemberData(nameof(CpuBackends.Sets), MemberType = typeof(CpuBackends))]
    public void Exp_WholeRange_IsAccurate(string set)
    {
        (float[] x, float[] y) = Evaluate(set, Function.Exp, -87, 88);
        Report(set, "exp, relative", Largest(i => y[i] / Math.Exp(x[i]) - 1), bound: 2e-7);
    }

    [Theory, MemberData(nameof(CpuBackends.Sets), MemberType = typeof(CpuBackends))]
    public void Exp2_WholeRange_IsAccurate(string set)
    {
        (float[] x, float[] y) = Evaluate(set, Function.Exp2, -126, 127);
        Report(set, "2ˣ, relative", Largest(i => y[i] / Math.Pow(2, x[i]) - 1), bound: 3e-7);
        (x, y) = Evaluate(set, Function.Exp2, -1, 0);
        Report(set, "2ˣ of [-1, 0], relative", Largest(i => y[i] / Math.Pow(2, x[i]) - 1), bound: 3e-7);
        Assert.Equal(1f, y[^1]);
    }

    [Theory, MemberData(nameof(CpuBackends.Sets), MemberType = typeof(CpuBackends))]
    public void Exp2_BelowNormalNumbersOrNotANumber_StaysSo(string set)
    {
        (_, float[] y) = Evaluate(set, Function.Exp2, -1000, -127);
        Assert.All(y, value => Assert.Equal(MathF.ScaleB(1, -126), value));
        (_, y) = Evaluate(set, Function.Exp2, float.NaN, float.NaN);
        Assert.All(y, value => Assert.True(float.IsNaN(value)));
    }

    /// <summary>In doubles, ln(1 + x) of a small x is only as good as 1 + x; so its series is compared there.</summary>
    [Theory, MemberData(nameof(CpuBackends.Sets), MemberType = typeof(CpuBackends))]
    public void LogOnePlus_WholeRange_IsAccurate(string set)
    {
        (float[] x, float[] y) = Evaluate(set, Function.LogOnePlus, 0, 1);
        Report(set, "ln(1 + x), relative", Largest(i => i == 0 ? y[i] : y[i] / Math.Log(1 + (double)x[i]) - 1), bound: 2e-7);
        (x, y) = Evaluate(set, Function.LogOnePlus, 0, 1e-6f);
        Report(set, "ln(1 + x) of small x, relative", Largest(i => i == 0 ? y[i] : y[i] / (x[i] - (double)x[i] * x[i] / 2) - 1), bound: 2e-7);
    }

    /// <summary>Below -17 the sigmoid is the exponential, so this holds its relative error too.</summary>
    [Theory, MemberData(nameof(CpuBackends.Sets), MemberType = typeof(CpuBackends))]
    public void Sigmoid_WholeRange_IsAccurate(string set)
    {
        (float[] x, float[] y) = Activate(set, Activation.Sigmoid, -86, 86);
        Report(set, "sigmoid, relative", Largest(i => y[i] / Precise.Sigmoid(x[i]) - 1), bound: 3e-7);
    }

    [Theory, MemberData(nameof(CpuBackends.Sets), MemberType = typeof(CpuBackends))]
    public void QuickGelu_WholeRange_IsAccurate(string set)
    {
        (float[] x, float[] y) = Activate(set, Activation.QuickGelu, -20, 20);
        Report(set, "quick GELU, absolute", Largest(i => (y[i] - Precise.Activate(x[i], Activation.QuickGelu)) / Math.Max(1, x[i])), bound: 3e-7);
    }

    /// <summary>Abramowitz and Stegun 7.1.26 gives Φ to 0.75e-7; rounding adds as much.</summary>
    [Theory, MemberData(nameof(CpuBackends.Sets), MemberType = typeof(CpuBackends))]
    public void Gelu_WholeRange_IsAccurate(string set)
    {
        (float[] x, float[] y) = Activate(set, Activation.Gelu, -20, 20);
        Report(set, "GELU, absolute / max(1, |x|)", Largest(i => (y[i] - Precise.Activate(x[i], Activation.Gelu)) / Math.Max(1, Math.Abs(x[i]))), bound: 3e-7);
    }

    /// <summary>A broken weight must show in the result, not turn into a plausible number.</summary>
    [Theory, MemberData(nameof(CpuBackends.Sets), MemberType = typeof(CpuBackends))]
    public void Activate_NotANumber_StaysOne(string set)
    {
        foreach (Activation activation in Enum.GetValues<Activation>())
        {
            IBackend backend = backends.Get(set);
            using var space = new OpWorkspace(backend, set);
            var y = new float[40];
            Tensor output = space.Output(2, 20);
            backend.Activate(space.Given([.. Enumerable.Repeat(float.NaN, 40)], 2, 20), activation, output);
            backend.Download(output, y);
            Assert.All(y, value => Assert.True(float.IsNaN(value), $"{activation} gives {value}."));
        }
    }

    (float[] X, float[] Y) Activate(string set, Activation activation, float from, float to)
    {
        IBackend backend = backends.Get(set);
        using var space = new OpWorkspace(backend, set);
        float[] x = Range(from, to), y = new float[Count];
        Tensor input = space.Given(x, 64, Count / 64), output = space.Output(64, Count / 64);
        backend.Activate(input, activation, output);
        backend.Download(output, y);
        return (x, y);
    }

    (float[] X, float[] Y) Evaluate(string set, Function function, float from, float to)
    {
        backends.Get(set);
        float[] x = Range(from, to), y = new float[Count];
        switch (Enum.Parse<CpuInstructionSet>(set))
        {
            case CpuInstructionSet.Avx512: Evaluate<Set512, Vector512<float>>(function, x, y); break;
            case CpuInstructionSet.Avx2: Evaluate<Set256, Vector256<float>>(function, x, y); break;
            default: Evaluate<Set128, Vector128<float>>(function, x, y); break;
        }
        return (x, y);
    }

    static unsafe void Evaluate<TSet, TVector>(Function function, float[] x, float[] y)
        where TSet : struct, IVectorSet<TVector>
        where TVector : struct
    {
        fixed (float* from = x, to = y)
            for (int i = 0; i < Count; i += TSet.Width)
            {
                TVector value = TSet.Load(from + i);
                TSet.Store(function switch
                {
                    Function.Exp => VectorMath<TSet, TVector>.Exp(value),
                    Function.Exp2 => VectorMath<TSet, TVector>.Exp2(value),
                    _ => VectorMath<TSet, TVector>.LogOnePlus(value),
                }, to + i);
            }
    }

    static float[] Range(float from, float to) => [.. Enumerable.Range(0, Count).Select(i => from + (to - from) * i / (Count - 1))];

    static double Largest(Func<int, double> error) => Enumerable.Range(0, Count).Max(i => Math.Abs(error(i)));

    static void Report(string set, string what, double error, double bound)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"{set}: {what}: {error:0.0e+0}");
        Assert.InRange(error, 0, bound);
    }

    enum Function { Exp, Exp2, LogOnePlus }
}
