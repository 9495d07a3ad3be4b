using ClipSegNative.Evaluation;
using CsCheck;

namespace ClipSegNative.Tests.Evaluation;

public class SimpsonTests
{
    /// <summary>What SciPy 1.10's simps gives.</summary>
    [Theory]
    [InlineData(new double[0], new double[0], 0)]
    [InlineData(new[] { 0.5 }, new[] { 1.0 }, 0)]
    [InlineData(new[] { 0, 0.5 }, new[] { 1, 3.0 }, 1)]
    [InlineData(new[] { 0, 0.1, 0.5 }, new[] { 1, 0.8, 0.9 }, 0.38125)]
    [InlineData(new[] { 0, 0.1, 0.5, 0.7 }, new[] { 1, 0.8, 0.9, 0.2 }, 0.553125)]
    [InlineData(new[] { 0, 0.1, 0.1, 0.4, 0.9 }, new[] { 1, 0.8, 0.7, 0.9, 0.2 }, 0.637111111111111)]
    public void Integrate_FewPoints_EqualsSciPy(double[] x, double[] y, double expected) =>
        Assert.Equal(expected, Simpson.Integrate(x, y), tolerance: 1e-13);

    [Fact]
    public void Integrate_ParabolaAtAnyPoints_IsExact() =>
        Gen.Select(Gen.Double[-2, 2], Gen.Double[-2, 2], Gen.Double[-2, 2], Gen.Double[0.01, 1].Array[2, 20].Where(steps => steps.Length % 2 == 0)).Sample((a, b, c, steps) =>
        {
            double[] x = [0, .. steps.Select((_, i) => steps[..(i + 1)].Sum())];
            double end = x[^1];
            Assert.Equal(a * end * end * end / 3 + b * end * end / 2 + c * end, Simpson.Integrate(x, [.. x.Select(t => a * t * t + b * t + c)]), tolerance: 1e-8);
        });
}
