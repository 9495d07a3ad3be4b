using Microsoft.ML.Tokenizers;

namespace ClipSegNative.Text;

/// <summary>A phrase as CLIP's text tower reads it.</summary>
/// <param name="Ids">Begin token, the phrase, end token; not padded, because rows after the end token change nothing.</param>
/// <param name="Truncated">The phrase was longer: its tail is left out, the end token still stands last.</param>
sealed record TokenizedText(int[] Ids, bool Truncated);

/// <summary>Turns phrases into token ids, exactly as OpenAI's CLIP does (see <see cref="ClipNormalizer"/> for the exceptions).</summary>
/// <remarks>Radford et al. 2021; byte-level BPE after Sennrich et al. 2016. Safe to call from several threads.</remarks>
sealed class ClipTokenizer
{
    /// <summary>Positions that CLIP's text tower has.</summary>
    public const int DefaultContextLength = 77;

    readonly BpeTokenizer _words;

    ClipTokenizer(ClipVocabulary vocabulary)
    {
        (BeginId, EndId, VocabularySize) = (vocabulary.BeginId, vocabulary.EndId, vocabulary.Size);
        // Only this overload sets byte level (the file overloads drop bytes in silence) and works under NativeAOT.
        _words = BpeTokenizer.Create(new BpeOptions(vocabulary.Ids)
        {
            Merges = vocabulary.Merges,
            ByteLevel = true,
            EndOfWordSuffix = ByteSymbols.EndOfWord,
            Normalizer = new ClipNormalizer(),
            PreTokenizer = new ClipPreTokenizer(),
            SpecialTokens = new Dictionary<string, int> { [ClipVocabulary.BeginToken] = vocabulary.BeginId, [ClipVocabulary.EndToken] = vocabulary.EndId },
        });
    }

    public int BeginId { get; }

    public int EndId { get; }

    /// <summary>Every id is below this; the model's token embedding needs as many rows.</summary>
    public int VocabularySize { get; }

    /// <summary>Reads the vocabulary beside a model's weights.</summary>
    /// <exception cref="ModelFileException">It is missing or cannot be used.</exception>
    /// <remarks>Takes about 0.25 s with CLIP's vocabulary, mostly just-in-time compilation: load it once, when first needed.</remarks>
    public static ClipTokenizer Load(string folder) => new(ClipVocabulary.Load(folder));

    /// <summary>One phrase to ids; an empty one is begin and end alone.</summary>
    /// <param name="text">Any text; begin and end tokens written in it count as such, as in the reference.</param>
    /// <param name="contextLength">The most ids to give, begin and end included; at least 2.</param>
    /// <exception cref="ArgumentNullException">No text.</exception>
    /// <exception cref="ArgumentOutOfRangeException">No room for begin and end.</exception>
    public TokenizedText Encode(string text, int contextLength = DefaultContextLength)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentOutOfRangeException.ThrowIfLessThan(contextLength, 2);
        int room = contextLength - 2;
        IReadOnlyList<int> words = _words.EncodeToIds(text, maxTokenCount: room + 1, out _, out _);   // one more than fits tells whether to cut
        int[] ids = [BeginId, .. words.Take(room), EndId];
        return new(ids, Truncated: words.Count > room);
    }
}
