using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ClipSegNative.Tests.Text;

/// <summary>CLIP's words and merges written as plainly as they are defined, for text that is clean already: an independent answer to compare with.</summary>
sealed class NaiveBpe
{
    static readonly Regex Words =
        new(@"<\|[sſ]tartoftext\|>|<\|endoftext\|>|'[sſ]|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+", RegexOptions.CultureInvariant);

    readonly Dictionary<string, int> _ids;
    readonly Dictionary<(string, string), int> _ranks = [];
    readonly Dictionary<int, char> _symbols = [];

    public NaiveBpe(string folder)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "vocab.json")));
        _ids = json.RootElement.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetInt32());
        foreach (string line in File.ReadAllLines(Path.Combine(folder, "merges.txt")).Skip(1))
            _ranks.Add((line.Split(' ')[0], line.Split(' ')[1]), _ranks.Count);
        int moved = 256;
        for (int b = 0; b < 256; b++)
            _symbols[b] = b is >= 33 and <= 126 or >= 161 and <= 172 or >= 174 ? (char)b : (char)moved++;
    }

    public int[] Encode(string clean)
    {
        Rune[] runes = [.. clean.EnumerateRunes()];
        string shadow = string.Concat(runes.Select(Shadow));   // one char a rune, so that the regular expression sees letters beyond the basic plane
        IEnumerable<string> words = Words.Matches(shadow).Select(m => string.Concat(runes.Skip(m.Index).Take(m.Length)));
        return [_ids["<|startoftext|>"], .. words.SelectMany(Merge).Select(symbol => _ids[symbol]), _ids["<|endoftext|>"]];
    }

    static char Shadow(Rune rune) => rune.IsBmp ? (char)rune.Value : Rune.IsLetter(rune) ? 'a' : Rune.IsNumber(rune) ? '1' : '\uFFFD';

    List<string> Merge(string word)
    {
        if (word is "<|startoftext|>" or "<|endoftext|>") return [word];
        List<string> symbols = [.. Encoding.UTF8.GetBytes(word).Select(b => _symbols[b].ToString())];
        symbols[^1] += "</w>";
        while (true)
        {
            var known = symbols.Zip(symbols.Skip(1)).Where(_ranks.ContainsKey).ToList();
            if (known.Count == 0) return symbols;
            (string left, string right) = known.MinBy(pair => _ranks[pair]);
            for (int i = 0; i + 1 < symbols.Count; i++)
            {
                if ((symbols[i], symbols[i + 1]) != (left, right)) continue;
                symbols[i] = left + right;
                symbols.RemoveAt(i + 1);
            }
        }
    }
}
