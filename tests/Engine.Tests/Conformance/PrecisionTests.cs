using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Backends;
using ClipSegNative.Tests.Backends.Assembly;
using ClipSegNative.Tests.Reference;

namespace ClipSegNative.Tests.Conformance;

/// <summary>Products in less than float32, against double precision on operands rounded by definition.</summary>
public class PrecisionTests
{
    static readonly Precision[] Reduced = [.. Enum.GetValues<Precision>().Except([Precision.Fp32])];

    public static TheoryData<string, string, int> Paths =>
        new(from precision in Reduced from set in Enum.GetNames<CpuInstructionSet>() from threads in (int[])[1, 3] select ($"{precision}", set, threads));

    public static TheoryData<string> Precisions => [.. Reduced.Select(precision => $"{precision}")];

    [Theory, MemberData(nameof(Paths))]
    public void Linear_ByVectors_AgreesWithReference(string precision, string set, int threads)
    {
        var instructions = Enum.Parse<CpuInstructionSet>(set);
        Assert.SkipUnless(CpuInstructionSets.IsSupported(instructions), $"This processor has no {instructions.Name()}.");
        Check(Enum.Parse<Precision>(precision), CpuBackend.Create(instructions, threads, CpuArithmetic.Portable(Enum.Parse<Precision>(precision))));
    }

    /// <summary>The path that users get.</summary>
    [Theory, MemberData(nameof(Precisions))]
    public void Linear_AsChosen_AgreesWithReference(string name)
    {
        var precision = Enum.Parse<Precision>(name);
        CpuArithmetic arithmetic = CpuArithmetic.Choose(precision, CpuInstructionSets.Best, pages: null, out string? warning);
        if (arithmetic.Precision != precision) arithmetic.Dispose();
        Assert.SkipUnless(arithmetic.Precision == precision, warning ?? "");
        Check(precision, CpuBackend.Create(threads: 2, arithmetic: arithmetic));
    }

    [Theory, MemberData(nameof(Precisions))]
    public void Linear_Repeated_AllocatesNothing(string name)
    {
        using IBackend backend = CpuBackend.Create(threads: 2, arithmetic: CpuArithmetic.Portable(Enum.Parse<Precision>(name)));
        foreach (OpCase op in Products().Take(20))
        {
            using var space = new OpWorkspace(backend, op.Name);
            Action<IBackend> enqueue = op.Build(space);
            long allocated = Allocations.Of(() => enqueue(backend));
            Assert.True(allocated == 0, $"{op} allocated {allocated} bytes.");
        }
    }

    [Fact]
    public void Convolution_OfAMatrixThatIsNotExact_IsRefused()
    {
        using IBackend backend = CpuBackend.Create(threads: 1, arithmetic: CpuArithmetic.Portable(Precision.Bf16));
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
        Assert.Equal(0, pages.Held);
        using CpuArithmetic full = CpuArithmetic.Choose(Precision.Fp32, CpuInstructionSets.Best, pages, out string? none);
        Assert.Null(none);
    }

    /// <summary>What is not a number must not become one on the way.</summary>
    [Theory, MemberData(nameof(Precisions))]
    public void Linear_NotANumberInOneRow_StaysThere(string name)
    {
        using IBackend backend = CpuBackend.Create(threads: 1, arithmetic: CpuArithmetic.Portable(Enum.Parse<Precision>(name)));
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

    static IEnumerable<OpCase> Products() => OpTable.All.Where(op => op.Operation is "Linear" or "LinearActivate" or "LinearAdd");

    static void Check(Precision precision, IBackend backend)
    {
        using (backend)
        {
            foreach (OpCase op in Products()) Difference.Of(op.Run(new ReferenceBackend(precision: precision)), op.Run(backend), op.Tolerance);
        }
    }
}
