using ClipSegNative.Tests.Kernels.Ptx;
using ClipSegNative.Tests.Kernels.Ptx.Syntax;

namespace ClipSegNative.Tests.Kernels.SelfTests;

public class LexerTests
{
    [Theory]
    [InlineData("@!%p1 bra\t$L__BB0_2;", "@ ! %p1 bra $L__BB0_2 ;")]
    [InlineData("ld.global.L2::128B.v2.f32 {%f1, %f2}, [%rd1+-8];", "ld.global.L2::128B.v2.f32 { %f1 , %f2 } , [ %rd1 + - 8 ] ;")]
    [InlineData("$L1: // a comment; with a semicolon\nret;", "$L1 : ret ;")]
    [InlineData("/* two\nlines */ .pragma \"nounroll\";", ".pragma \"nounroll\" ;")]
    public void Tokens_OfAStatement_AreItsWords(string source, string expected) =>
        Assert.Equal(expected, string.Join(' ', Lexer.Tokens(source).Select(token => token.Text)).TrimEnd());

    [Fact]
    public void Tokens_AfterComments_KnowTheirLines() =>
        Assert.Equal([3, 5], Lexer.Tokens("// one\n/* two */\nret\n/* four\n*/ ret").SkipLast(1).Select(token => token.Line));

    [Theory]
    [InlineData("ret;\n#", 2)]
    [InlineData("\n\n/* open", 3)]
    [InlineData(".pragma \"open\n\"", 1)]
    public void Tokens_OfWhatIsNotPtx_NameTheLine(string source, int line) =>
        Assert.Equal(line, Assert.Throws<PtxException>(() => Lexer.Tokens(source)).Line);
}
