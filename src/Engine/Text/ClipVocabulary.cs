using System.Runtime.CompilerServices;

namespace ClipSegNative.Text;

/// <summary>What a CLIP tokenizer knows: token texts with their ids, and which neighbours merge, best first.</summary>
/// <remarks>Immutable. A vocabulary may be smaller than CLIP's 49,408 and may leave ids unused, but it always spells every byte.</remarks>
sealed partial class ClipVocabulary
{
    public const string BeginToken = "<|startoftext|>", EndToken = "<|endoftext|>";

    /// <summary>Ids lie below this; CLIP's own end at 49,407.</summary>
    public const int MaximumSize = 1 << 20;

    /// <summary>Every byte, alone and as the last of a word, and the begin and end tokens.</summary>
    public const int SmallestSize = 2 * 256 + 2;

    ClipVocabulary(Dictionary<string, int> ids, List<string> merges)
    {
        (Ids, Merges) = (ids, merges);
        (BeginId, EndId) = (ids[BeginToken], ids[EndToken]);
        Size = ids.Values.Max() + 1;
    }

    public IReadOnlyDictionary<string, int> Ids { get; }

    /// <summary>Two symbols with a space between; the first in the list merges first.</summary>
    public IReadOnlyList<string> Merges { get; }

    public int BeginId { get; }

    public int EndId { get; }

    /// <summary>Highest id + 1: the rows that the model's token embedding needs.</summary>
    public int Size { get; }

    /// <summary>The one gate to an instance: whatever the files were, BPE can never meet a symbol without an id.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]   // runs once, cold: loading 0.29 s -> 0.23 s
    static ClipVocabulary Checked(string idsPath, Dictionary<string, int> ids, string mergesPath, List<string> merges)
    {
        foreach (string token in (string[])[BeginToken, EndToken])
            if (!ids.ContainsKey(token)) throw new ModelFileException($"{idsPath}: has no {token}; is this CLIP's vocabulary?");
        foreach (string symbol in ByteSymbols.All)
            if (!ids.ContainsKey(symbol))
                throw new ModelFileException($"{idsPath}: lacks the byte symbol '{symbol}'; CLIP's vocabulary holds all 256, each with and without '</w>'.");

        // Strings, not spans: the framework holds these lookups compiled, and loading is mostly waiting for the just-in-time compiler.
        var seen = new HashSet<string>(merges.Count);
        for (int i = 0; i < merges.Count; i++)
        {
            string merge = merges[i];
            int space = merge.IndexOf(' ');
            if (space <= 0 || space == merge.Length - 1 || merge.LastIndexOf(' ') != space)
                throw BadMerge("is not two symbols with a space between");
            if (!ids.ContainsKey(merge[..space]) || !ids.ContainsKey(merge[(space + 1)..]) || !ids.ContainsKey(merge.Remove(space, 1)))
                throw BadMerge($"names or makes a symbol that {idsPath} lacks, so they are not from one model");
            if (!seen.Add(merge))
                throw BadMerge("stands there twice");

            ModelFileException BadMerge(string what) => new($"{mergesPath}: merge {i + 1}, '{Shown(merge)}', {what}.");
        }
        return new(ids, merges);
    }

    /// <summary>A stranger's text made fit for one line of message.</summary>
    static string Shown(string text)
    {
        const int Most = 40;
        string start = text.Length > Most ? $"{text.AsSpan(0, Most)}..." : text;
        return string.Concat(start.Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
    }
}
