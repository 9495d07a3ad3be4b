using System.Text.Json;
using ClipSegNative.Text;
using CsCheck;

namespace ClipSegNative.Tests.Text;

public class ClipTokenizerTests
{
    const int Begin = 49406, End = 49407;

    static readonly Lazy<ClipTokenizer> Loaded = new(() => ClipTokenizer.Load(TestData.ThirdParty("clip-vocab")));

    static ClipTokenizer Clip => Loaded.Value;

    static readonly string[] Fragments =
        ["a cat", "'s", "'LL", "'ſ", " ", "<|startoftext|>", "<|EndOfText|>", "&amp;lt;", "12", "!?", "é", "Σ", "\uD83D\uDC31", "\uD83D"];

    static readonly Gen<string> HardText = Gen.OneOf(
        Gen.Char.Array.Select(chars => new string(chars)),
        Gen.Char['\0', '\u024F'].Array.Select(chars => new string(chars)),
        Gen.Int[0, 0x10FFFF - 0x800].Select(i => char.ConvertFromUtf32(i < 0xD800 ? i : i + 0x800)).Array.Select(string.Concat),
        Gen.Int[0, Fragments.Length - 1].Select(i => Fragments[i]).Array.Select(string.Concat));

    [Fact]
    public void Encode_ReferenceCases_GivesReferenceIds()
    {
        ClipTokenizer tokenizer = Clip;
        JsonElement[] cases = [.. JsonDocument.Parse(File.ReadAllText(TestData.Fixture("tokenizer_cases.json"))).RootElement.EnumerateArray()];
        Assert.Equal(110, cases.Length);
        Assert.All(cases, expected =>
        {
            TokenizedText actual = tokenizer.Encode(expected.GetProperty("text").GetString()!);
            Assert.Equal(expected.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()), actual.Ids);
            Assert.Equal(expected.GetProperty("truncated").GetBoolean(), actual.Truncated);
        });
    }

    [Theory]
    [InlineData("", new int[] { })]
    [InlineData("a cat", new[] { 320, 2368 })]
    [InlineData("a photo of a cat", new[] { 320, 1125, 539, 320, 2368 })]
    [InlineData("a photo of a dog.", new[] { 320, 1125, 539, 320, 1929, 269 })]
    [InlineData("a remote", new[] { 320, 9687 })]
    [InlineData("a blanket", new[] { 320, 12878 })]
    [InlineData("a glass", new[] { 320, 3313 })]
    [InlineData("something to fill", new[] { 2006, 531, 6277 })]
    [InlineData("wood", new[] { 1704 })]
    [InlineData("a jar", new[] { 320, 10837 })]
    [InlineData("wheel", new[] { 6744 })]
    [InlineData("black shoes", new[] { 1449, 4079 })]
    [InlineData("man wearing a red shirt", new[] { 786, 3309, 320, 736, 2523 })]
    [InlineData("  Two\tLARGE   zebras! ", new[] { 1237, 3638, 2254, 22611, 256 })]
    [InlineData("the dog's 2 balls", new[] { 518, 1929, 568, 273, 6927 })]
    [InlineData("clouds in blue sky", new[] { 6244, 530, 1746, 2390 })]
    [InlineData("café", new[] { 15304 })]
    [InlineData("a <|endoftext|> b<|STARTOFTEXT|>", new[] { 320, End, 321, Begin })]
    public void Encode_KnownPhrase_GivesGoldenIds(string text, int[] expected) => Assert.Equal([Begin, .. expected, End], Clip.Encode(text).Ids);

    [Theory]
    [InlineData(74, 76, false)]
    [InlineData(75, 77, false)]
    [InlineData(76, 77, true)]
    [InlineData(77, 77, true)]
    [InlineData(200, 77, true)]
    public void Encode_ManyWords_KeepsWhatFits(int words, int expectedLength, bool truncated) =>
        AssertCut(Clip.Encode(string.Join(' ', Enumerable.Repeat("cat", words))), [Begin, .. Enumerable.Repeat(2368, expectedLength - 2), End], truncated);

    [Theory]
    [InlineData(2, new[] { Begin, End }, true)]
    [InlineData(3, new[] { Begin, 8855, End }, true)]
    [InlineData(4, new[] { Begin, 8855, 43387, End }, true)]     // cut inside the bytes of one letter
    [InlineData(6, new[] { Begin, 8855, 43387, 371, 320, End }, false)]
    public void Encode_ShortContext_CutsBetweenAnyTokens(int contextLength, int[] expected, bool truncated) =>
        AssertCut(Clip.Encode("chips \U0001D4B7 a", contextLength), expected, truncated);

    static void AssertCut(TokenizedText actual, int[] expected, bool truncated)
    {
        Assert.Equal(expected, actual.Ids);
        Assert.Equal(truncated, actual.Truncated);
    }

    [Fact]
    public void Encode_AnyText_AgreesWithNaiveBpe()
    {
        ClipTokenizer tokenizer = Clip;
        var naive = new NaiveBpe(TestData.ThirdParty("clip-vocab"));
        var normalizer = new ClipNormalizer();
        HardText.Sample(text => tokenizer.Encode(text, 100_000).Ids.SequenceEqual(naive.Encode(normalizer.Normalize(text))), iter: 2000);
    }

    [Fact]
    public void Encode_AnyTextOnByteLevel_AgreesWithNaiveBpe()
    {
        using var folder = new TemporaryFolder();
        ClipVocabulary.WriteByteLevel(folder.Path, 600);
        var tokenizer = ClipTokenizer.Load(folder.Path);
        var naive = new NaiveBpe(folder.Path);
        var normalizer = new ClipNormalizer();
        HardText.Sample(text => tokenizer.Encode(text, 100_000).Ids.SequenceEqual(naive.Encode(normalizer.Normalize(text))), iter: 2000);
    }

    [Fact]
    public void Encode_AnyText_IsFramedAndInsideTheVocabulary()
    {
        using var folder = new TemporaryFolder();
        ClipVocabulary.WriteByteLevel(folder.Path, 1000);
        var tokenizer = ClipTokenizer.Load(folder.Path);
        Assert.Equal((998, 999, 1000), (tokenizer.BeginId, tokenizer.EndId, tokenizer.VocabularySize));
        Gen.Select(HardText, Gen.Int[2, 90]).Sample((text, contextLength) =>
        {
            TokenizedText tokens = tokenizer.Encode(text, contextLength);
            int[] lower = tokenizer.Encode(string.Concat(text.Select(c => char.IsAsciiLetterUpper(c) ? char.ToLowerInvariant(c) : c)), contextLength).Ids;
            bool entity = text.Contains('&');   // names of entities have case: &Eacute; is not &eacute;
            return tokens.Ids.Length >= 2 && tokens.Ids.Length <= contextLength && tokens.Ids[0] == tokenizer.BeginId && tokens.Ids[^1] == tokenizer.EndId
                && (!tokens.Truncated || tokens.Ids.Length == contextLength)
                && tokens.Ids.All(id => id >= 0 && id < tokenizer.VocabularySize)
                && (entity || lower.SequenceEqual(tokens.Ids));
        }, iter: 2000);
    }

    [Fact]
    public void Encode_MillionLetters_TakesNoQuadraticTime()
    {
        using var folder = new TemporaryFolder();
        ClipVocabulary.WriteByteLevel(folder.Path, 514);
        TokenizedText tokens = ClipTokenizer.Load(folder.Path).Encode(new string('a', 1_000_000));
        AssertCut(tokens, [512, .. Enumerable.Repeat('a' - '!', 75), 513], truncated: true);
    }

    [Fact]
    public void Encode_FromManyThreads_GivesTheSameIds()
    {
        using var folder = new TemporaryFolder();
        ClipVocabulary.WriteByteLevel(folder.Path, 514);
        var tokenizer = ClipTokenizer.Load(folder.Path);
        string[] texts = [.. Enumerable.Range(0, 2000).Select(i => $"word{i % 50} and {i}")];
        int[][] expected = [.. texts.Select(text => tokenizer.Encode(text).Ids)];
        var fresh = ClipTokenizer.Load(folder.Path);
        Parallel.For(0, texts.Length, i => Assert.Equal(expected[i], fresh.Encode(texts[i]).Ids));
    }

    [Fact]
    public void Encode_BadArguments_Throws()
    {
        using var folder = new TemporaryFolder();
        ClipVocabulary.WriteByteLevel(folder.Path, 514);
        var tokenizer = ClipTokenizer.Load(folder.Path);
        Assert.Throws<ArgumentNullException>(() => tokenizer.Encode(null!));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Encode("a", contextLength: 1));
        Assert.Throws<ArgumentNullException>(() => ClipTokenizer.Load(null!));
    }
}
