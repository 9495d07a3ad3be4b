using ClipSegNative.Imaging;
using ClipSegNative.Tests.Backends;

namespace ClipSegNative.Tests;

public sealed class SegmenterTests(TinyModel model) : IClassFixture<TinyModel>
{
    static readonly string[] Phrases = ["a cat", "the wooden table", "sky", "a red ball on the left", "x", "ten", "zebra crossing"];

    [Fact]
    public void Segment_SeveralPhrases_GivesOneResultEachAtThePicturesSize()
    {
        using Segmenter segmenter = Segmenter.Load(model.Folder);
        using EncodedImage image = segmenter.Encode(Noise(130, 70));
        IReadOnlyList<Segmentation> results = image.Segment(Phrases);
        Assert.Equal(Phrases, results.Select(result => result.Text));
        Assert.All(results, result =>
        {
            Assert.Equal((130, 70, 96, 64), (result.Width, result.Height, result.LogitWidth, result.LogitHeight));
            float[] probabilities = result.Probabilities();
            Assert.Equal(130 * 70, probabilities.Length);
            Assert.All(probabilities, p => Assert.InRange(p, 0f, 1f));
            Assert.InRange(result.Score, probabilities.Max() - 1e-6f, 1f);
            Mask mask = result.Mask(0.4f);
            Assert.Equal((130, 70), (mask.Width, mask.Height));
            Assert.Equal(probabilities.Count(p => p > 0.4f), mask.Area);
        });
        Assert.NotEqual(results[0].Logits.ToArray(), results[1].Logits.ToArray());
    }

    [Fact]
    public void Remember_PhrasesOfManyLengths_GivesTheBitsOfEachAlone()
    {
        string longest = string.Join(' ', Enumerable.Repeat("a very long phrase", 10));
        using Segmenter segmenter = Segmenter.Load(model.Folder), fresh = Segmenter.Load(model.Folder);
        segmenter.Remember([.. Phrases, longest, .. Enumerable.Range(0, 40).Select(i => $"{i} cats")]);
        foreach (string phrase in (string[])[.. Phrases, longest, "39 cats"]) Assert.Equal(fresh.Embed(phrase), segmenter.Embed(phrase));
        Assert.Throws<ArgumentException>(() => segmenter.Remember(["a cat", ""]));
        segmenter.Remember([]);
    }

    [Fact]
    public void Segment_TogetherOrAlone_GivesTheSameBits()
    {
        using Segmenter segmenter = Segmenter.Load(model.Folder), fresh = Segmenter.Load(model.Folder);   // which has not remembered what was embedded together
        using EncodedImage image = segmenter.Encode(Noise(50, 90)), same = fresh.Encode(Noise(50, 90));
        IReadOnlyList<Segmentation> together = image.Segment(Phrases);
        for (int i = 0; i < Phrases.Length; i++)
            Assert.Equal(together[i].Logits.ToArray(), same.Segment(Phrases[i])[0].Logits.ToArray());
    }

    [Fact]
    public void Load_AnyNumberOfThreadsAndAnyPath_AgreesWithTheDefault()
    {
        float[] expected = Logits(new SegmenterOptions { Threads = 1 });
        Assert.Equal(expected, Logits(new SegmenterOptions { Threads = 3 }));
        float[] portable = Logits(new SegmenterOptions { CpuPath = "portable" });
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], portable[i], tolerance: 1e-4f);
    }

    [Fact]
    public void Load_Checked_GivesTheSameResult() => Assert.Equal(Logits(new SegmenterOptions()), Logits(new SegmenterOptions { Check = true }));

    [Fact]
    public void Load_Profiled_CountsEveryOperation()
    {
        using Segmenter segmenter = Segmenter.Load(model.Folder, new SegmenterOptions { Profile = true });
        segmenter.ClearProfile();
        using EncodedImage image = segmenter.Encode(Noise(20, 20));
        Assert.Equal(TinyModel.Config.ExtractLayers.Max() + 1, segmenter.Profile.Where(line => line.Operation.StartsWith("Attention", StringComparison.Ordinal)).Sum(line => line.Calls));
        Assert.All(segmenter.Profile, line => Assert.True(line.Milliseconds > 0));
    }

    [Fact]
    public void Load_AnotherWorkingSize_ChangesTheRawResult()
    {
        using Segmenter segmenter = Segmenter.Load(model.Folder, new SegmenterOptions { WorkingSize = (160, 48) });
        using EncodedImage image = segmenter.Encode(Noise(64, 64));
        Segmentation result = Assert.Single(image.Segment("a cat"));
        Assert.Equal((160, 48), (result.LogitWidth, result.LogitHeight));
        Assert.Equal((64, 64), (result.Width, result.Height));
    }

    [Fact]
    public void EncodeAndSegment_Warm_AllocateNothing()
    {
        using Segmenter segmenter = Segmenter.Load(model.Folder);
        Picture first = Noise(120, 80), second = Noise(120, 80, seed: 2);
        using EncodedImage image = segmenter.Encode(first);
        Segmentation[] results = [.. image.Segment(Phrases)];
        float[] expected = image.Segment(Phrases)[3].Logits.ToArray();
        segmenter.Encode(second, image);

        long allocated = Allocations.Of(() =>
        {
            segmenter.Encode(first, image);
            image.Segment(Phrases, results);
        });

        Assert.Equal(0, allocated);
        Assert.Equal(expected, results[3].Logits.ToArray());
    }

    [Fact]
    public async Task Segment_FromManyThreads_GivesWhatOneThreadGets()
    {
        using Segmenter segmenter = Segmenter.Load(model.Folder);
        using EncodedImage a = segmenter.Encode(Noise(40, 40, seed: 1)), b = segmenter.Encode(Noise(40, 40, seed: 2));
        float[][] expected = [a.Segment("a cat")[0].Logits.ToArray(), b.Segment("a cat")[0].Logits.ToArray()];
        Assert.NotEqual(expected[0], expected[1]);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(() =>
        {
            for (int turn = 0; turn < 20; turn++)
            {
                int which = (worker + turn) % 2;
                Assert.Equal(expected[which], (which == 0 ? a : b).Segment($"p{turn % 5}", "a cat")[1].Logits.ToArray());
            }
        }, TestContext.Current.CancellationToken)));
    }

    [Fact]
    public void Segment_MorePhrasesThanAreRemembered_StillRight()
    {
        using Segmenter small = Load(new() { TextCacheSize = 1 }), large = Load(new());
        using EncodedImage a = small.Encode(Noise(40, 40)), b = large.Encode(Noise(40, 40));
        for (int turn = 0; turn < 2; turn++)
            Assert.Equal(b.Segment(Phrases).Select(result => result.Logits.ToArray()), a.Segment(Phrases).Select(result => result.Logits.ToArray()));
    }

    [Fact]
    public void Segment_TextLongerThanTheModelReads_IsCut()
    {
        using Segmenter segmenter = Segmenter.Load(model.Folder);
        using EncodedImage image = segmenter.Encode(Noise(40, 40));
        string words = string.Join(' ', Enumerable.Repeat("word", 200));
        Assert.Equal(image.Segment(words)[0].Logits.ToArray(), image.Segment(words + " more")[0].Logits.ToArray());
    }

    [Fact]
    public void Segment_EndTokenInsideThePhrase_CountsAsItsEnd()
    {
        using Segmenter segmenter = Segmenter.Load(model.Folder);
        using EncodedImage image = segmenter.Encode(Noise(40, 40));
        Assert.Equal(image.Segment("cat")[0].Logits.ToArray(), image.Segment("cat<|endoftext|>dog")[0].Logits.ToArray());
    }

    [Fact]
    public void Segment_BadArguments_AreRefused()
    {
        using Segmenter segmenter = Segmenter.Load(model.Folder), other = Segmenter.Load(model.Folder);
        using EncodedImage image = segmenter.Encode(Noise(40, 40)), foreign = other.Encode(Noise(40, 40));
        Assert.Throws<ArgumentException>(() => image.Segment());
        Assert.Throws<ArgumentException>(() => image.Segment("a cat", " "));
        Assert.Throws<ArgumentException>(() => image.Segment(["a cat"], []));
        Assert.Throws<ArgumentException>(() => segmenter.Encode(Noise(40, 40), foreign));
        Assert.Throws<ArgumentOutOfRangeException>(() => image.Segment("a cat")[0].Mask(1.5f));
    }

    [Fact]
    public void Disposed_Objects_RefuseEveryCall()
    {
        var segmenter = Segmenter.Load(model.Folder);
        EncodedImage image = segmenter.Encode(Noise(40, 40)), kept = segmenter.Encode(Noise(40, 40));
        Segmentation result = kept.Segment("a cat")[0];
        image.Dispose();
        Assert.Throws<ObjectDisposedException>(() => image.Segment("a cat"));
        segmenter.Dispose();
        Assert.Throws<ObjectDisposedException>(() => kept.Segment("a cat"));
        Assert.Throws<ObjectDisposedException>(() => segmenter.Encode(Noise(40, 40)));
        Assert.Equal(1600, result.Probabilities().Length);
        kept.Dispose();
    }

    [Fact]
    public void Load_BadOptions_SayWhatIsWrong()
    {
        Assert.Contains("16-pixel", Assert.Throws<ArgumentException>(() => Load(new() { WorkingSize = (100, 64) })).Message, StringComparison.Ordinal);
        Assert.Contains("threads", Assert.Throws<ArgumentException>(() => Load(new() { Threads = 0 })).Message, StringComparison.Ordinal);
        Assert.Contains("cache", Assert.Throws<ArgumentException>(() => Load(new() { TextCacheSize = 0 })).Message, StringComparison.Ordinal);
        Assert.Contains("avx2", Assert.Throws<ArgumentException>(() => Load(new() { CpuPath = "mmx" })).Message, StringComparison.Ordinal);
        Assert.Contains("for the CPU", Assert.Throws<DeviceException>(() => Load(new() { Device = DeviceKind.Cuda, Precision = Precision.Int8 })).Message, StringComparison.Ordinal);
        Assert.Contains("-1", Assert.Throws<ArgumentException>(() => Load(new() { Device = DeviceKind.Cuda, DeviceOrdinal = -1 })).Message, StringComparison.Ordinal);
        Assert.Contains("4096", Assert.Throws<ArgumentException>(() => Load(new() { WorkingSize = (1 << 20, 64) })).Message, StringComparison.Ordinal);
        Assert.Throws<ModelFileException>(() => Segmenter.Load(Path.Combine(model.Folder, "nowhere")));
    }

    [Theory]
    [InlineData("vocab.json", "")]
    [InlineData("preprocessor_config.json", """{"size": 100, "image_mean": [0,0,0], "image_std": [1,1,1]}""")]
    [InlineData("config.json", """{"model_type": "clipseg", "projection_dim": 25}""")]
    [InlineData("model.safetensors", "not weights")]
    public void Load_BrokenFile_NamesIt(string file, string content)
    {
        using var broken = new TinyModel();
        File.WriteAllText(Path.Combine(broken.Folder, file), content);
        Assert.Contains(Path.GetFileNameWithoutExtension(file).Split('_')[0], Assert.Throws<ModelFileException>(() => Segmenter.Load(broken.Folder)).Message, StringComparison.Ordinal);
    }

    static Picture Noise(int width, int height, int seed = 1)
    {
        var pixels = new byte[width * height * 3];
        new Random(seed).NextBytes(pixels);
        return Picture.FromRgb(pixels, width, height, width * 3);
    }

    float[] Logits(SegmenterOptions options)
    {
        using Segmenter segmenter = Load(options);
        using EncodedImage image = segmenter.Encode(Noise(77, 33));
        return image.Segment("a cat", "sky")[1].Logits.ToArray();
    }

    Segmenter Load(SegmenterOptions options) => Segmenter.Load(model.Folder, options);
}
