using System.IO.Compression;
using System.Text;
using ClipSegNative.Text;

namespace ClipSegNative.Tests.Text;

public class ClipVocabularyTests
{
    const string Ids = ClipVocabulary.IdsFile, Merges = ClipVocabulary.MergesFile, Original = ClipVocabulary.OriginalFile;

    [Fact]
    public void Load_OriginalFile_EqualsHuggingFaceFiles()
    {
        using var folder = new TemporaryFolder();
        File.Copy(TestData.ThirdParty("clip-vocab", Original), folder[Original]);
        AssertEqual(ClipVocabulary.Load(TestData.ThirdParty("clip-vocab")), ClipVocabulary.Load(folder.Path));
    }

    [Fact]
    public void Copy_EitherForm_GivesTheSameVocabulary()
    {
        string clip = TestData.ThirdParty("clip-vocab");
        using var original = new TemporaryFolder();
        using var copy = new TemporaryFolder();
        File.Copy(Path.Combine(clip, Original), original[Original]);
        ClipVocabulary.Copy(original.Path, copy["new/folder"]);
        AssertEqual(ClipVocabulary.Load(clip), ClipVocabulary.Load(copy["new/folder"]));
        Assert.Equal(File.ReadAllBytes(Path.Combine(clip, Merges)), File.ReadAllBytes(copy["new/folder/" + Merges]));
        Assert.Equal(2, Directory.GetFiles(copy["new/folder"]).Length);
        ClipVocabulary.Copy(copy["new/folder"], copy.Path);
        AssertEqual(ClipVocabulary.Load(clip), ClipVocabulary.Load(copy.Path));
    }

    static void AssertEqual(ClipVocabulary expected, ClipVocabulary actual)
    {
        Assert.Equal((49406, 49407, 49408), (expected.BeginId, expected.EndId, expected.Size));
        Assert.Equal(expected.Ids.OrderBy(e => e.Value), actual.Ids.OrderBy(e => e.Value));
        Assert.Equal(expected.Merges, actual.Merges);
    }

    [Fact]
    public void Load_SmallVocabulary_MergesBestFirst()
    {
        using var folder = new TemporaryFolder();
        ClipVocabulary.WriteByteLevel(folder.Path, 600);
        File.WriteAllText(folder[Ids], File.ReadAllText(folder[Ids]).Replace("{\"!\"", """{"cat</w>": 514, "at</w>": 513, "ca": 512,"!" """));
        File.WriteAllText(folder[Merges], "#version: 0.2\r\na t</w>\r\nc a\r\nc at</w>\r\n\r\n");
        var tokenizer = ClipTokenizer.Load(folder.Path);
        Assert.Equal([598, 514, 512, 256 + 'b' - '!', 599], tokenizer.Encode("Cat cab").Ids);
    }

    [Theory]
    [InlineData(513)]
    [InlineData(-1)]
    [InlineData(ClipVocabulary.MaximumSize + 1)]
    public void WriteByteLevel_SizeOutOfRange_Throws(int size)
    {
        using var folder = new TemporaryFolder();
        Assert.Throws<ArgumentOutOfRangeException>(() => ClipVocabulary.WriteByteLevel(folder.Path, size));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void WriteByteLevel_PathIsAFile_SaysSo()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["file"], "");
        Assert.Contains("cannot be written", Assert.Throws<ModelFileException>(() => ClipVocabulary.WriteByteLevel(folder["file"], 600)).Message);
    }

    /// <summary>Each takes a sound byte-level vocabulary (600 ids) and spoils vocab.json: what is replaced, by what, and what the message must say.</summary>
    [Theory]
    [InlineData("{", "", "not a JSON object")]
    [InlineData("{", "[", "not a JSON object")]
    [InlineData("}", "", "not valid JSON")]
    [InlineData("}", "} trailing", "not valid JSON")]
    [InlineData("\"a\":64", "\"\\ud800\":64", "not valid JSON")]
    [InlineData("\"a\":64", "\"a\":-1", "'a' is not a whole number from 0")]
    [InlineData("\"a\":64", "\"a\":1.5", "'a' is not a whole number")]
    [InlineData("\"a\":64", "\"a\":\"64\"", "'a' is not a whole number")]
    [InlineData("\"a\":64", "\"a\":{}", "'a' is not a whole number")]
    [InlineData("\"a\":64", "\"a\":1048576", "'a' is not a whole number from 0 to 1048575")]
    [InlineData("\"a\":64", "\"a\":99999999999999999999", "'a' is not a whole number")]
    [InlineData("\"a\":64", "\"a\":65", "'b' has id 65, which another token has already")]
    [InlineData("\"a\":64", "\"a\":64,\"a\":520", "'a' stands there twice")]
    [InlineData("\"a\":64", "\"zz\":64", "lacks the byte symbol 'a'")]
    [InlineData("\"a</w>\"", "\"zz\"", "lacks the byte symbol 'a</w>'")]
    [InlineData("<|startoftext|>", "<|begin|>", "has no <|startoftext|>")]
    [InlineData("<|endoftext|>", "<|end|>", "has no <|endoftext|>")]
    public void Load_SpoiltIds_SaysWhat(string old, string spoilt, string expected)
    {
        using var folder = new TemporaryFolder();
        ClipVocabulary.WriteByteLevel(folder.Path, 600);
        string json = File.ReadAllText(folder[Ids]);
        Assert.Contains(old, json);
        int at = json.IndexOf(old, StringComparison.Ordinal);
        if (old == "}") at = json.Length - 1;   // the first one is a symbol
        if (old == "{") at = 0;
        File.WriteAllText(folder[Ids], string.Concat(json.AsSpan(0, at), spoilt, json.AsSpan(at + old.Length)));
        AssertRefused(folder, folder[Ids], expected);
    }

    [Theory]
    [InlineData("a", "merge 1, 'a', is not two symbols")]
    [InlineData("a b c", "merge 1, 'a b c', is not two symbols")]
    [InlineData(" b", "is not two symbols")]
    [InlineData("a ", "is not two symbols")]
    [InlineData("a b\nb a", "merge 1, 'a b', names or makes a symbol")]
    [InlineData("a zz", "names or makes a symbol")]
    [InlineData("zz a", "names or makes a symbol")]
    [InlineData("c a\nc a", "merge 2, 'c a', stands there twice")]
    [InlineData("c a\n#version: 0.2 again", "merge 2, '#version: 0.2 again', is not two symbols")]
    [InlineData("\u0001 0123456789012345678901234567890123456789", "'? 01234567890123456789012345678901234567...'")]
    public void Load_SpoiltMerges_SaysWhat(string lines, string expected)
    {
        using var folder = new TemporaryFolder();
        ClipVocabulary.WriteByteLevel(folder.Path, 600);
        File.WriteAllText(folder[Ids], File.ReadAllText(folder[Ids]).Replace("{\"!\"", "{\"ca\":512,\"!\""));
        File.WriteAllText(folder[Merges], "#version: 0.2\n" + lines + "\n");
        AssertRefused(folder, folder[Merges], expected);
    }

    [Theory]
    [InlineData(Ids)]
    [InlineData(Merges)]
    public void Load_FileMissing_SaysWhichAndWhere(string file)
    {
        using var folder = new TemporaryFolder();
        ClipVocabulary.WriteByteLevel(folder.Path, 600);
        File.Delete(folder[file]);
        AssertRefused(folder, folder[file], "not found; CLIP's vocab.json and merges.txt belong beside the weights");
    }

    [Theory]
    [InlineData(Ids)]
    [InlineData(Merges)]
    [InlineData(Original)]
    public void Load_HugeFile_IsRefusedUnread(string file)
    {
        using var folder = new TemporaryFolder();
        if (file != Original) ClipVocabulary.WriteByteLevel(folder.Path, 600);
        using (FileStream huge = File.Create(folder[file])) huge.SetLength(65L << 20);   // sparse: takes no disk
        AssertRefused(folder, folder[file], "more than 64 MB");
    }

    [Theory]
    [InlineData("no gzip at all", false, "not a whole gzip file")]
    [InlineData("#version\ni n\n", true, "ends after 1 of 48894 merges")]
    public void Load_SpoiltOriginal_SaysWhat(string content, bool compress, string expected)
    {
        using var folder = new TemporaryFolder();
        WriteOriginal(folder, Encoding.UTF8.GetBytes(content), compress);
        AssertRefused(folder, folder[Original], expected);
    }

    [Fact]
    public void Load_OriginalExpandsWithoutEnd_IsRefused()
    {
        using var folder = new TemporaryFolder();
        WriteOriginal(folder, new byte[65 << 20], compress: true);
        AssertRefused(folder, folder[Original], "more than 64 MB");
    }

    static void WriteOriginal(TemporaryFolder folder, byte[] content, bool compress)
    {
        using FileStream file = File.Create(folder[Original]);
        using Stream stream = compress ? new GZipStream(file, CompressionLevel.Fastest) : file;
        stream.Write(content);
    }

    static void AssertRefused(TemporaryFolder folder, string file, string expected)
    {
        string message = Assert.Throws<ModelFileException>(() => ClipVocabulary.Load(folder.Path)).Message;
        Assert.StartsWith(file + ": ", message);
        Assert.Contains(expected, message);
        Assert.DoesNotContain('\n', message);
    }
}
