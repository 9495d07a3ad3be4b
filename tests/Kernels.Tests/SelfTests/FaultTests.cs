using ClipSegNative.Interop;
using ClipSegNative.Tests.Kernels.Ptx;
using ClipSegNative.Tests.Kernels.Ptx.Execution;

namespace ClipSegNative.Tests.Kernels.SelfTests;

/// <summary>Every check fires, at the thread and the line (marked by an exclamation mark) that are wrong, and not before.</summary>
public class FaultTests
{
    const int Threads = 64;

    /// <summary>%r3 is the address of the thread's word in shared memory.</summary>
    const string OwnWord = "mov.u32 %r2, words; shl.b32 %r3, %r0, 2; add.u32 %r3, %r3, %r2;";

    [Theory]
    [InlineData("st.global.u32 [%rd1+4], %r0; // !", 63)]
    [InlineData("ld.global.u32 %r1, [%rd1+-4]; // !", 0)]
    [InlineData("mov.u64 %rd2, 0;\n ld.u32 %r1, [%rd2]; // !", 0)]
    [InlineData("mov.u64 %rd2, 0x123456789abcdef0;\n st.global.u32 [%rd2], %r0; // !", 0)]
    [InlineData("red.global.add.u32 [%rd1+252], 1; // !", 1)]
    [InlineData("cp.async.ca.shared.global [%r3], [%rd1+8], 4; // !", 62)]
    [InlineData("st.shared.u32 [%r3+4], %r0; // !", 63)]
    [InlineData("add.u32 %r3, %r3, -8;\n st.shared.u32 [%r3], %r0; // !", 0)]
    [InlineData("st.shared.u32 [%r3+1024], %r0; // !", 0)]
    [InlineData("mov.u32 %r3, 248;\n cp.async.cg.shared.global [%r3+8], [%rd0], 16; // !", 0)]
    public void OutOfBounds(string body, int thread) => Fires<OutOfBoundsException>($"{OwnWord}\n{body}", thread);

    [Theory]
    [InlineData("st.global.u32 [%rd0+2], %r0; // !", 0)]
    [InlineData("ld.global.v2.u32 {%r4, %r5}, [%rd1]; // !", 1)]
    [InlineData("ld.global.v4.f32 {%f0, %f1, %f2, %f3}, [%rd0+8]; // !", 0)]
    [InlineData("st.shared.u64 [%r3], %rd0; // !", 1)]
    [InlineData("st.shared.u16 [%r3+1], %r0; // !", 0)]
    [InlineData("cp.async.cg.shared.global [%r3], [%rd0], 16; // !", 1)]
    [InlineData("cp.async.ca.shared.global [%r3], [%rd0+4], 8, 4; // !", 0)]
    public void Misaligned(string body, int thread) => Fires<MisalignedException>($"{OwnWord}\n{body}", thread);

    [Theory]
    [InlineData("setp.lt.u32 %p1, %r0, 5;\n @%p1 mov.u32 %r1, 1;\n add.u32 %r4, %r1, 1; // !", 5)]
    [InlineData("st.global.f32 [%rd1], %f1; // !", 0)]
    [InlineData("@%p5 st.global.u32 [%rd1], %r0; // !", 0)]
    [InlineData("mov.f32 %f2, %f1;\n add.f32 %f3, %f2, %f2; // !", 0)]
    [InlineData("setp.lt.u32 %p1, %r0, 40;\n selp.u32 %r4, %r0, %r1, %p1;\n st.global.u32 [%rd1], %r4; // !", 40)]
    [InlineData("selp.u32 %r4, %r0, %r0, %p1; // !", 0)]
    [InlineData("ld.shared.u32 %r4, [%r3]; // !", 0)]
    [InlineData("st.shared.u16 [%r3], %r0;\n ld.shared.u32 %r4, [%r3]; // !", 0)]
    [InlineData("atom.shared.add.u32 %r4, [%r3], 1; // !", 0)]
    public void Uninitialised(string body, int thread) => Fires<UninitialisedReadException>($"{OwnWord}\n{body}", thread);

    [Fact]
    public void Uninitialised_Global_OfWhichHalfWasWritten()
    {
        string text = Snippet.Text("st.global.u16 [%rd0], %r0;\n ld.global.u16 %r1, [%rd0];\n ld.global.u32 %r1, [%rd0];");
        using InterpretedDevice device = new(PtxModule.Parse(text));
        ulong output = device.Allocate(4);
        UninitialisedReadException fault = Assert.Throws<UninitialisedReadException>(() => device.Launch("k", new CudaExtent(1), new CudaExtent(1), 0, [output]));
        Assert.Equal(Snippet.LineOf(text, "ld.global.u32"), fault.Site.Line);
    }

    [Theory]
    [InlineData("mov.u64 %rd2, table;\n cvta.const.u64 %rd2, %rd2;\n st.u32 [%rd2], %r0; // !")]
    public void ReadOnly_Constants(string body) => Fires<ReadOnlyWriteException>(body, 0);

    [Theory]
    [InlineData("st.global.u32 [%rd1], %r0;")]
    [InlineData("red.global.add.u32 [%rd1], %r0;")]
    public void ReadOnly_ProtectedAllocations(string body)
    {
        using InterpretedDevice device = new(PtxModule.Parse(Snippet.Text(body)));
        ulong output = device.Allocate(4);
        device.Write<int>(output, [1]);
        device.Protect(output);
        Assert.Throws<ReadOnlyWriteException>(() => device.Launch("k", new CudaExtent(1), new CudaExtent(1), 0, [output]));
    }

    [Theory]
    [InlineData("div.u32 %r1, 5, %r0; // !", 0)]
    [InlineData("rem.s32 %r1, 5, %r0; // !", 0)]
    [InlineData("setp.eq.u32 %p1, %r0, 40;\n @%p1 trap; // !", 40)]
    [InlineData("mov.u32 %r1, 5;\n cp.async.ca.shared.global [0], [%rd0], 4, %r1; // !", 0)]
    public void UndefinedResult(string body, int thread) => Fires<UndefinedResultException>(body, thread);

    [Fact]
    public void UndefinedResult_OfAShuffleFromALaneOutside() =>
        Fires<UndefinedResultException>("setp.lt.u32 %p1, %r0, 8;\n @%p1 shfl.sync.bfly.b32 %r1, %r0, 8, 31, 0xff; // !", 0);

    [Fact]
    public void StepLimit_OfAnEndlessLoop()
    {
        using InterpretedDevice device = new(PtxModule.Parse(Snippet.Text("$L: bra $L;"))) { StepLimit = 1000 };
        Assert.Throws<StepLimitException>(() => device.Launch("k", new CudaExtent(1), new CudaExtent(1), 0, [0]));
    }

    [Fact]
    public void Site_OfAFault_HasBlockThreadAndText()
    {
        string text = Snippet.Text("mov.u32 %r1, %ctaid.y; mov.u32 %r2, %tid.z; add.u32 %r1, %r1, %r2;\n setp.eq.u32 %p1, %r1, 5;\n @%p1 st.global.u32 [%rd0+64],\t%r0;");
        using InterpretedDevice device = new(PtxModule.Parse(text));
        ulong output = device.Allocate(64);
        OutOfBoundsException fault = Assert.Throws<OutOfBoundsException>(() => device.Launch("k", new CudaExtent(1, 4), new CudaExtent(2, 2, 3), 0, [output]));
        Assert.Equal(
            new FaultSite("k", new CudaExtent(0, 3, 0), new CudaExtent(0, 0, 2), Snippet.LineOf(text, "@%p1 st"), "@%p1 st.global.u32 [%rd0+64], %r0"), fault.Site);
        Assert.Contains("Bytes 64 to 68 of allocation 1 (64 bytes", fault.Message, StringComparison.Ordinal);
        Assert.EndsWith($"k, block (0, 3, 0), thread (0, 0, 2), line {fault.Site.Line}: {fault.Site.Text}", fault.Message, StringComparison.Ordinal);
    }

    /// <summary>In 64 threads with a word each, in global memory (which is written) and in shared memory (which is not).</summary>
    internal static void Fires<TFault>(string body, int thread) where TFault : KernelFaultException
    {
        string text = Snippet.Text(body, ".shared .align 16 .b8 words[256]; .const .u32 table = 1;");
        using InterpretedDevice device = new(PtxModule.Parse(text));
        ulong output = device.Allocate(4 * Threads);
        device.Write<uint>(output, new uint[Threads]);
        TFault fault = Assert.Throws<TFault>(() => device.Launch("k", new CudaExtent(1), new CudaExtent(Threads), 0, [output]));
        Assert.Equal((Snippet.LineOf(text, "// !"), (uint)thread), (fault.Site.Line, fault.Site.Thread.X));
    }

    internal static void Passes(string body)
    {
        using InterpretedDevice device = new(PtxModule.Parse(Snippet.Text(body, ".shared .align 16 .b8 words[256];")));
        ulong output = device.Allocate(4 * Threads);
        device.Write<uint>(output, new uint[Threads]);
        device.Launch("k", new CudaExtent(1), new CudaExtent(Threads), 0, [output]);
    }
}
