using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace ClipSegNative.Text;

/// <summary>CLIP's clean-up before tokens: HTML entities decoded twice, outer space trimmed, inner space to one blank, lower case.</summary>
/// <remarks>
/// As OpenAI's simple_tokenizer without ftfy's repair of mis-decoded text, and without NFC. What differs from its Python:
/// of HTML5's 2,231 entity names the 251 of HTML 4 are known, each needs its semicolon, and a numeric reference to a control character,
/// a surrogate or no character at all is what .NET makes of it; a lone surrogate, which Python refuses, becomes U+FFFD;
/// letters newer than Python 3.11's Unicode 14 get their lower case here and keep their case there.
/// </remarks>
sealed class ClipNormalizer : Normalizer
{
    public override string Normalize(ReadOnlySpan<char> original) => Normalize(original.ToString());

    public override string Normalize(string original)
    {
        string decoded = original.Contains('&') ? WebUtility.HtmlDecode(WebUtility.HtmlDecode(original)) : original;
        ReadOnlySpan<char> text = Strip(decoded);
        var clean = new StringBuilder(text.Length);
        bool gap = false;
        for (int at = 0, length; at < text.Length; at += length)
        {
            Rune.DecodeFromUtf16(text[at..], out Rune rune, out length);
            if (Rune.IsWhiteSpace(rune)) { gap = true; continue; }
            if (gap) clean.Append(' ');
            gap = false;
            switch (rune.Value)
            {
                case 'İ': clean.Append("i\u0307"); break;   // the one letter whose lower case is two, in every language
                case 'Σ': clean.Append(EndsWord(text[..at], text[(at + 1)..]) ? 'ς' : 'σ'); break;
                default: clean.Append(Rune.ToLowerInvariant(rune)); break;
            }
        }
        return clean.ToString();
    }

    static ReadOnlySpan<char> Strip(ReadOnlySpan<char> text)
    {
        int start = 0, end = text.Length;
        while (start < end && IsStripped(text[start])) start++;
        while (end > start && IsStripped(text[end - 1])) end--;
        return text[start..end];
    }

    // str.strip takes the four ASCII separators as space; the \s that collapses inner space does not. U+180E and U+200B are space to neither.
    static bool IsStripped(char c) => char.IsWhiteSpace(c) || c is >= '\x1c' and <= '\x1f';

    /// <summary>Unicode's Final_Sigma (section 3.13, as str.lower has it): a cased letter before, none after, marks and the like not counted.</summary>
    static bool EndsWord(ReadOnlySpan<char> before, ReadOnlySpan<char> after)
    {
        Rune last, next;
        do
        {
            if (before.IsEmpty) return false;
            Rune.DecodeLastFromUtf16(before, out last, out int length);
            before = before[..^length];
        } while (IsCaseIgnorable(last));
        if (!IsCased(last)) return false;
        do
        {
            if (after.IsEmpty) return true;
            Rune.DecodeFromUtf16(after, out next, out int length);
            after = after[length..];
        } while (IsCaseIgnorable(next));
        return !IsCased(next);
    }

    // Letters by category, then Other_Lowercase and Other_Uppercase: ordinals, Roman numerals, circled and squared Latin letters.
    static bool IsCased(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
        || rune.Value is 'ª' or 'º' or >= 0x2160 and <= 0x217F or >= 0x24B6 and <= 0x24E9
            or >= 0x1F130 and <= 0x1F149 or >= 0x1F150 and <= 0x1F169 or >= 0x1F170 and <= 0x1F189;

    // By category, then what may stand inside a word (Word_Break MidLetter, MidNumLet, Single_Quote).
    static bool IsCaseIgnorable(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format
            or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol
        || rune.Value is '\'' or '.' or ':' or 0xB7 or 0x387 or 0x55F or 0x5F4 or 0x2018 or 0x2019 or 0x2024 or 0x2027
            or 0xFE13 or 0xFE52 or 0xFE55 or 0xFF07 or 0xFF0E or 0xFF1A;
}
