using ClipSegNative.Imaging;
using ClipSegNative.Tests.Backends;
using ClipSegNative.Tests.Imaging;

namespace ClipSegNative.Tests;

public sealed class PromptTests(TinyModel model) : IClassFixture<TinyModel>
{
    static readonly Mask Middle = Mask.FromPixels([.. Enumerable.Range(0, 40 * 30).Select(i => (byte)(i % 40 is > 9 and < 25 && i / 40 is > 9 and < 20 ? 1 : 0))], 40, 30);

    [Fact]
    public void With_AnyShare_MixesTheVectors()
    {
        using Segmenter segmenter = Segmenter.Load(model.Folder);
        float[] text = segmenter.Embed("a cat"), picture = segmenter.Embed(segmenter.Like(Noise(2)));
        Assert.NotEqual(text, picture);
        foreach (float share in new[] { 0, 0.25f, 1 })
        {
            float[] mixed = segmenter.Embed(segmenter.Like(Noise(2)).With("a cat", share));
            for (int i = 0; i < mixed.Length; i++) Assert.Equal(share * text[i] + (1 - share) * picture[i], mixed[i], tolerance: 1e-6f);
        }
    }

    [Fact]
    public void Like_Mask_ChangesThePromptAsFocusingDoes()
    {
        using Segmenter segmenter = Segmenter.Load(model.Folder);
        float[] whole = segmenter.Embed(segmenter.Like(Noise(2))), masked = segmenter.Embed(segmenter.Like(Noise(2), Middle));
        Assert.NotEqual(whole, masked);
        Assert.Equal(whole, segmenter.Embed(segmenter.Like(Noise(2))));   // nothing of the masked example is left over
    }

    [Fact]
    public void Segment_PhrasesAndPicturesTogether_EachAsAlone()
    {
        using Segmenter segmenter = Segmenter.Load(model.Folder);
        using EncodedImage image = segmenter.Encode(Noise(1));
        Prompt like = segmenter.Like(Noise(2, "folder/ref.png"), Middle);
        IReadOnlyList<Segmentation> together = image.Segment("a cat", like, like.With("a cat"), "sky", like.With("sky", 0.1f));
        Assert.Equal(["a cat", "like ref", "a cat like ref", "sky", "sky like ref"], together.Select(result => result.Text));
        Assert.Equal(image.Segment("a cat")[0].Logits.ToArray(), together[0].Logits.ToArray());
        Assert.Equal(image.Segment(like)[0].Logits.ToArray(), together[1].Logits.ToArray());
        Assert.Equal(image.Segment(like.With("sky", 0.1f))[0].Logits.ToArray(), together[4].Logits.ToArray());
        Assert.Equal(5, together.Select(result => result.Score).Distinct().Count());
    }

    [Fact]
    public void Segment_WarmPrompts_AllocateNothing()
    {
        using Segmenter segmenter = Segmenter.Load(model.Folder);
        using EncodedImage image = segmenter.Encode(Noise(1));
        Prompt like = segmenter.Like(Noise(2));
        Prompt[] prompts = ["a cat", like, like.With("sky")];
        Segmentation[] results = [.. image.Segment(prompts)];
        Assert.Equal(0, Allocations.Of(() => image.Segment(prompts, results)));
    }

    [Fact]
    public void Prompt_Misused_IsRefused()
    {
        using Segmenter segmenter = Segmenter.Load(model.Folder), other = Segmenter.Load(model.Folder);
        using Segmenter textOnly = Segmenter.Load(model.Folder, new SegmenterOptions { ImagePrompts = false });
        using EncodedImage image = segmenter.Encode(Noise(1));
        Prompt phrase = "a cat", like = segmenter.Like(Noise(2)), foreign = other.Like(Noise(2));
        Assert.Throws<ArgumentException>(() => image.Segment(default(Prompt)));
        Assert.Throws<ArgumentException>(() => image.Segment(foreign));
        Assert.Throws<ArgumentException>(() => image.Segment((Prompt)" "));
        Assert.Throws<ArgumentException>(() => like.With(" "));
        Assert.Throws<ArgumentOutOfRangeException>(() => like.With("a cat", 1.01f));
        Assert.Throws<ArgumentOutOfRangeException>(() => like.With("a cat", float.NaN));
        Assert.Throws<InvalidOperationException>(() => phrase.With("a dog"));
        Assert.Throws<InvalidOperationException>(() => textOnly.Like(Noise(2)));
        Assert.Throws<ArgumentException>(() => segmenter.Like(Noise(2), Mask.FromPixels(new byte[40 * 30], 40, 30)));
        Assert.Throws<ArgumentException>(() => segmenter.Like(Noise(2), Mask.FromPixels([1], 1, 1)));
        Assert.True(textOnly.WeightBytes < segmenter.WeightBytes);
    }

    static Picture Noise(int seed, string? name = null) => new(PictureFixtures.Noise(40 * 30 * 3, seed), 40, 30, name);
}
