using ClipSegNative.Text;

namespace ClipSegNative.Tests.Text;

/// <summary>Expected values come from Python: html.unescape twice, str.strip, \s+ of the regex module to one blank, str.lower.</summary>
public class ClipNormalizerTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData(" \t\n ", "")]
    [InlineData("  Two\tLARGE   zebras! ", "two large zebras!")]
    [InlineData("\x1c\u2003 a \x1f\u3000", "a")]              // str.strip takes U+001C to U+001F, mixed with other space
    [InlineData("a\x1c \x1f" + "b", "a\x1c \x1f" + "b")]      // inside the text they are no space
    [InlineData("a\u0085\u00A0b", "a b")]
    [InlineData("\u180Ea\u200Bb\uFEFF", "\u180Ea\u200Bb\uFEFF")]
    [InlineData("FISH &amp;amp; &lt;chips&gt;", "fish & <chips>")]
    [InlineData("&nbsp;caf&eacute;&nbsp;", "café")]
    [InlineData("e\u0301", "e\u0301")]                        // no NFC
    [InlineData("İSTANBUL ẞ ǅ K", "i̇stanbul ß ǆ k")]
    [InlineData("\U00010400\U0001D4B7", "\U00010428\U0001D4B7")]
    [InlineData("ΟΔΟΣ Σ ΣΑΣ ΑΣ.Α ΑΣ. 1Σ", "οδος σ σας ασ.α ας. 1σ")]
    [InlineData("ªΣ ⅣΣ ⒶΣ \U0001F130Σ AΣ\u0301Σ", "ªς ⅳς ⓐς \U0001F130ς aσ\u0301ς")]
    public void Normalize_Text_IsCleanAsInReference(string text, string expected) => Assert.Equal(expected, new ClipNormalizer().Normalize(text));

    [Fact]   // no theory: an attribute cannot hold half a pair
    public void Normalize_LoneSurrogates_BecomeReplacementCharacters() =>
        Assert.Equal("a\uFFFDb\uFFFD c\uFFFD", new ClipNormalizer().Normalize("a\uD800b\uDC00 C\uD83D"));
}
