namespace ClipSegNative.Tests.Kernels.SelfTests;

public class DivergenceTests
{
    [Fact]
    public void Branches_OfOneWarp_AreTakenByTheirLanesAlone()
    {
        uint[] result = Snippet.Run(
            """
            mov.u32 %r1, 0;
            and.b32 %r2, %r0, 1;
            setp.eq.u32 %p1, %r2, 1;
            @%p1 bra $ODD;
            add.u32 %r1, %r1, 100;
            bra.uni $JOIN;
            $ODD:
            add.u32 %r1, %r1, 200;
            $JOIN:
            add.u32 %r1, %r1, %r0;
            st.global.u32 [%rd1], %r1;
            """,
            threads: 40);
        Assert.Equal(Enumerable.Range(0, 40).Select(i => (uint)(i + (i % 2 == 1 ? 200 : 100))), result);
    }

    [Fact]
    public void Loops_OfDifferentLengths_EndLaneByLane()
    {
        uint[] result = Snippet.Run(
            """
            mov.u32 %r1, 0;
            mov.u32 %r2, 0;
            $LOOP:
            setp.ge.u32 %p1, %r2, %r0;
            @%p1 bra $DONE;
            add.u32 %r2, %r2, 1;
            add.u32 %r1, %r1, %r2;
            bra $LOOP;
            $DONE:
            st.global.u32 [%rd1], %r1;
            """,
            threads: 64);
        Assert.Equal(Enumerable.Range(0, 64).Select(i => (uint)(i * (i + 1) / 2)), result);
    }

    [Fact]
    public void LoopsInLoops_WithExitsInTheMiddle_GiveEachLaneItsOwn()
    {
        uint[] result = Snippet.Run(
            """
            mov.u32 %r1, 0;
            mov.u32 %r2, 0;
            $OUTER:
            setp.ge.u32 %p1, %r2, %r0;
            @%p1 bra $STORE;
            mov.u32 %r3, 0;
            $INNER:
            add.u32 %r1, %r1, 1;
            setp.gt.u32 %p2, %r1, 20;
            @%p2 bra $LATE;
            add.u32 %r3, %r3, 1;
            setp.le.u32 %p3, %r3, %r2;
            @%p3 bra $INNER;
            add.u32 %r2, %r2, 1;
            bra $OUTER;
            $LATE:
            add.u32 %r1, %r1, 1000;
            $STORE:
            st.global.u32 [%rd1], %r1;
            """,
            threads: 32);
        static uint Expected(int thread)
        {
            uint count = 0;
            for (int outer = 0; outer < thread; outer++)
                for (int inner = 0; inner <= outer; inner++)
                    if (++count > 20) return count + 1000;
            return count;
        }
        Assert.Equal(Enumerable.Range(0, 32).Select(Expected), result);
    }

    [Fact]
    public void LanesThatReturnEarly_LeaveTheOthersRunning()
    {
        uint[] result = Snippet.Run(
            """
            setp.lt.u32 %p1, %r0, 3;
            @%p1 ret;
            setp.gt.u32 %p2, %r0, 10;
            @%p2 exit;
            st.global.u32 [%rd1], %r0;
            """,
            threads: 16);
        Assert.Equal(Enumerable.Range(0, 16).Select(i => i is >= 3 and <= 10 ? (uint)i : 0), result);
    }

    [Fact]
    public void LanesThatArriveLate_AreWaitedForByTheShuffle()
    {
        // The even lanes come to the instruction of the warp first, and again in the second round of a loop.
        uint[] result = Snippet.Run(
            """
            mov.u32 %r5, 0;
            mov.u32 %r6, %r0;
            $AGAIN:
            and.b32 %r2, %r0, 1;
            setp.eq.u32 %p1, %r2, 0;
            @%p1 bra $MEET;
            add.u32 %r6, %r6, 100;
            $MEET:
            shfl.sync.bfly.b32 %r3, %r6, 1, 31, -1;
            add.u32 %r5, %r5, 1;
            mov.u32 %r6, %r3;
            setp.lt.u32 %p2, %r5, 2;
            @%p2 bra $AGAIN;
            st.global.u32 [%rd1], %r6;
            """,
            threads: 32);
        // In each round the odd lanes add 100, then neighbours change places.
        Assert.Equal(Enumerable.Range(0, 32).Select(i => (uint)i + 100), result);
    }

    [Fact]
    public void HalvesOfAWarp_CanShuffleApart()
    {
        uint[] result = Snippet.Run(
            """
            setp.lt.u32 %p1, %r0, 16;
            @%p1 bra $LOW;
            shfl.sync.down.b32 %r1, %r0, 1, 31, 0xffff0000;
            bra $JOIN;
            $LOW:
            shfl.sync.up.b32 %r1, %r0, 1, 0, 0xffff;
            $JOIN:
            st.global.u32 [%rd1], %r1;
            """,
            threads: 32);
        Assert.Equal(Enumerable.Range(0, 32).Select(i => (uint)(i < 16 ? Math.Max(i - 1, 0) : Math.Min(i + 1, 31))), result);
    }

    [Fact]
    public void Barrier_InAUniformLoop_OrdersSharedMemory()
    {
        uint[] result = Snippet.Run(
            """
            shl.b32 %r1, %r0, 2;
            mov.u32 %r2, words;
            add.u32 %r1, %r1, %r2;
            xor.b32 %r3, %r0, 63;
            shl.b32 %r3, %r3, 2;
            add.u32 %r3, %r3, %r2;
            mov.u32 %r4, %r0;
            mov.u32 %r5, 0;
            $LOOP:
            st.shared.u32 [%r1], %r4;
            bar.sync 0;
            ld.shared.u32 %r4, [%r3];
            add.u32 %r4, %r4, 1;
            barrier.sync.aligned 0, 64;
            add.u32 %r5, %r5, 1;
            setp.lt.u32 %p1, %r5, 3;
            @%p1 bra $LOOP;
            st.global.u32 [%rd1], %r4;
            """,
            threads: 64,
            declarations: ".shared .align 4 .b8 words[256];");
        Assert.Equal(Enumerable.Range(0, 64).Select(i => (uint)(63 - i + 3)), result);
    }
}
