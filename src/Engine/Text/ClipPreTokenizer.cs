using System.Globalization;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace ClipSegNative.Text;

/// <summary>Cuts clean text into words: a special token, a contraction, a run of letters, ONE number character, or a run of anything else but space.</summary>
/// <remarks>CLIP's alternation by hand, over runes: .NET's Regex sees a letter outside the basic plane as two surrogates, which are no letters.</remarks>
sealed class ClipPreTokenizer : PreTokenizer
{
    enum Kind { Space, Letter, Number, Other }

    /// <summary>A longer run goes on as the next word: merging takes time by the square of a word's length, 74 s for a million letters.</summary>
    /// <remarks>Only such a word may get other ids than in the reference; cut to 77 tokens, none of 60 tried did.</remarks>
    public const int LongestWord = 4096;

    static readonly string[] Fixed = [ClipVocabulary.BeginToken, ClipVocabulary.EndToken, "'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

    public override IEnumerable<(int Offset, int Length)> PreTokenize(string text) => Split(text);

    public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => Split(text);

    static List<(int Offset, int Length)> Split(ReadOnlySpan<char> text)
    {
        var words = new List<(int, int)>(8);
        for (int start = 0, end; start < text.Length; start = end)
        {
            end = start + FixedLength(text[start..]);
            if (end == start)
            {
                Kind kind = KindAt(text, start, out int length);
                end = start + length;
                if (kind == Kind.Space) continue;
                while (kind != Kind.Number && end < text.Length && end - start < LongestWord && KindAt(text, end, out length) == kind) end += length;
            }
            words.Add((start, end - start));
        }
        return words;
    }

    static int FixedLength(ReadOnlySpan<char> text)
    {
        if (text[0] is not ('\'' or '<')) return 0;
        foreach (string candidate in Fixed)
            if (StartsWith(text, candidate)) return candidate.Length;
        return 0;
    }

    /// <summary>The reference ignores case here, and among lower-case letters that adds one match: the long s.</summary>
    static bool StartsWith(ReadOnlySpan<char> text, string candidate)
    {
        if (text.Length < candidate.Length) return false;
        for (int i = 0; i < candidate.Length; i++)
            if (text[i] != candidate[i] && (candidate[i], text[i]) != ('s', 'ſ')) return false;
        return true;
    }

    static Kind KindAt(ReadOnlySpan<char> text, int at, out int length)
    {
        Rune.DecodeFromUtf16(text[at..], out Rune rune, out length);
        return Rune.GetUnicodeCategory(rune) switch
        {
            <= UnicodeCategory.OtherLetter => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
            _ => Rune.IsWhiteSpace(rune) ? Kind.Space : Kind.Other,
        };
    }
}
