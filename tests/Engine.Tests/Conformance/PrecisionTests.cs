using System.Runtime.Intrinsics;
using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Models;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Backends;
using ClipSegNative.Tests.Backends.Assembly;
using ClipSegNative.Tests.Reference;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Conformance;

/// <summary>Products in less than float32, against double precision on operands rounded by definition.</summary>
public class PrecisionTests
{
    static readonly Precision[] Reduced = [.. Precisions.OfCpu.Except([Precision.Fp32])];

    public static TheoryData<string, string, int> Paths =>
        new(from precision in Reduced from set in Enum.GetNames<CpuInstructionSet>() from threads in (int[])[1, 3] select ($"{precision}", set, threads));

    public static TheoryData<string> ReducedNames => [.. Reduced.Select(precision => $"{precision}")];

    [Theory, MemberData(nameof(Paths))]
    public void Linear_ByVectors_AgreesWithReference(string precision, string set, int threads)
    {
        var instructions = Enum.Parse<CpuInstructionSet>(set);
        CpuBackends.SkipUnlessTested(instructions);
        CpuArithmetic? arithmetic = CpuArithmetic.ByVectors(Enum.Parse<Precision>(precision), instructions);
        Assert.SkipWhen(arithmetic is null, $"There are no {precision} products in {instructions.Name()}.");
        Check(arithmetic, instructions, threads);
    }

    /// <summary>AVX2, also where AVX-VNNI would be taken.</summary>
    [Theory, InlineData("Avx512"), InlineData("Avx2")]
    public void Linear_OfBytesByAvx2_AgreesWithReference(string set)
    {
        var instructions = Enum.Parse<CpuInstructionSet>(set);
        CpuBackends.SkipUnlessTested(instructions);
        Check(CpuArithmetic.Int8ByAvx2(), instructions, threads: 2);
    }

    /// <summary>A model too deep for the sums of bytes is computed in float32.</summary>
    [Fact]
    public void Int8_OfTheMostInputs_FitsItsSums()
    {
        Assert.True((long)byte.MaxValue * Int8.MostWeight * Int8.MostInputs <= int.MaxValue);
        using CpuArithmetic int8 = CpuArithmetic.Int8ByAvx2();
        Assert.Equal(WeightFormat.Int8Signed, int8.FormatFor(Int8.MostInputs));
        Assert.Equal(WeightFormat.F32, int8.FormatFor(Int8.MostInputs + 1));
    }

    /// <summary>A phrase is one vector, in which nothing averages the errors of bytes out.</summary>
    [Fact]
    public void TextTower_Int8_IsThatOfF16Weights()
    {
        using var folder = new TinyModel();
        float[] expected = TextVector(folder, "F16Weights"), actual = TextVector(folder, "Int8");
        Assert.NotEqual(0, expected[0]);
        Assert.Equal(expected, actual);
    }

    /// <summary>The path that users get.</summary>
    [Theory, MemberData(nameof(ReducedNames))]
    public void Linear_AsChosen_AgreesWithReference(string name)
    {
        var precision = Enum.Parse<Precision>(name);
        CpuArithmetic arithmetic = CpuArithmetic.Choose(precision, CpuInstructionSets.Best, pages: null, out string? warning);
        if (arithmetic.Precision != precision) arithmetic.Dispose();
        Assert.SkipUnless(arithmetic.Precision == precision, warning ?? "");
        Check(arithmetic, CpuInstructionSets.Best, threads: 2);
    }

    [Theory, MemberData(nameof(ReducedNames))]
    public void Linear_Repeated_AllocatesNothing(string name)
    {
        using IBackend backend = CpuBackend.Create(threads: 2, arithmetic: ByVectors(name));
        foreach (OpCase op in Products().Take(20))
        {
            using var space = new OpWorkspace(backend, op.Name);
            Action<IBackend> enqueue = op.Build(space);
            long allocated = Allocations.Of(() => enqueue(backend));
            Assert.True(allocated == 0, $"{op} allocated {allocated} bytes.");
        }
    }

    [Theory, MemberData(nameof(CpuBackends.Sets), MemberType = typeof(CpuBackends))]
    public void Attention_Bf16ByVectors_AgreesWithReferenceOnAnyNumberOfThreads(string set)
    {
        var instructions = Enum.Parse<CpuInstructionSet>(set);
        CpuBackends.SkipUnlessTested(instructions);
        using IBackend one = CpuBackend.Create(instructions, threads: 1, CpuArithmetic.ByVectors(Precision.Bf16, instructions));
        using IBackend three = CpuBackend.Create(instructions, threads: 3, CpuArithmetic.ByVectors(Precision.Bf16, instructions));
        foreach (OpCase op in Attentions())
        {
            float[] results = CheckAttention(op, one);
            Assert.Equal(results, op.Run(three));
        }
    }

    [Fact]
    public void Attention_Bf16AsChosen_AgreesWithReference()
    {
        CpuArithmetic arithmetic = CpuArithmetic.Choose(Precision.Bf16, CpuInstructionSets.Best, pages: null, out string? warning);
        using IBackend backend = CpuBackend.Create(threads: 2, arithmetic: arithmetic);
        Assert.SkipUnless(arithmetic.Precision == Precision.Bf16, warning ?? "");
        foreach (OpCase op in Attentions()) CheckAttention(op, backend);
    }

    /// <summary>Only bf16 rounds attention, and not where float32 is the least.</summary>
    [Theory, InlineData("Bf16", true), InlineData("Int8", false), InlineData("F16Weights", false)]
    public void Attention_NotToBeRounded_IsThatOfFp32(string name, bool floored)
    {
        using IBackend exact = CpuBackend.Create(threads: 1), reduced = CpuBackend.Create(threads: 1, arithmetic: ByVectors(name));
        float[] expected = Attend(exact, PrecisionFloor.None), actual = Attend(reduced, floored ? PrecisionFloor.Float32 : PrecisionFloor.None);
        Assert.Equal(expected, actual);
        if (floored) Assert.NotEqual(expected, Attend(reduced, PrecisionFloor.SixteenBits));
    }

    [Fact]
    public void Convolution_OfAMatrixThatIsNotExact_IsRefused()
    {
        using IBackend backend = CpuBackend.Create(threads: 1, arithmetic: ByVectors("Bf16"));
        using var space = new OpWorkspace(backend, nameof(PrecisionTests));
        using PackedMatrix weight = backend.AllocateMatrix(4, 9 * 2);
        Assert.Throws<ArgumentException>(() => backend.Convolution(space.Random(1, 3, 3, 2), weight, default, 3, space.Output(1, 3, 3, 4)));
    }

    [Fact]
    public void Choose_WithoutTheProcessorOrTheMemory_IsFp32AndSaysWhy()
    {
        var pages = new FakePages { Refuse = "ReadExecute" };
        foreach (CpuInstructionSet set in Enum.GetValues<CpuInstructionSet>())
        {
            using CpuArithmetic chosen = CpuArithmetic.Choose(Precision.Bf16, set, pages, out string? warning);
            Assert.Equal(Precision.Fp32, chosen.Precision);
            bool refused = set == CpuInstructionSet.Avx512 && ProcessorFeatures.Avx512Bf16;
            Assert.Contains(refused ? "this system allows no such pages" : "AVX", warning);
            Assert.EndsWith("computing in fp32.", warning);
        }
        foreach (CpuInstructionSet set in Enum.GetValues<CpuInstructionSet>())
        {
            using CpuArithmetic chosen = CpuArithmetic.Choose(Precision.Int8, set, pages, out string? warning);
            Assert.Equal(set == CpuInstructionSet.Portable ? Precision.Fp32 : Precision.Int8, chosen.Precision);
            Assert.Null(chosen.Kernels);
            if (set == CpuInstructionSet.Portable) Assert.EndsWith("computing in fp32.", warning);
            else if (set == CpuInstructionSet.Avx512 && ProcessorFeatures.Avx512Vnni) Assert.EndsWith("computing it in 256 bits.", warning);
            else Assert.Null(warning);
        }
        Assert.Equal(0, pages.Held);
        using CpuArithmetic full = CpuArithmetic.Choose(Precision.Fp32, CpuInstructionSets.Best, pages, out string? none);
        Assert.Null(none);
    }

    /// <summary>What is not a number must not become one on the way.</summary>
    [Theory, MemberData(nameof(ReducedNames))]
    public void Linear_NotANumberInOneRow_StaysThere(string name)
    {
        using IBackend backend = CpuBackend.Create(threads: 1, arithmetic: ByVectors(name));
        using var space = new OpWorkspace(backend, nameof(PrecisionTests));
        var values = new float[3 * 40];
        values[40 + 17] = BitConverter.UInt32BitsToSingle(0x7fffffff);
        Tensor x = space.Given(values, 3, 40), y = space.Output(3, 5);
        backend.Linear(x, space.Weights(5, 40), default, y);
        var results = new float[15];
        backend.Download(y, results);
        Assert.All(results[5..10], value => Assert.True(float.IsNaN(value)));
        Assert.All((float[])[.. results[..5], .. results[10..]], value => Assert.Equal(0, value));
    }

    [Theory, InlineData(65520f), InlineData(float.PositiveInfinity), InlineData(float.NaN)]
    public void F16Weights_WeightThatDoesNotFit_IsRefused(float weight)
    {
        using IBackend backend = CpuBackend.Create(threads: 1, arithmetic: ByVectors("F16Weights"));
        using var space = new OpWorkspace(backend, nameof(PrecisionTests));
        PackedMatrix matrix = space.EmptyMatrix(2, 3);
        backend.PackMatrix(space.Given([1, 2, 65504, -65504, 1e-8f, 0], 2, 3), 0, matrix);
        Assert.Throws<ArgumentException>(() => backend.PackMatrix(space.Given([1, 2, weight], 1, 3), 1, matrix));
    }

    [Fact]
    public void Bf16_OfEveryClassOfNumber_RoundsToNearestEven()
    {
        (float Value, ushort Bits)[] cases =
        [
            (0f, 0), (-0f, 0x8000), (1f, 0x3f80), (-2.5f, 0xc020), (float.PositiveInfinity, 0x7f80), (float.NegativeInfinity, 0xff80),
            (BitConverter.UInt32BitsToSingle(0x3f808000), 0x3f80), (BitConverter.UInt32BitsToSingle(0x3f818000), 0x3f82), (BitConverter.UInt32BitsToSingle(0x3f808001), 0x3f81),
            (float.MaxValue, 0x7f80), (float.Epsilon, 0), (BitConverter.UInt32BitsToSingle(0x00018000), 2),
        ];
        foreach ((float value, ushort bits) in cases) Assert.Equal(bits, BFloat16.FromSingle(value));
        foreach (uint nan in new[] { 0x7f800001u, 0x7fffffffu, 0xffc00000u })
            Assert.True(float.IsNaN(BFloat16.ToSingle(BFloat16.FromSingle(BitConverter.UInt32BitsToSingle(nan)))));
    }

    /// <summary>Of every upper half, below, on and above the tie; the vectors of all widths, which .NET can do on any processor.</summary>
    [Fact]
    public void RoundRows_OfAnyWidth_IsAsOneByOne()
    {
        CheckRounding<Set128, Vector128<float>>();
        CheckRounding<Set256, Vector256<float>>();
        CheckRounding<Set512, Vector512<float>>();
    }

    static unsafe void CheckRounding<TSet, TVector>() where TSet : struct, IVectorSet<TVector> where TVector : struct
    {
        const int Columns = 35, Pitch = 36;
        uint[] lower = [0, 1, 0x7fff, 0x8000, 0x8001];
        float[] values = [.. Enumerable.Range(0, 1 << 16).SelectMany(upper => lower.Select(bits => BitConverter.UInt32BitsToSingle((uint)upper << 16 | bits)))];
        int rows = values.Length / Columns;
        var rounded = new ushort[rows * Pitch];
        var wide = new float[rows * Pitch];
        fixed (float* x = values, to = wide)
        fixed (ushort* narrow = rounded)
        {
            for (int task = 0; task < RowTasks.Count(rows); task++)
            {
                new RoundRowsWork<TSet, TVector>(new Rows(x, Columns), rows, Columns, narrow, null, Pitch).Run(task, worker: 0);
                new RoundRowsWork<TSet, TVector>(new Rows(x, Columns), rows, Columns, null, to, Pitch).Run(task, worker: 0);
            }
        }
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < Columns; column++)
            {
                ushort expected = BFloat16.FromSingle(values[row * Columns + column]);
                Assert.Equal(expected, rounded[row * Pitch + column]);
                Assert.Equal((uint)expected << 16, BitConverter.SingleToUInt32Bits(wide[row * Pitch + column]));
            }
            Assert.Equal(0, rounded[row * Pitch + Columns]);
        }
    }

    /// <summary>What attention's kernels of bfloat16 read, in all widths: it is written over the float32 it is made of.</summary>
    [Fact]
    public void Narrow_InPlace_HasPairsAndZerosToTheLast()
    {
        CheckNarrowing<Set128, Vector128<float>>();
        CheckNarrowing<Set256, Vector256<float>>();
        CheckNarrowing<Set512, Vector512<float>>();
    }

    static unsafe void CheckNarrowing<TSet, TVector>() where TSet : struct, IVectorSet<TVector> where TVector : struct
    {
        int width = 2 * TSet.Width;
        foreach (int depth in new[] { 1, 2, 5, 37 })
        {
            float[] values = [.. Enumerable.Range(0, depth * width).Select(i => MathF.Sin(i + 1))], panel = [.. values], row = [.. values];
            fixed (float* a = panel, b = row)
            {
                AttentionPanels<TSet, TVector>.NarrowPanel(a, depth);
                for (int i = 0; i < (depth + 1) / 2 * 2 * width; i++)
                {
                    int step = i / (2 * width) * 2 + i % 2, column = i / 2 % width;
                    Assert.Equal(step < depth ? BFloat16.FromSingle(values[step * width + column]) : 0, ((ushort*)a)[i]);
                }
                AttentionPanels<TSet, TVector>.Narrow(b, depth);
                for (int i = 0; i < (depth + 1) / 2 * 2; i++) Assert.Equal(i < depth ? BFloat16.FromSingle(values[i]) : 0, ((ushort*)b)[i]);
            }
        }
    }

    static IEnumerable<OpCase> Attentions() => OpTable.All.Where(op => op.Operation == "Attention");

    /// <summary>An exponential that lies nearer to a tie than its own error may be rounded either way; all else is as exact as in float32.</summary>
    static float[] CheckAttention(OpCase op, IBackend backend)
    {
        float[] expected = op.Run(new ReferenceBackend(precision: Precision.Bf16)), actual = op.Run(backend);
        float[] doubts = op.Run(new ReferenceBackend(precision: Precision.Bf16, doubt: op.Tolerance.Absolute));
        for (int i = 0; i < expected.Length; i++)
        {
            double error = Math.Abs((double)actual[i] - expected[i]), allowed = op.Tolerance.Allowance(expected[i]) + doubts[i];
            Assert.True(error <= allowed, $"{op}: element {i} is {actual[i]:R}, expected {expected[i]:R}: off by {error:G3}, allowed {allowed:G3}.");
        }
        return actual;
    }

    static float[] Attend(IBackend backend, PrecisionFloor floor)
    {
        using var space = new OpWorkspace(backend, nameof(PrecisionTests));
        Tensor q = space.Random(1, 19, 32), k = space.Random(1, 19, 32), v = space.Random(1, 19, 32), y = space.Output(1, 19, 32);
        backend.Attention(q, k, v, heads: 2, causal: false, y, floor);
        var results = new float[y.Shape.Elements];
        backend.Download(y, results);
        return results;
    }

    static IEnumerable<OpCase> Products() => OpTable.All.Where(op => op.Operation is "Linear" or "LinearActivate" or "LinearAdd");

    static float[] TextVector(TinyModel folder, string precision)
    {
        int[] ids = [598, 7, 301, 44, 599];
        using IBackend backend = CpuBackend.Create(threads: 1, arithmetic: ByVectors(precision));
        using var weights = new PrefixedWeights(WeightFiles.Open(folder.Folder));
        using var model = new ClipSegModel(backend, TinyModel.Config, weights);
        using Plan text = model.TextPlan(batch: 1, ids.Length);
        backend.Upload(ids, text.Inputs[0]);
        backend.Upload([ids.Length - 1], text.Inputs[1]);
        text.Run();
        var vector = new float[TinyModel.Config.ProjectionSize];
        backend.Download(text.Outputs[0], vector);
        return vector;
    }

    static CpuArithmetic ByVectors(string precision)
    {
        CpuArithmetic? arithmetic = CpuArithmetic.ByVectors(Enum.Parse<Precision>(precision), CpuInstructionSets.Best);
        Assert.SkipWhen(arithmetic is null, $"There are no {precision} products in {CpuInstructionSets.Best.Name()}.");
        return arithmetic;
    }

    static void Check(CpuArithmetic arithmetic, CpuInstructionSet set, int threads)
    {
        bool paired = arithmetic.FormatFor(1) == WeightFormat.Int8Signed;
        using IBackend backend = CpuBackend.Create(set, threads, arithmetic);
        foreach (OpCase op in Products()) Difference.Of(op.Run(new ReferenceBackend(precision: arithmetic.Precision, paired: paired)), op.Run(backend), op.Tolerance);
    }

    /// <summary>Pairs of bytes as large as they may be, and larger if they were not bounded, barely fit the 16 bits that AVX2 has for their products.</summary>
    [Theory, InlineData(91f, 90f), InlineData(-90f, -91f), InlineData(127f, 127f), InlineData(-127f, -127f)]
    public void Int8_LargestPairs_DoNotOverflow(float even, float odd)
    {
        CpuBackends.SkipUnlessTested(CpuInstructionSet.Avx2);
        const int Inputs = 256, Outputs = 16;
        using IBackend backend = CpuBackend.Create(threads: 1, arithmetic: CpuArithmetic.Int8ByAvx2());
        using var space = new OpWorkspace(backend, nameof(PrecisionTests));
        float[] weights = [.. Enumerable.Range(0, Inputs * Outputs).Select(i => i % 2 == 0 ? even : odd)];
        PackedMatrix matrix = space.EmptyMatrix(Outputs, Inputs);
        backend.PackMatrix(space.Given(weights, Outputs, Inputs), 0, matrix);
        Tensor x = space.Given([.. Enumerable.Repeat(1f, Inputs)], 1, Inputs), y = space.Output(1, Outputs);
        backend.Linear(x, matrix, default, y);
        var results = new float[Outputs];
        backend.Download(y, results);
        float expected = Inputs / 2 * (even + odd);
        Assert.All(results, result => Assert.Equal(expected, result, Math.Abs(expected) * 0.01));
    }
}
