namespace ClipSegNative.Tests.Kernels.SelfTests;

public class AtomicTests
{
    [Theory]
    [InlineData("atom.add.u32 %r2, [%rd0], %r1;", 10u, 5u, 15u)]
    [InlineData("atom.global.add.s32 %r2, [%rd0], %r1;", 10u, uint.MaxValue, 9u)]
    [InlineData("atom.relaxed.gpu.global.min.s32 %r2, [%rd0], %r1;", 10u, uint.MaxValue, uint.MaxValue)]
    [InlineData("atom.global.min.u32 %r2, [%rd0], %r1;", 10u, uint.MaxValue, 10u)]
    [InlineData("atom.global.max.u32 %r2, [%rd0], %r1;", 10u, uint.MaxValue, uint.MaxValue)]
    [InlineData("atom.global.max.s32 %r2, [%rd0], %r1;", 10u, uint.MaxValue, 10u)]
    [InlineData("atom.global.and.b32 %r2, [%rd0], %r1;", 10u, 3u, 2u)]
    [InlineData("atom.global.or.b32 %r2, [%rd0], %r1;", 10u, 3u, 11u)]
    [InlineData("atom.global.xor.b32 %r2, [%rd0], %r1;", 10u, 3u, 9u)]
    [InlineData("atom.global.exch.b32 %r2, [%rd0], %r1;", 10u, 3u, 3u)]
    [InlineData("atom.global.inc.u32 %r2, [%rd0], %r1;", 10u, 10u, 0u)]
    [InlineData("atom.global.inc.u32 %r2, [%rd0], %r1;", 10u, 11u, 11u)]
    [InlineData("atom.global.dec.u32 %r2, [%rd0], %r1;", 10u, 9u, 9u)]
    [InlineData("atom.global.cas.b32 %r2, [%rd0], 10, %r1;", 10u, 3u, 3u)]
    [InlineData("atom.acq_rel.gpu.global.cas.b32 %r2, [%rd0], 11, %r1;", 10u, 3u, 10u)]
    public void Operation_LeavesItsResult_AndGivesTheOldValue(string instruction, uint old, uint operand, uint expected)
    {
        uint[] result = Snippet.Run(
            $"mov.u32 %r1, {operand}; st.global.u32 [%rd0], {old}; {instruction} st.global.u32 [%rd0+4], %r2;", threads: 1, blocks: 2);
        Assert.Equal([expected, old], result);
    }

    [Fact]
    public void Operation_OfFloatsAndLongs_LeavesItsResult()
    {
        uint[] result = Snippet.Run(
            """
            st.global.f32 [%rd0], 0f3F800000;
            red.global.add.f32 [%rd0], 0f40000000;
            ld.global.f32 %f1, [%rd0];
            cvt.rzi.u32.f32 %r1, %f1;
            st.global.f64 [%rd0], 0d3FF0000000000000;
            atom.global.gpu.add.f64 %fd1, [%rd0], 0d4008000000000000;
            ld.global.f64 %fd2, [%rd0];
            cvt.rzi.u32.f64 %r2, %fd1;
            cvt.rzi.u32.f64 %r3, %fd2;
            st.global.u64 [%rd0], -1;
            red.global.add.u64 [%rd0], 8;
            ld.global.u64 %rd2, [%rd0];
            cvt.u32.u64 %r4, %rd2;
            st.global.v4.u32 [%rd0], {%r1, %r2, %r3, %r4};
            """,
            threads: 1,
            blocks: 4);
        Assert.Equal([3u, 1, 4, 7], result);
    }

    [Fact]
    public void SharedCounters_CountAllThreads()
    {
        uint[] result = Snippet.Run(
            """
            setp.ne.u32 %p1, %r0, 0;
            @%p1 bra $COUNT;
            st.shared.u32 [count], 0;
            $COUNT:
            bar.sync 0;
            red.shared.add.u32 [count], %r0;
            bar.sync 0;
            ld.shared.u32 %r1, [count];
            st.global.u32 [%rd1], %r1;
            """,
            threads: 100,
            declarations: ".shared .align 4 .u32 count;");
        Assert.All(result, value => Assert.Equal(4950u, value));
    }

    /// <summary>Each block leaves a number and takes a ticket; the one with the last ticket adds all up.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LastBlock_SeesWhatAllOthersWrote(bool backwards)
    {
        uint[] result = Snippet.Run(
            """
            mov.u32 %r1, %ctaid.x;
            mad.wide.u32 %rd2, %r1, 4, %rd0;
            add.u32 %r2, %r1, 1;
            st.global.u32 [%rd2+8], %r2;
            membar.gl;
            atom.global.add.u32 %r3, [%rd0], 1;
            mov.u32 %r4, %nctaid.x;
            sub.u32 %r4, %r4, 1;
            setp.ne.u32 %p1, %r3, %r4;
            @%p1 ret;
            fence.acq_rel.gpu;
            mov.u32 %r5, 0;
            mov.u32 %r6, 0;
            $SUM:
            mad.wide.u32 %rd3, %r5, 4, %rd0;
            ld.global.u32 %r7, [%rd3+8];
            add.u32 %r6, %r6, %r7;
            add.u32 %r5, %r5, 1;
            setp.le.u32 %p2, %r5, %r4;
            @%p2 bra $SUM;
            st.global.u32 [%rd0+4], %r6;
            """,
            threads: 1,
            blocks: 18,
            words: 20,
            backwards: backwards);
        Assert.Equal([18u, 171u], result[..2]);
    }
}
