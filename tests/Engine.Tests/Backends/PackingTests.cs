using System.Security.Cryptography;
using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Conformance;

namespace ClipSegNative.Tests.Backends;

/// <summary>Every packed weight lies where its format's description says, bit for bit, at sizes around those of blocks and vectors.</summary>
public sealed unsafe class PackingTests
{
    public static TheoryData<string, string> Paths =>
        [.. from set in Enum.GetNames<CpuInstructionSet>() from format in Enum.GetNames<WeightFormat>() select (set, format)];

    [Theory, MemberData(nameof(Paths))]
    public void PackMatrix_InPieces_LiesAsDescribed(string set, string format)
    {
        CpuBackends.SkipUnlessTested(Enum.Parse<CpuInstructionSet>(set));
        using CpuArithmetic arithmetic = CpuArithmetic.InFormat(Enum.Parse<WeightFormat>(format));
        using IBackend backend = CpuBackend.Create(Enum.Parse<CpuInstructionSet>(set), threads: 2, arithmetic);
        foreach ((int[] pieces, int inputs) in new[] { (new[] { 1 }, 1), ([5, 32, 1], 17), ([16, 16], 16), ([40, 3, 24], 515), ([33], 2060), ([8, 24, 8], 63) })
        {
            using var space = new OpWorkspace(backend, $"{format} {inputs}");
            int outputs = pieces.Sum();
            float[] weights = Weights(outputs, inputs);
            var matrix = (CpuMatrix)space.EmptyMatrix(outputs, inputs);
            for (int i = 0, first = 0; i < pieces.Length; first += pieces[i++])
                backend.PackMatrix(space.Given(weights[(first * inputs)..((first + pieces[i]) * inputs)], pieces[i], inputs), first, matrix);
            for (int output = 0; output < matrix.Panels * matrix.PanelWidth; output++)
                Check(matrix, output, output < outputs ? weights.AsSpan(output * inputs, inputs) : new float[inputs]);
        }
    }

    /// <summary>Files of packed weights depend on it: whoever changes what is packed raises <see cref="CpuMatrix.LayoutVersion"/>, and puts it and the new sum here.</summary>
    [Fact]
    public void LayoutVersion_NamesWhatIsPacked()
    {
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (WeightFormat format in Enum.GetValues<WeightFormat>())
        {
            using CpuArithmetic arithmetic = CpuArithmetic.InFormat(format);
            using IBackend backend = CpuBackend.Create(CpuInstructionSet.Portable, threads: 1, arithmetic);
            using var space = new OpWorkspace(backend, $"{format}");
            PackedMatrix matrix = space.EmptyMatrix(19, 21);
            backend.PackMatrix(space.Given(Weights(19, 21), 19, 21), 0, matrix);
            sum.AppendData(matrix.Contents);
        }
        Assert.Equal("1: 31554947f9fa828b", $"{CpuMatrix.LayoutVersion}: {Convert.ToHexStringLower(sum.GetHashAndReset())[..16]}");
    }

    /// <summary>At sizes around a vector's, with the largest pair, and with NaN, at each place.</summary>
    [Fact]
    public void Extent_IsThatOfTheLargestValueOrPair_AndNaNOfNaN()
    {
        for (int count = 1; count < 20; count++)
            for (int at = 0; at < count; at++)
            {
                float[] weights = [.. Enumerable.Range(0, count).Select(i => i / 2 == at / 2 ? -3f - i : 1 + i / 64f)];
                float largest = weights.Max(MathF.Abs), pair = Enumerable.Range(0, count / 2).Select(i => MathF.Abs(weights[2 * i] + weights[2 * i + 1])).Prepend(0).Max();
                Assert.Equal(largest, Extent(weights, paired: false));
                Assert.Equal(MathF.Max(largest, pair * ((float)Int8.MostWeight / Int8.MostPair)), Extent(weights, paired: true));
                weights[at] = float.NaN;
                Assert.Equal(float.NaN, Extent(weights, paired: false));
                Assert.Equal(float.NaN, Extent(weights, paired: true));
            }
    }

    /// <summary>Words are moved, never computed with: as floats, these are not numbers, and of two kinds.</summary>
    [Fact]
    public void WordTranspose_OfAnyBits_KeepsThem()
    {
        foreach ((int rows, int columns) in new[] { (1, 1), (7, 15), (8, 16), (9, 17), (16, 16), (17, 40), (31, 100) })
        {
            int pitch = columns + 3, toPitch = rows + 2;
            uint[] from = [.. Enumerable.Range(0, rows * pitch).Select(i => 0x7f80_0001u + (uint)i * 0x2000_0003u)], to = new uint[columns * toPitch];
            fixed (uint* source = from, target = to) WordTranspose.Run((float*)source, pitch, rows, columns, (float*)target, toPitch);
            for (int column = 0; column < columns; column++)
                for (int row = 0; row < toPitch; row++)
                    Assert.Equal(row < rows ? from[row * pitch + column] : 0, to[column * toPitch + row]);
        }
    }

    /// <summary>Halves between two numbers, and values of very different size.</summary>
    static float[] Weights(int outputs, int inputs)
    {
        var random = new Random(outputs * 31 + inputs);
        return [.. Enumerable.Range(0, outputs * inputs).Select(i => i % 7 == 0 ? random.Next(-4096, 4096) / 1024f : (float)((random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-12, 8))))];
    }

    static float Extent(ReadOnlySpan<float> weights, bool paired)
    {
        fixed (float* from = weights) return Int8.Extent(from, weights.Length, paired);
    }

    static void Check(CpuMatrix matrix, int output, ReadOnlySpan<float> weights)
    {
        int panel = output / matrix.PanelWidth, place = output % matrix.PanelWidth;
        bool real = output < matrix.Outputs, raised = matrix.Format == WeightFormat.Int8Raised;
        float extent = matrix.Scales == null ? 0 : Extent(weights, paired: !raised), inverse = Int8.Inverse(extent, Int8.MostWeight);
        int sum = 0;
        for (int input = 0; input < matrix.Depth; input++)
        {
            long at = ((long)(input / matrix.Group) * matrix.PanelWidth + place) * matrix.Group + input % matrix.Group;
            float weight = input < weights.Length ? weights[input] : 0;
            int whole = (int)MathF.Round(weight * inverse);
            sum += whole;
            switch (matrix.Format)
            {
                case WeightFormat.F32: Assert.Equal(weight, matrix.Panel(panel)[at]); break;
                case WeightFormat.F16: Assert.Equal((Half)weight, matrix.Panel<Half>(panel)[at]); break;
                case WeightFormat.Bf16: Assert.Equal(BFloat16.FromSingle(weight), matrix.Panel<ushort>(panel)[at]); break;
                default: Assert.Equal((byte)(raised && real && input < weights.Length ? whole + Int8.Raised : whole), matrix.Panel<byte>(panel)[at]); break;
            }
        }
        if (matrix.Scales == null) return;
        Assert.Equal(real ? Int8.Scale(extent, Int8.MostWeight) : 0, matrix.Scales[output]);
        Assert.Equal(sum, matrix.Sums[output]);
    }
}
