namespace ClipSegNative.Tests.Kernels.SelfTests;

public class ComparisonTests
{
    [Theory]
    [InlineData("setp.eq.s32 $d, $0, $1", true, 3, 3)]
    [InlineData("setp.ne.b32 $d, $0, 3", false, 3)]
    [InlineData("setp.lt.s32 $d, $0, $1", true, -1, 1)]
    [InlineData("setp.lt.u32 $d, $0, $1", false, -1, 1)]
    [InlineData("setp.lo.u32 $d, $0, $1", false, -1, 1)]
    [InlineData("setp.hs.u32 $d, $0, $1", true, -1, 1)]
    [InlineData("setp.le.s16 $d, $0, $1", true, (ushort)0xffff, (ushort)0)]
    [InlineData("setp.ge.u64 $d, $0, $1", true, ulong.MaxValue, 0ul)]
    [InlineData("setp.gt.s64 $d, $0, $1", false, ulong.MaxValue, 0ul)]
    [InlineData("setp.eq.b16 $d, $0, $1", false, (ushort)1, (ushort)2)]
    [InlineData("setp.eq.f64 $d, $0, $1", true, 1.5, 1.5)]
    [InlineData("setp.gt.f32 $d, $0, 0f00000000", true, 1e-40f)]
    [InlineData("setp.gt.ftz.f32 $d, $0, 0f00000000", false, 1e-40f)]
    [InlineData("setp.lt.and.s32 $d, $0, $1, $2", false, 1, 2, false)]
    [InlineData("setp.lt.or.s32 $d, $0, $1, $2", true, 3, 2, true)]
    [InlineData("setp.lt.and.f32 $d, $0, $1, !$2", true, 1f, 2f, false)]
    [InlineData("setp.lt.xor.s32 $d, $0, $1, $2", false, 1, 2, true)]
    public void Predicates(string instruction, object expected, params object[] sources) => Assert.Equal(expected, OneInstruction.Run(instruction, expected, sources));

    /// <summary>For (1, 2), (2, 2), (2, 1) and (1, NaN).</summary>
    [Theory]
    [InlineData("eq", false, true, false, false)]
    [InlineData("ne", true, false, true, false)]
    [InlineData("lt", true, false, false, false)]
    [InlineData("le", true, true, false, false)]
    [InlineData("gt", false, false, true, false)]
    [InlineData("ge", false, true, true, false)]
    [InlineData("num", true, true, true, false)]
    [InlineData("equ", false, true, false, true)]
    [InlineData("neu", true, false, true, true)]
    [InlineData("ltu", true, false, false, true)]
    [InlineData("leu", true, true, false, true)]
    [InlineData("gtu", false, false, true, true)]
    [InlineData("geu", false, true, true, true)]
    [InlineData("nan", false, false, false, true)]
    public void Floats(string comparison, bool less, bool equal, bool greater, bool unordered)
    {
        bool Of(float a, float b) => (bool)OneInstruction.Run($"setp.{comparison}.f32 $d, $0, $1", true, a, b);
        Assert.Equal((less, equal, greater, unordered), (Of(1, 2), Of(2, 2), Of(2, 1), Of(1, float.NaN)));
    }

    [Fact]
    public void SecondResult_IsTheOpposite_CombinedToo()
    {
        uint[] result = Snippet.Run(
            """
            setp.lt.u32 %p1|%p2, %r0, 2;
            setp.lt.and.u32 %p3|%p4, %r0, 2, %p1;
            selp.u32 %r1, 1, 0, %p2;
            selp.u32 %r2, 10, 0, %p4;
            add.u32 %r1, %r1, %r2;
            st.global.u32 [%rd1], %r1;
            """,
            threads: 4);
        Assert.Equal([0u, 0, 1, 1], result);
    }
}
