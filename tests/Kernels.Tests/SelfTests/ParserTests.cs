using ClipSegNative.Tests.Kernels.Ptx;
using ClipSegNative.Tests.Kernels.Ptx.Execution;

namespace ClipSegNative.Tests.Kernels.SelfTests;

/// <summary>What the interpreter does not know is an error with its line, never a guess.</summary>
public class ParserTests
{
    [Theory]
    [InlineData("frobnicate.b32 %r1, %r0;", "unknown opcode frobnicate")]
    [InlineData("add.cc.u32 %r1, %r0, %r0;", "a type that the instruction is interpreted for expected instead of .cc")]
    [InlineData("add.u32.wide %r1, %r0, %r0;", "unknown modifier .wide")]
    [InlineData("add.rz.f32 %f1, %f0, %f0;", "expected instead of .rz")]
    [InlineData("add.rn.s32 %r1, %r0, %r0;", "integers are not rounded")]
    [InlineData("fma.f32 %f1, %f0, %f0, %f0;", ".rn expected instead of .f32")]
    [InlineData("mul.u32 %r1, %r0, %r0;", "expected instead of .u32")]
    [InlineData("add.u32 %r1, %r99, %r0;", "unknown register or variable %r99")]
    [InlineData("add.u32 %q1, %r0, %r0;", "unknown register %q1")]
    [InlineData("add.u32 %r1, %r0;", "an operand is missing")]
    [InlineData("add.u32 %r1, %r0, %r0, %r0;", "4 operands instead of 3")]
    [InlineData("add.u32 %r1, %r0, %rd0;", "%rd0 is a .b64, not a .u32")]
    [InlineData("add.u32 %r1, %r0, %f0;", "%f0 is a .f32, not a .u32")]
    [InlineData("add.f32 %f1, %f0, 1;", "an operand is no .f32")]
    [InlineData("add.u32 %r1, %r0, 0f3F800000;", "an operand is no .u32")]
    [InlineData("and.b16 %h1, %h0, 70000;", "70000 has more than 16 bits")]
    [InlineData("mov.u32 %tid.x, 1;", "%tid.x cannot be written")]
    [InlineData("mov.u32 %r1, %clock;", "unknown register or variable %clock")]
    [InlineData("bra $NOWHERE;", "unknown label $NOWHERE")]
    [InlineData("@%r0 bra $L;\n$L:", "%r0 is no predicate")]
    [InlineData("ld.global.u32 %r1, %rd0;", "an address expected")]
    [InlineData("ld.global.u32 %r1, [%r0];", "%r0 cannot hold an address")]
    [InlineData("ld.global.u64 %r1, [%rd0];", "%r1 is a .b32, not a .u64")]
    [InlineData("ld.global.v4.u64 {%rd0, %rd1, %rd2, %rd3}, [%rd0];", "an access has at most 16 bytes")]
    [InlineData("ld.global.v2.u32 {%r1, %r2, %r3}, [%rd0];", "a vector of 2 expected")]
    [InlineData("ld.global.xx.u32 %r1, [%rd0];", "expected instead of .xx")]
    [InlineData("ld.param.u32 %r1, [nothing];", "a parameter expected")]
    [InlineData("ld.param.u64 %rd1, [output+8];", "the parameter has 8 bytes")]
    [InlineData("ld.shared.u32 %r1, [nothing];", "unknown register or variable")]
    [InlineData("st.const.u32 [%rd0], %r0;", "the space cannot be written")]
    [InlineData("cvt.f32.s32 %f1, %r0;", "only .rn is interpreted")]
    [InlineData("cvt.s32.f32 %r1, %f0;", "a rounding to an integer is missing")]
    [InlineData("cvt.f32.f64 %f1, %fd0;", "such a rounding is not interpreted")]
    [InlineData("setp.lt.b32 %p1, %r0, %r0;", "bits are only equal or not")]
    [InlineData("setp.ltu.s32 %p1, %r0, %r0;", "integers are not compared by .ltu")]
    [InlineData("setp.lo.f32 %p1, %f0, %f0;", "floats are not compared by .lo")]
    [InlineData("bar.sync 1;", "1 is not between 0 and 0")]
    [InlineData("shfl.bfly.b32 %r1, %r0, 1, 31;", ".sync expected instead of .bfly")]
    [InlineData("cp.async.cg.shared.global [%r0], [%rd0], 8;", "past the first cache 16 bytes are copied")]
    [InlineData("mma.sync.aligned.m16n8k16.row.row.f32.f16.f16.f32 {%f0}, {%r0}, {%r0}, {%f0};", ".col expected instead of .row")]
    [InlineData("mma.sync.aligned.m16n8k16.row.col.f32.f16.bf16.f32 {%f0}, {%r0}, {%r0}, {%f0};", "expected instead of .bf16")]
    [InlineData(".local .b8 stack[4];", "local memory is not interpreted")]
    [InlineData(".loc 1 2 3;", "a name expected instead of '.loc'")]
    [InlineData(".reg .u8 %b;", "a register has at least 16 bits")]
    [InlineData(".reg .b32 %r;\n.reg .b32 %r0;", "the register is declared twice")]
    [InlineData(".pragma \"other\";", "unknown pragma")]
    [InlineData("call f;", "unknown opcode call")]
    public void Body(string statement, string problem)
    {
        string text = Snippet.Text($"\n{statement}");
        PtxException error = Assert.Throws<PtxException>(() => PtxModule.Parse(text));
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        int line = Snippet.LineOf(text, statement);
        Assert.InRange(error.Line, line, line + 1);
    }

    [Theory]
    [InlineData("", "'.version' expected")]
    [InlineData(".version 7.0 .target sm_80 .address_size 32", "addresses must have 64 bits")]
    [InlineData(".version 7.0 .target host .address_size 64", "'host' is no target")]
    [InlineData(".version 7.0 .target sm_80 .address_size 64 .func f() { ret; }", "unknown directive '.func'")]
    [InlineData(".version 7.0 .target sm_80 .address_size 64 .shared .b8 x[];", "the variable needs a size")]
    [InlineData(".version 7.0 .target sm_80 .address_size 64 .extern .shared .b8 x[4];", "no size of its own")]
    [InlineData(".version 7.0 .target sm_80 .address_size 64 .const .u32 x[1] = {1, 2};", "more values than elements")]
    [InlineData(".version 7.0 .target sm_80 .address_size 64 .shared .u32 x = 1;", "shared memory cannot be initialised")]
    [InlineData(".version 7.0 .target sm_80 .address_size 64 .shared .align 3 .b8 x[4];", "an alignment of 3 is no power of two")]
    [InlineData(".version 7.0 .target sm_80 .address_size 64 .entry k() { ret;", "the text ends too early")]
    [InlineData(".version 7.0 .target sm_80 .address_size 64 .entry k() { }", "the kernel does not end with ret")]
    [InlineData(".version 7.0 .target sm_80 .address_size 64 .entry k() .fast { ret; }", "unknown directive '.fast'")]
    [InlineData(".version 7.0 .target sm_80 .address_size 64 .entry k() { ret; } .entry k() { ret; }", "the kernel stands twice")]
    [InlineData(".version 7.0 .target sm_80 .address_size 64 .entry k() { L: L: ret; }", "the label stands twice")]
    [InlineData(".version 7.0 .target sm_80 .address_size 64 .entry k() { bra L; ret; L: }", "nothing stands behind the label L")]
    public void Module(string text, string problem) =>
        Assert.Contains(problem, Assert.Throws<PtxException>(() => PtxModule.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Scopes_OfInlineAssembly_HideRegistersOfTheSameName()
    {
        uint[] result = Snippet.Run(
            """
            mov.u32 %r1, 1;
            {
            .reg .b32 %r1;
            .reg .b16 lo, hi;
            mov.b32 {lo, hi}, %r0;
            mov.u32 %r1, 5;
            cvt.u32.u16 %r2, lo;
            };
            add.u32 %r1, %r1, %r2;
            st.global.u32 [%rd1], %r1;
            """,
            threads: 3);
        Assert.Equal([1u, 2, 3], result);
    }

    [Fact]
    public void Directives_OfAKernel_AreKept()
    {
        Kernel kernel = PtxModule.Parse(Snippet.Text("", directives: ".maxntid 8, 4, 1\n.minnctapersm 2")).Kernels["k"];
        Assert.Equal((32, false), (kernel.MaxThreads, kernel.ExactThreads));
        Kernel exact = PtxModule.Parse(Snippet.Text("", directives: ".reqntid 32")).Kernels["k"];
        Assert.Equal((32, true), (exact.MaxThreads, exact.ExactThreads));
    }
}
