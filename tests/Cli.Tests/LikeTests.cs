using System.Text.Json;
using ClipSegNative.Imaging;

namespace ClipSegNative.Cli.Tests;

/// <summary>infer with pictures of what to look for.</summary>
public sealed class LikeTests : IDisposable
{
    readonly TinyModel _model;
    readonly TestFolder _folder = new();

    public LikeTests(TinyModel model)
    {
        _model = model;
        _folder.Picture("cat.png");
        _folder.Picture("ref.png", seed: 4);
        MaskPicture("mask.png", 40, 30);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Infer_LikeAlone_LooksForThePicture()
    {
        Segmentation expected = Expected(segmenter => segmenter.Like(ImageReader.Read(_folder["ref.png"])));
        JsonElement result = Result("--like", _folder["ref.png"], "--output", "mask,logits");
        Assert.Equal("like ref", result.GetProperty("text").GetString());
        Assert.Equal(expected.Score, result.GetProperty("score").GetSingle());
        Assert.Equal(["cat.like-ref.mask.png", "cat.logits.npy", "cat.png", "mask.png", "ref.png"], _folder.Files());
    }

    [Fact]
    public void Infer_LikeWithMaskAndPhrase_MixesThem()
    {
        Mask mask = Mask.FromPicture(ImageReader.Read(_folder["mask.png"]));
        Assert.Equal(25, mask.Area);
        Segmentation Expected(float share) => this.Expected(segmenter => segmenter.Like(ImageReader.Read(_folder["ref.png"]), mask).With("a cat", share));
        string[] like = ["-t", "a cat", "--like", _folder["ref.png"], "--like-mask", _folder["mask.png"]];
        JsonElement half = Result(like), tenth = Result([.. like, "--mix", "0.1"]);
        Assert.Equal("a cat like ref", half.GetProperty("text").GetString());
        Assert.Equal(Expected(0.5f).Score, half.GetProperty("score").GetSingle());
        Assert.Equal(Expected(0.1f).Score, tenth.GetProperty("score").GetSingle());
        Assert.NotEqual(half.GetProperty("score").GetSingle(), tenth.GetProperty("score").GetSingle());
    }

    [Theory]
    [InlineData("give a phrase (-t) or a picture (--like)")]
    [InlineData("--like-mask goes with --like", "-t", "x", "--like-mask", "mask.png")]
    [InlineData("--mix goes with both", "-t", "x", "--mix", "0.5")]
    [InlineData("--mix goes with both", "--like", "ref.png", "--mix", "0.5")]
    [InlineData("it must be a number from 0 to 1", "-t", "x", "--like", "ref.png", "--mix", "1.5")]
    [InlineData("The mask has 10 x 10 pixels, the example 40 x 30.", "--like", "ref.png", "--like-mask", "mask10.png")]
    public void Infer_LikeOptionsThatDoNotFit_AreRefused(string reason, params string[] options)
    {
        MaskPicture("mask10.png", 10, 10);
        string[] paths = [.. options.Select(option => option.EndsWith(".png", StringComparison.Ordinal) ? _folder[option] : option)];
        Assert.Contains(reason, _model.Infer([_folder["cat.png"], .. paths]).Expect(ExitCode.Usage).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Infer_LikeFileMissing_SaysSo() => Assert.Contains(
        "nowhere.png does not exist.", _model.Infer(_folder["cat.png"], "--like", _folder["nowhere.png"]).Expect(ExitCode.Failed).Error, StringComparison.Ordinal);

    JsonElement Result(params string[] options) =>
        Assert.Single(Assert.Single(_model.Infer([_folder["cat.png"], "--json", .. options]).Expect(ExitCode.Ok).Json).GetProperty("results").EnumerateArray());

    Segmentation Expected(Func<Segmenter, Prompt> prompt)
    {
        using Segmenter segmenter = Segmenter.Load(_model.Location, new SegmenterOptions { Threads = 1 });
        using EncodedImage image = segmenter.Encode(ImageReader.Read(_folder["cat.png"]));
        return image.Segment(prompt(segmenter))[0];
    }

    /// <summary>A grey square of five pixels on black.</summary>
    void MaskPicture(string name, int width, int height)
    {
        var pixels = new byte[width * height];
        for (int y = 2; y < 7; y++) pixels.AsSpan(y * width + 3, 5).Fill(77);
        using FileStream stream = File.Create(_folder[name]);
        PngWriter.Write(stream, PngKind.Grey8, width, height, pixels);
    }
}
