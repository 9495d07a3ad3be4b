using ClipSegNative.Tests.Kernels.Ptx.Execution;

namespace ClipSegNative.Tests.Kernels.SelfTests;

/// <summary>Races in shared memory, barriers and instructions of a warp: what is missing is noticed, what is there is enough.</summary>
public class OrderTests
{
    /// <summary>
    /// %r3 is the address of the thread's word in shared memory, %r4 that of the other warp's, %r5 that of the neighbour in the warp. %p1 are the even
    /// threads, %p2 those of the second warp, which runs after the first as far as barriers let it.
    /// </summary>
    const string Addresses = """
        mov.u32 %r2, words;
        shl.b32 %r3, %r0, 2;
        add.u32 %r3, %r3, %r2;
        xor.b32 %r4, %r3, 128;
        xor.b32 %r5, %r3, 4;
        mov.u32 %r6, 1;
        and.b32 %r7, %r0, 1;
        setp.eq.u32 %p1, %r7, 0;
        setp.ge.u32 %p2, %r0, 32;

        """;

    const string WriteThenReadOther = "st.shared.u32 [%r3], %r0;\n bar.sync 0;\n ld.shared.u32 %r1, [%r4]; // !\n";

    [Theory]
    [InlineData(WriteThenReadOther)]
    [InlineData(WriteThenReadOther + "bar.sync 0;\n st.shared.u32 [%r3], %r1;")]
    [InlineData("st.shared.u32 [%r3], %r0;\n bar.warp.sync -1;\n ld.shared.u32 %r1, [%r5]; // !\n bar.warp.sync -1;\n st.shared.u32 [%r3], %r1;")]
    [InlineData("st.shared.u32 [%r3], %r0;\n ld.shared.u32 %r1, [%r3];\n st.shared.u32 [%r3], %r1;")]
    [InlineData("st.shared.u32 [%r3], %r6;\n bar.sync 0;\n red.shared.add.u32 [words], %r0;\n bar.sync 0;\n ld.shared.u32 %r1, [words];")]
    [InlineData("shr.u32 %r8, %r3, 2;\n st.shared.u8 [%r8], %r0;")]
    public void Order_ThatIsThere_IsEnough(string body) => FaultTests.Passes(Addresses + body);

    [Theory]
    [InlineData("st.shared.u32 [%r3], %r0;\n ld.shared.u32 %r1, [%r5]; // !", 0)]
    [InlineData("st.shared.u32 [%r3], %r0;\n bar.sync 0;\n ld.shared.u32 %r1, [%r4]; // !\n st.shared.u32 [%r3], %r1;", 32)]
    [InlineData("st.shared.u32 [%r3], %r0;\n bar.warp.sync -1;\n ld.shared.u32 %r1, [%r5];\n st.shared.u32 [%r3], %r1; // !", 0)]
    [InlineData("st.shared.u32 [words], %r0; // !", 1)]
    [InlineData("st.shared.u32 [%r3], %r0; // !\n bar.warp.sync -1;\n st.shared.u32 [%r4], %r0;", 32)]
    [InlineData("st.shared.u32 [%r3], %r0;\n bar.sync 0;\n red.shared.add.u32 [words], %r0; // !\n bar.warp.sync -1;\n ld.shared.u32 %r1, [words];", 32)]
    [InlineData("st.shared.u32 [%r3], %r0;\n red.shared.add.u32 [words], %r0; // !", 1)]
    [InlineData("st.shared.u32 [%r3], %r0;\n @%p1 bar.warp.sync 0x55555555;\n @%p1 xor.b32 %r5, %r3, 8;\n @%p1 ld.shared.u32 %r1, [%r5]; // !", 0)]
    [InlineData("@%p1 st.shared.u16 [%r3+4], %r0;\n @!%p1 st.shared.u16 [%r3], %r0; // !", 1)]
    public void Race_WithoutABarrierInBetween(string body, int thread) => FaultTests.Fires<SharedRaceException>(Addresses + body, thread);

    [Theory]
    [InlineData("cp.async.ca.shared.global [%r3], [%rd1], 4;\n cp.async.wait_all;\n bar.warp.sync -1;\n @%p2 ld.shared.u32 %r1, [%r4]; // !", 32)]
    [InlineData("st.shared.u32 [%r3], %r0;\n bar.sync 0;\n ld.shared.u32 %r1, [%r4];\n @%p2 cp.async.ca.shared.global [%r3], [%rd1], 4; // !", 32)]
    public void Race_OfACopy(string body, int thread) => FaultTests.Fires<SharedRaceException>(Addresses + body, thread);

    [Theory]
    [InlineData("cp.async.ca.shared.global [%r3], [%rd1], 4;\n ld.shared.u32 %r1, [%r3]; // !")]
    [InlineData("cp.async.ca.shared.global [%r3], [%rd1], 4;\n bar.sync 0;\n ld.shared.u32 %r1, [%r4]; // !")]
    [InlineData("cp.async.ca.shared.global [%r3], [%rd1], 4;\n cp.async.commit_group;\n cp.async.wait_group 1;\n ld.shared.u32 %r1, [%r3]; // !")]
    [InlineData("cp.async.ca.shared.global [%r3], [%rd1], 4;\n st.shared.u32 [%r3], %r0; // !")]
    public void Copy_ThatIsNotWaitedFor(string body) => FaultTests.Fires<PendingCopyException>(Addresses + body, 0);

    [Theory]
    [InlineData("@%p1 bar.sync 0; // !", 0)]
    [InlineData("@%p1 ret;\n bar.sync 0; // !", 1)]
    [InlineData("@%p1 bra $ELSE;\n bar.sync 0;\n bra $JOIN;\n $ELSE:\n bar.sync 0; // !\n $JOIN:", 0)]
    [InlineData("setp.lt.u32 %p3, %r0, 32;\n @%p3 bar.sync 0; // !", 0)]
    [InlineData("bar.sync 0, 32; // !", 0)]
    public void Barrier_ThatNotAllComeTo(string body, int thread) => FaultTests.Fires<BarrierException>(Addresses + body, thread);

    [Theory]
    [InlineData("@%p1 shfl.sync.bfly.b32 %r1, %r0, 2, 31, -1; // !", 0)]
    [InlineData("@%p1 ret;\n vote.sync.ballot.b32 %r1, %p1, -1; // !", 1)]
    [InlineData("@%p1 bar.sync 0;\n bar.warp.sync -1; // !", 1)]
    [InlineData("shfl.sync.idx.b32 %r1, %r0, 0, 31, 0xffff; // !", 16)]
    [InlineData("mov.u32 %r8, -1;\n @%p1 mov.u32 %r8, 0x55555555;\n shfl.sync.idx.b32 %r1, %r0, 0, 31, %r8; // !", 1)]
    [InlineData("shfl.sync.idx.b32 %r1, %r0, 0, 31, 0; // !", 0)]
    public void WarpInstruction_ThatNotAllComeTo(string body, int thread) => FaultTests.Fires<DivergentWarpException>(Addresses + body, thread);

    [Theory]
    [InlineData("add.u32 %r3, %r2, 0;\n @%p1 ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r1}, [%r3]; // !", 0)]
    [InlineData("mov.f32 %f1, 0f00000000;\n @!%p1 ret;\n mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%f1, %f1, %f1, %f1}, {%r0, %r0}, {%r0}, {%f1, %f1, %f1, %f1}; // !", 0)]
    public void MatrixInstruction_ThatNotAllComeTo(string body, int thread) => FaultTests.Fires<DivergentWarpException>(Addresses + body, thread);
}
