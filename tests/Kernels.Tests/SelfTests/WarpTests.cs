namespace ClipSegNative.Tests.Kernels.SelfTests;

public class WarpTests
{
    [Theory]
    [InlineData("bfly", 1, 0x1f)]
    [InlineData("bfly", 16, 0x1f)]
    [InlineData("down", 3, 0x1f)]
    [InlineData("up", 3, 0)]
    [InlineData("idx", 5, 0x1f)]
    [InlineData("idx", 5, 0x181f)]
    [InlineData("down", 2, 0x181f)]
    [InlineData("up", 2, 0x1800)]
    [InlineData("bfly", 4, 0x1807)]
    public void Shuffle_OfAnyMode_AsksTheLaneOfTheManual(string mode, int b, int c)
    {
        uint[] result = Snippet.Run(
            $"""
            add.u32 %r1, %r0, 1000;
            shfl.sync.{mode}.b32 %r2|%p1, %r1, {b}, {c}, -1;
            selp.u32 %r3, 10000, 0, %p1;
            add.u32 %r2, %r2, %r3;
            st.global.u32 [%rd1], %r2;
            """,
            threads: 32);
        Assert.Equal(Enumerable.Range(0, 32).Select(lane => Expected(mode, lane, b, c)), result);
    }

    /// <summary>The pseudocode of PTX's manual.</summary>
    static uint Expected(string mode, int lane, int b, int c)
    {
        int segment = c >> 8 & 31, most = (lane & segment) | (c & 31 & ~segment), least = lane & segment;
        (int j, bool inside) = mode switch
        {
            "up" => (lane - b, lane - b >= most),
            "down" => (lane + b, lane + b <= most),
            "bfly" => (lane ^ b, (lane ^ b) <= most),
            _ => (least | (b & ~segment), (least | (b & ~segment)) <= most),
        };
        return (uint)(1000 + (inside ? j + 10000 : lane));
    }

    [Theory]
    [InlineData("vote.sync.ballot.b32 %r1, %p1, -1;", 0x7u)]
    [InlineData("vote.sync.ballot.b32 %r1, !%p1, -1;", 0xfffffff8u)]
    [InlineData("vote.sync.any.pred %p2, %p1, -1; selp.u32 %r1, 1, 0, %p2;", 1u)]
    [InlineData("vote.sync.all.pred %p2, %p1, -1; selp.u32 %r1, 1, 0, %p2;", 0u)]
    [InlineData("vote.sync.uni.pred %p2, %p1, -1; selp.u32 %r1, 1, 0, %p2;", 0u)]
    [InlineData("vote.sync.uni.pred %p2, %p3, -1; selp.u32 %r1, 1, 0, %p2;", 1u)]
    [InlineData("redux.sync.add.u32 %r1, %r0, -1;", 496u)]
    [InlineData("redux.sync.min.s32 %r1, %r2, -1;", unchecked((uint)-31))]
    [InlineData("redux.sync.max.u32 %r1, %r2, -1;", uint.MaxValue)]
    [InlineData("redux.sync.or.b32 %r1, %r0, -1;", 31u)]
    [InlineData("activemask.b32 %r1;", uint.MaxValue)]
    [InlineData("match.all.sync.b32 %r1|%p2, %r0, -1;", 0u)]
    [InlineData("match.all.sync.b32 %r1, 7, -1;", uint.MaxValue)]
    public void AllLanes_GetOneAnswer(string instructions, uint expected)
    {
        uint[] result = Snippet.Run(
            $"""
            setp.lt.u32 %p1, %r0, 3;
            setp.lt.u32 %p3, %r0, 99;
            neg.s32 %r2, %r0;
            {instructions}
            st.global.u32 [%rd1], %r1;
            """,
            threads: 32);
        Assert.All(result, value => Assert.Equal(expected, value));
    }

    [Fact]
    public void Match_FindsTheLanesOfEqualValues()
    {
        uint[] result = Snippet.Run("and.b32 %r1, %r0, 3; match.any.sync.b32 %r2, %r1, -1; st.global.u32 [%rd1], %r2;", threads: 32);
        Assert.Equal(Enumerable.Range(0, 32).Select(lane => 0x11111111u << lane % 4), result);
    }

    [Theory]
    [InlineData("%laneid", "0 1 31 0 7")]
    [InlineData("%warpid", "0 0 0 1 1")]
    [InlineData("%nwarpid", "2 2 2 2 2")]
    [InlineData("%ntid.x", "40 40 40 40 40")]
    [InlineData("%ntid.y", "1 1 1 1 1")]
    [InlineData("%nctaid.x", "1 1 1 1 1")]
    [InlineData("%ctaid.z", "0 0 0 0 0")]
    [InlineData("%lanemask_eq", "1 2 2147483648 1 128")]
    [InlineData("%lanemask_lt", "0 1 2147483647 0 127")]
    [InlineData("%lanemask_le", "1 3 4294967295 1 255")]
    [InlineData("%lanemask_gt", "4294967294 4294967292 0 4294967294 4294967040")]
    [InlineData("%lanemask_ge", "4294967295 4294967294 2147483648 4294967295 4294967168")]
    public void SpecialRegisters_OfThreads0And1And31And32And39(string register, string expected)
    {
        uint[] result = Snippet.Run($"mov.u32 %r1, {register}; st.global.u32 [%rd1], %r1;", threads: 40);
        Assert.Equal(expected, string.Join(' ', new[] { 0, 1, 31, 32, 39 }.Select(thread => result[thread])));
    }
}
