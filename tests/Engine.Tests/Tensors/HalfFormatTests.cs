using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Tensors;

public sealed unsafe class HalfFormatTests
{
    /// <summary>Every F16 but infinities and NaN, what lies next to it in float32, and next to the middle between it and the following one.</summary>
    [Fact]
    public void TryNarrow_IsWhatTheRuntimeRoundsTo()
    {
        var values = new List<float>();
        for (int pattern = 0; pattern < 0x7c00; pattern++)
        {
            float value = (float)BitConverter.Int16BitsToHalf((short)pattern), middle = (value + Next(pattern)) / 2;
            float[] around = [value, MathF.BitIncrement(value), middle, MathF.BitIncrement(middle), MathF.BitDecrement(middle)];
            values.AddRange(around.Where(number => MathF.Abs(number) < 65520).SelectMany(number => new[] { number, -number }));
        }
        values.AddRange([float.Epsilon, -float.Epsilon, 1e-30f, MathF.BitDecrement(65520)]);
        float[] source = [.. values];
        var halves = new Half[source.Length];
        fixed (float* from = source)
        fixed (Half* to = halves) Assert.True(HalfFormat.TryNarrow(from, source.Length, to));
        for (int i = 0; i < source.Length; i++) Assert.Equal(BitConverter.HalfToInt16Bits((Half)source[i]), BitConverter.HalfToInt16Bits(halves[i]));

        static float Next(int pattern) => pattern == 0x7bff ? 65536 : (float)BitConverter.Int16BitsToHalf((short)(pattern + 1));
    }

    [Theory]
    [InlineData(65520f), InlineData(-65520f), InlineData(float.MaxValue), InlineData(float.NegativeInfinity), InlineData(float.NaN)]
    public void TryNarrow_OfWhatF16HasNot_SaysSo(float value)
    {
        const int Most = 20;
        float* from = stackalloc float[Most];
        Half* to = stackalloc Half[Most];
        for (int count = 1; count <= Most; count++)
            for (int at = 0; at < count; at++)
            {
                for (int i = 0; i < count; i++) from[i] = i == at ? value : 1 - i;
                Assert.False(HalfFormat.TryNarrow(from, count, to));
                from[at] = 65519;
                Assert.True(HalfFormat.TryNarrow(from, count, to));
            }
    }

    [Fact]
    public void Widen_OfEveryPattern_IsExact()
    {
        Half[] halves = [.. Enumerable.Range(0, 1 << 16).Select(pattern => BitConverter.UInt16BitsToHalf((ushort)pattern))];
        foreach (int skipped in new[] { 0, 1, 5 })
        {
            var values = new float[halves.Length - skipped];
            HalfFormat.Widen(halves.AsSpan(skipped), values);
            for (int i = 0; i < values.Length; i++) Assert.Equal((float)halves[skipped + i], values[i]);
        }
    }
}
