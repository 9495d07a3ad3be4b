using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Weights;

public class NormalNumbersTests
{
    [Fact]
    public void Fill_OneStream_IsTheSameOnEveryMachineAndAtEveryLength()
    {
        float[] many = Numbers(200_001, seed: 7, "a");
        Assert.Equal(many[..999], Numbers(999, seed: 7, "a"));
        Assert.NotEqual(many[..999], Numbers(999, seed: 8, "a"));
        Assert.NotEqual(many[..999], Numbers(999, seed: 7, "b"));
        Assert.Equal("E867BACF3E32481A", Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(many.AsSpan())), 0, 8));
    }

    [Fact]
    public void Fill_ManyNumbers_HasTheMomentsOfTheNormalDistribution()
    {
        const int Count = 1_000_000;
        var numbers = new float[Count];
        NormalNumbers.Fill(numbers, NormalNumbers.Stream(1, "moments"), mean: 3, deviation: 2);
        double[] z = [.. numbers.Select(x => (x - 3.0) / 2)];
        Assert.Equal(0, z.Average(), 0.005);
        Assert.Equal(1, z.Average(x => x * x), 0.01);
        Assert.Equal(3, z.Average(x => x * x * x * x), 0.06);
        Assert.Equal(0.6827, z.Count(x => Math.Abs(x) < 1) / (double)Count, 0.003);
        Assert.Equal(0, z.Zip(z.Skip(1), (a, b) => a * b).Average(), 0.005);
        Assert.InRange(z.Max(Math.Abs), 4, 6.8);
    }

    [Fact]
    public void Series_OverTheirRange_AgreeWithTheSystem()
    {
        for (int i = 0; i <= 100_000; i++)
        {
            double x = i / 100_000.0;
            (double sine, double cosine) = NormalNumbers.SinCosOfTurn(x);
            Assert.Equal(Math.Sin(2 * Math.PI * x), sine, 1e-11);
            Assert.Equal(Math.Cos(2 * Math.PI * x), cosine, 1e-11);
            double fraction = Math.Max(x, 1.0 / 8589934592);
            Assert.Equal(Math.Log(fraction), NormalNumbers.LogarithmOfFraction(fraction), 1e-11);
        }
    }

    static float[] Numbers(int count, ulong seed, string name)
    {
        var numbers = new float[count];
        NormalNumbers.Fill(numbers, NormalNumbers.Stream(seed, name), mean: 0, deviation: 1);
        return numbers;
    }
}
