using ClipSegNative.Text;

namespace ClipSegNative.Tests.Text;

public sealed class VocabularyLearnerTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The example of Sennrich, Haddow and Birch 2016, section 3.2, whose first merges are known.</summary>
    [Fact]
    public void Learn_ThePapersWords_MergesThePapersPairs()
    {
        string[] texts = [.. Enumerable.Repeat("low", 5), .. Enumerable.Repeat("lower", 2), .. Enumerable.Repeat("newest", 6), .. Enumerable.Repeat("widest", 3)];
        Assert.Equal(["e s", "es t</w>", "l o"], VocabularyLearner.Learn(texts, ClipVocabulary.SmallestSize + 3));
    }

    [Fact]
    public void Learn_Enough_MakesEveryWordOneTokenAndOthersSpelled()
    {
        string[] texts = ["a red star", "the RED ring", "a star", "two rings, a ring", "größe größe"];
        int tokens = ClipVocabulary.WriteMerges(_folder.Path, VocabularyLearner.Learn(texts, 2000));
        var tokenizer = ClipTokenizer.Load(_folder.Path);
        Assert.Equal(tokens, tokenizer.VocabularySize);
        Assert.Equal((tokens - 2, tokens - 1), (tokenizer.BeginId, tokenizer.EndId));
        Assert.Equal(5, tokenizer.Encode("A red star").Ids.Length);
        Assert.Equal(3, tokenizer.Encode("größe").Ids.Length);
        int[] spelled = tokenizer.Encode("zebra").Ids;
        Assert.InRange(spelled.Length, 5, 7);
        Assert.Equal(spelled, tokenizer.Encode("ZEBRA").Ids);
    }

    [Fact]
    public void Learn_WordsThatStandOnce_StaySpelled() => Assert.Empty(VocabularyLearner.Learn(["xyz"], 2000));
}
