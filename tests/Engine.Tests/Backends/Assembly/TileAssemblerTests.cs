using ClipSegNative.Backends.Cpu;
using ClipSegNative.Backends.Cpu.Assembly;
using ClipSegNative.Interop;
using Iced.Intel;

namespace ClipSegNative.Tests.Backends.Assembly;

public unsafe class TileAssemblerTests
{
    static readonly int[] Steps = [1, 2, 3, 16, 37];

    public static TheoryData<string, string> Kinds =>
        [.. from kind in Enum.GetNames<TileKind>() from convention in Enum.GetNames<CallingConvention>() select (kind, convention)];

    /// <summary>On any processor: the emitted bytes, decoded and interpreted.</summary>
    [Theory, MemberData(nameof(Kinds))]
    public void Kernel_EverySize_Interpreted_IsTheProduct(string kindName, string conventionName)
    {
        (var kind, var convention) = (Enum.Parse<TileKind>(kindName), Enum.Parse<CallingConvention>(conventionName));
        foreach ((int rows, int vectors) in Sizes())
            foreach (int steps in Steps)
            {
                using var operands = new TileOperands(kind, rows, vectors, steps);
                Interpret(TileAssembler.Assemble(kind, rows, vectors, convention), convention, operands, steps);
                operands.Check();
            }
    }

    /// <summary>On processors that have the instructions: the same code, by itself, with guard pages behind every operand.</summary>
    [Theory, InlineData("Bf16"), InlineData("Int8")]
    public void Kernel_EverySize_Executed_IsTheProduct(string kindName)
    {
        var kind = Enum.Parse<TileKind>(kindName);
        Assert.SkipUnless(kind == TileKind.Bf16 ? ProcessorFeatures.Avx512Bf16 : ProcessorFeatures.Avx512Vnni, "This processor lacks the instruction.");
        using TileKernels? kernels = TileKernels.TryCreate(kind, new SystemPages(), out string problem);
        Assert.SkipWhen(kernels is null, problem);
        foreach ((int rows, int vectors) in Sizes())
            foreach (int steps in (int[])[.. Steps, 384, 1536])
            {
                using var operands = new TileOperands(kind, rows, vectors, steps);
                kernels[rows, vectors](operands.A.Start, operands.B.Start, operands.C.Start, steps, operands.APitch, operands.CPitch);
                operands.Check();
            }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Kernel_Any_GivesRegistersBack(string kindName, string conventionName)
    {
        (var kind, var convention) = (Enum.Parse<TileKind>(kindName), Enum.Parse<CallingConvention>(conventionName));
        Register[] kept = [Register.RBX, Register.RBP, Register.R12, Register.R13, Register.R14, Register.R15];
        if (convention == CallingConvention.Windows) kept = [.. kept, Register.RDI, Register.RSI];
        foreach ((int rows, int vectors) in Sizes())
        {
            using var operands = new TileOperands(kind, rows, vectors, 3);
            KernelInterpreter machine = Interpret(TileAssembler.Assemble(kind, rows, vectors, convention), convention, operands, 3, before =>
            {
                foreach (Register register in kept) before[register] = 1000 + (ulong)register;
                for (int i = 6; i < 16; i++) before.Vector(i).Fill((byte)i);
            });
            foreach (Register register in kept) Assert.Equal(1000 + (ulong)register, machine[register]);
            // Upper halves belong to nobody, but full ones would slow down code of the time before AVX.
            for (int i = 0; i < 16; i++)
            {
                if (convention == CallingConvention.Windows && i >= 6) Assert.All(machine.Vector(i)[..16].ToArray(), value => Assert.Equal(i, value));
                Assert.All(machine.Vector(i)[16..].ToArray(), value => Assert.Equal(0, value));
            }
        }
    }

    /// <summary>A test of the tests: a kernel of one row more than there is must be caught.</summary>
    [Fact]
    public void Interpreter_ReadOutsideTheOperands_IsRefused()
    {
        using var operands = new TileOperands(TileKind.Bf16, rows: 4, vectors: 2, steps: 3);
        byte[] code = TileAssembler.Assemble(TileKind.Bf16, rows: 5, vectors: 2, CallingConvention.SystemV);
        Assert.Throws<InvalidOperationException>(() => Interpret(code, CallingConvention.SystemV, operands, 3));
    }

    [Theory, InlineData(0, 1), InlineData(15, 1), InlineData(3, 0), InlineData(3, 3)]
    public void Assemble_SizeThatIsNone_IsRefused(int rows, int vectors) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => TileAssembler.Assemble(TileKind.Int8, rows, vectors, CallingConvention.SystemV));

    [Fact]
    public void Disassemble_LargestKernel_NamesItsInstructions()
    {
        string text = TileKernels.Disassemble(TileKind.Bf16, TileAssembler.MostRows, TileAssembler.MostVectors, CallingConvention.SystemV);
        Assert.Equal(28, text.Split('\n').Count(line => line.Contains("vdpbf16ps", StringComparison.Ordinal)));
        Assert.EndsWith("ret\n", text);
    }

    [Fact]
    public void TryCreate_RefusedMemory_SaysWhy()
    {
        Assert.Null(TileKernels.TryCreate(TileKind.Bf16, new FakePages { Refuse = "ReadExecute" }, out string problem));
        Assert.Equal("this system allows no such pages", problem);
    }

    static IEnumerable<(int Rows, int Vectors)> Sizes() =>
        from rows in Enumerable.Range(1, TileAssembler.MostRows) from vectors in Enumerable.Range(1, TileAssembler.MostVectors) select (rows, vectors);

    static KernelInterpreter Interpret(byte[] code, CallingConvention convention, TileOperands operands, int steps, Action<KernelInterpreter>? prepare = null)
    {
        var machine = new KernelInterpreter(code);
        machine.Allow(operands.A.Start, operands.A.Bytes, writable: false);
        machine.Allow(operands.B.Start, operands.B.Bytes, writable: false);
        machine.Allow(operands.C.Start, operands.C.Bytes, writable: true);
        prepare?.Invoke(machine);
        ulong[] arguments = [(ulong)operands.A.Start, (ulong)operands.B.Start, (ulong)operands.C.Start, (ulong)steps, (ulong)operands.APitch, (ulong)operands.CPitch];
        Register[] registers = convention == CallingConvention.SystemV
            ? [Register.RDI, Register.RSI, Register.RDX, Register.RCX, Register.R8, Register.R9]
            : [Register.RCX, Register.RDX, Register.R8, Register.R9];
        for (int i = 0; i < registers.Length; i++) machine[registers[i]] = arguments[i];
        machine.Call(arguments.AsSpan(registers.Length), home: convention == CallingConvention.SystemV ? 0 : 4 * sizeof(ulong));
        return machine;
    }
}
