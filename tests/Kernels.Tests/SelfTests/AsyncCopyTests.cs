using ClipSegNative.Tests.Kernels.Ptx.Execution;

namespace ClipSegNative.Tests.Kernels.SelfTests;

public class AsyncCopyTests
{
    const string Buffer = ".shared .align 16 .b8 buffer[64];";

    /// <summary>The thread's word is its number plus 256; the address of four of them is %rd2.</summary>
    const string Prepare = """
        add.u32 %r1, %r0, 256;
        st.global.u32 [%rd1], %r1;
        bar.sync 0;
        and.b32 %r2, %r0, 12;
        mad.wide.u32 %rd2, %r2, 4, %rd0;
        shl.b32 %r3, %r0, 2;
        mov.u32 %r4, buffer;
        add.u32 %r3, %r3, %r4;
        and.b32 %r5, %r0, 3;
        setp.eq.u32 %p1, %r5, 0;
        """;

    [Fact]
    public void Copies_OfAllSizes_AreThereAfterTheWait()
    {
        uint[] result = Snippet.Run(
            $"""
            {Prepare}
            @%p1 cp.async.cg.shared.global [%r3], [%rd2], 16;
            cp.async.commit_group;
            cp.async.wait_group 0;
            bar.sync 0;
            ld.shared.u32 %r6, [%r3];
            cp.async.ca.shared.global [%r3], [%rd1], 4;
            cp.async.wait_all;
            ld.shared.u32 %r7, [%r3];
            sub.u32 %r7, %r6, %r7;
            add.u32 %r6, %r6, %r7;
            st.global.u32 [%rd1], %r6;
            """,
            threads: 16,
            declarations: Buffer);
        Assert.Equal(Enumerable.Range(256, 16).Select(i => (uint)i), result);
    }

    [Theory]
    [InlineData(0, "0 0 0 0")]
    [InlineData(4, "256 0 0 0")]
    [InlineData(16, "256 257 258 259")]
    public void Copy_OfLessThanItWrites_FillsUpWithZeros(int bytes, string expected)
    {
        uint[] result = Snippet.Run(
            $"""
            {Prepare}
            mov.u32 %r8, {bytes};
            @%p1 cp.async.cg.shared.global.L2::128B [%r3], [%rd2], 16, %r8;
            cp.async.wait_all;
            bar.sync 0;
            ld.shared.u32 %r6, [%r3];
            st.global.u32 [%rd1], %r6;
            """,
            threads: 4,
            declarations: Buffer);
        Assert.Equal(expected, string.Join(' ', result));
    }

    [Fact]
    public void Copy_OfNothing_NeedsNoAddress()
    {
        uint[] result = Snippet.Run(
            "mov.u64 %rd2, 0; cp.async.ca.shared.global [buffer], [%rd2], 8, 0; cp.async.wait_all; ld.shared.u32 %r1, [buffer+4]; st.global.u32 [%rd1], %r1;",
            threads: 1,
            declarations: Buffer);
        Assert.Equal([0u], result);
    }

    [Theory]
    [InlineData("cp.async.wait_group 1;", 0, true)]
    [InlineData("cp.async.wait_group 1;", 4, false)]
    [InlineData("cp.async.wait_group 2;", 0, false)]
    [InlineData("cp.async.wait_group 0;", 4, true)]
    [InlineData("cp.async.wait_group 0;", 8, false)]
    [InlineData("cp.async.wait_all;", 8, true)]
    public void Wait_ForAllGroupsButTheNewest_LetsReadWhatItWaitedFor(string wait, int offset, bool readable)
    {
        // Two groups of one copy each, and one copy that no group has.
        string body = $"""
            st.global.u32 [%rd0], 7;
            cp.async.ca.shared.global [buffer], [%rd0], 4;
            cp.async.commit_group;
            cp.async.ca.shared.global [buffer+4], [%rd0], 4;
            cp.async.commit_group;
            cp.async.ca.shared.global [buffer+8], [%rd0], 4;
            {wait}
            ld.shared.u32 %r1, [buffer+{offset}];
            st.global.u32 [%rd0], %r1;
            """;
        if (readable) Assert.Equal([7u], Snippet.Run(body, threads: 1, declarations: Buffer));
        else Assert.Throws<PendingCopyException>(() => Snippet.Run(body, threads: 1, declarations: Buffer));
    }
}
