using System.Globalization;
using System.Text;

namespace ClipSegNative.Text;

/// <summary>A phrase as part of a file name.</summary>
static class PhraseSlug
{
    const int MaxLength = 60;

    /// <summary>File systems count bytes and allow 255 a name; the stem needs some.</summary>
    const int MaxBytes = 120;

    /// <summary>Letters and digits in lower case, one hyphen for whatever lies between them.</summary>
    public static string Of(string phrase)
    {
        var slug = new StringBuilder();
        int length = 0, bytes = 0;
        bool gap = false;
        foreach (Rune rune in phrase.EnumerateRunes())
        {
            Rune lower = Rune.ToLowerInvariant(rune);
            if (!IsKept(lower))
            {
                gap = slug.Length > 0;
                continue;
            }
            length += gap ? 2 : 1;
            bytes += lower.Utf8SequenceLength + (gap ? 1 : 0);
            if (length > MaxLength || bytes > MaxBytes) break;
            if (gap) slug.Append('-');
            slug.Append(lower);
            gap = false;
        }
        return slug.Length > 0 ? slug.ToString() : "phrase";
    }

    /// <summary>Marks too: they are the vowels of many scripts.</summary>
    static bool IsKept(Rune rune) =>
        Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
}
