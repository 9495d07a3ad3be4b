using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ClipSegNative.Text;

sealed partial class ClipVocabulary
{
    /// <summary>Writes a vocabulary that spells every word byte by byte: enough to run a randomly initialised model, of no use to a trained one.</summary>
    /// <param name="folder">Made where it is missing; its vocab.json and merges.txt are replaced.</param>
    /// <param name="vocabularySize">514 to 1,048,576: the begin and end tokens take the last two ids, the byte symbols the first 512.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size leaves no room for bytes and special tokens.</exception>
    /// <exception cref="ModelFileException">The folder cannot be written.</exception>
    public static void WriteByteLevel(string folder, int vocabularySize)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, SmallestSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(vocabularySize, MaximumSize);
        IEnumerable<KeyValuePair<string, int>> symbols = ByteSymbols.All.Select((symbol, id) => KeyValuePair.Create(symbol, id));
        Write(folder, [.. symbols, new(BeginToken, vocabularySize - 2), new(EndToken, vocabularySize - 1)], []);
    }

    /// <summary>Writes a vocabulary of bytes and what merges make of them, in CLIP's order: bytes, merges, begin and end tokens.</summary>
    /// <param name="folder">Made where it is missing; its vocab.json and merges.txt are replaced.</param>
    /// <param name="merges">As <see cref="VocabularyLearner"/> learns them.</param>
    /// <returns>Tokens.</returns>
    /// <exception cref="ModelFileException">The folder cannot be written.</exception>
    public static int WriteMerges(string folder, IReadOnlyList<string> merges)
    {
        string[] tokens = [.. ByteSymbols.All.Concat(merges.Select(merge => merge.Replace(" ", "", StringComparison.Ordinal))).Distinct(), BeginToken, EndToken];
        Write(folder, tokens.Select((token, id) => KeyValuePair.Create(token, id)), merges);
        return tokens.Length;
    }

    /// <summary>Gives another model folder this one's vocabulary, as vocab.json and merges.txt whichever form it had.</summary>
    /// <param name="fromFolder">Read and checked whole before anything is written.</param>
    /// <param name="toFolder">Made where it is missing; its vocab.json and merges.txt are replaced.</param>
    /// <exception cref="ModelFileException">The vocabulary cannot be used, or the folder cannot be written.</exception>
    public static void Copy(string fromFolder, string toFolder)
    {
        ArgumentNullException.ThrowIfNull(toFolder);
        ClipVocabulary vocabulary = Load(fromFolder);
        Write(toFolder, vocabulary.Ids.OrderBy(entry => entry.Value), vocabulary.Merges);
    }

    static void Write(string folder, IEnumerable<KeyValuePair<string, int>> ids, IEnumerable<string> merges)
    {
        try
        {
            Directory.CreateDirectory(folder);
            Replace(Path.Combine(folder, IdsFile), stream =>
            {
                // Relaxed: symbols are mostly Latin-1 letters, which the default would blow up to \u escapes.
                using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
                json.WriteStartObject();
                foreach ((string token, int id) in ids) json.WriteNumber(token, id);
                json.WriteEndObject();
            });
            Replace(Path.Combine(folder, MergesFile), stream =>
            {
                using var text = new StreamWriter(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\n" };
                text.WriteLine("#version: 0.2");
                foreach (string merge in merges) text.WriteLine(merge);
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelFileException($"{folder}: the vocabulary cannot be written there ({e.Message})", e);
        }
    }

    /// <summary>Write aside, then rename: a reader sees the old file or the new one, never half of it.</summary>
    static void Replace(string path, Action<Stream> write)
    {
        string aside = $"{path}.{Path.GetRandomFileName()}";
        try
        {
            using (var stream = new FileStream(aside, FileMode.CreateNew)) write(stream);
            File.Move(aside, path, overwrite: true);
        }
        finally
        {
            File.Delete(aside);
        }
    }
}
