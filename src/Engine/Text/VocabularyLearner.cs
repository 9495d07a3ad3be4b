namespace ClipSegNative.Text;

/// <summary>Learns a vocabulary from texts: again and again, the two neighbours that stand together most often become one symbol.</summary>
/// <remarks>Byte-level byte-pair encoding (Sennrich, Haddow and Birch 2016), within words as CLIP's tokenizer cuts them.</remarks>
static class VocabularyLearner
{
    /// <summary>A pair that stands there but once says nothing of the next text.</summary>
    const long LeastCount = 2;

    /// <param name="texts">What phrases will be like.</param>
    /// <param name="size">The most tokens, the 512 byte symbols and the begin and end tokens among them.</param>
    /// <returns>Pairs, each two symbols with a space between, in the order in which they merge.</returns>
    public static IReadOnlyList<string> Learn(IEnumerable<string> texts, int size)
    {
        (List<string> Symbols, long Count)[] words = [.. Words(texts).Select(word => (ByteSymbols.Spell(word.Key), word.Value))];
        var merges = new List<string>();
        while (merges.Count < size - ClipVocabulary.SmallestSize && MostFrequent(words) is { } best)
        {
            merges.Add($"{best.Left} {best.Right}");
            foreach ((List<string> symbols, _) in words) Merge(symbols, best);
        }
        return merges;
    }

    static SortedDictionary<string, long> Words(IEnumerable<string> texts)
    {
        var normalizer = new ClipNormalizer();
        var cutter = new ClipPreTokenizer();
        var words = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (string text in texts)
        {
            string clean = normalizer.Normalize(text);
            foreach ((int offset, int length) in cutter.PreTokenize(clean))
            {
                string word = clean.Substring(offset, length);
                words[word] = words.GetValueOrDefault(word) + 1;
            }
        }
        return words;
    }

    /// <summary>Of equally frequent pairs the first in order of code units: the same texts give the same vocabulary everywhere.</summary>
    static (string Left, string Right)? MostFrequent((List<string> Symbols, long Count)[] words)
    {
        var counts = new Dictionary<(string Left, string Right), long>();
        foreach ((List<string> symbols, long count) in words)
            for (int i = 1; i < symbols.Count; i++)
                counts[(symbols[i - 1], symbols[i])] = counts.GetValueOrDefault((symbols[i - 1], symbols[i])) + count;
        ((string Left, string Right) Pair, long Count)? best = null;
        foreach (((string Left, string Right) pair, long count) in counts)
            if (count >= LeastCount && (best is not { } other || count > other.Count || (count == other.Count && Order(pair, other.Pair) < 0))) best = (pair, count);
        return best?.Pair;

        static int Order((string Left, string Right) x, (string Left, string Right) y) =>
            string.CompareOrdinal(x.Left, y.Left) is not 0 and var order ? order : string.CompareOrdinal(x.Right, y.Right);
    }

    static void Merge(List<string> symbols, (string Left, string Right) pair)
    {
        for (int i = 0; i + 1 < symbols.Count; i++)
        {
            if (symbols[i] != pair.Left || symbols[i + 1] != pair.Right) continue;
            symbols[i] += pair.Right;
            symbols.RemoveAt(i + 1);
        }
    }
}
