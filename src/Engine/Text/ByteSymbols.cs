using System.Text;

namespace ClipSegNative.Text;

/// <summary>Byte-level BPE writes every byte as one printable character, so that no text is unknown and no symbol holds a space.</summary>
/// <remarks>Printable Latin-1 stands for itself, the other 68 bytes follow from U+0100; this order is also CLIP's id order (Radford et al. 2021).</remarks>
static class ByteSymbols
{
    public const string EndOfWord = "</w>";

    /// <summary>The 256 characters in id order.</summary>
    public static readonly char[] InIdOrder =
        [.. Enumerable.Range(0, 256).Where(IsPrintable).Select(b => (char)b), .. Enumerable.Range(256, 68).Select(c => (char)c)];

    /// <summary>All 512 symbols in id order: the characters alone, then as the last of a word.</summary>
    public static IEnumerable<string> All => [.. InIdOrder.Select(c => c.ToString()), .. InIdOrder.Select(c => c + EndOfWord)];

    /// <summary>A word's bytes as symbols, the last one marked as the end.</summary>
    public static List<string> Spell(string word)
    {
        List<string> symbols = [.. Encoding.UTF8.GetBytes(word).Select(b => InByteOrder[b].ToString())];
        symbols[^1] += EndOfWord;
        return symbols;
    }

    static readonly char[] InByteOrder = Inverse();

    static char[] Inverse()
    {
        var symbols = new char[256];
        int other = 256;
        for (int b = 0; b < 256; b++) symbols[b] = IsPrintable(b) ? (char)b : (char)other++;
        return symbols;
    }

    static bool IsPrintable(int b) => b is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE;
}
