using System.Text.Json;
using ClipSegNative.Imaging;

namespace ClipSegNative.Cli.Tests;

public sealed class InferTests(TinyModel model) : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Infer_OnePicture_WritesTheMaskBesideItAndNothingOnOutput()
    {
        CommandResult result = model.Infer(_folder.Picture("cat.png"), "-t", "a cat").Expect(ExitCode.Ok);
        Assert.Equal(["cat.a-cat.mask.png", "cat.png"], _folder.Files());
        Assert.Empty(result.Output);
        Picture mask = ImageReader.Read(_folder["cat.a-cat.mask.png"]);
        Assert.Equal((40, 30), (mask.Width, mask.Height));
        Assert.Contains("device auto: cpu", result.Error, StringComparison.Ordinal);
        Assert.Matches(@"1 picture, 1 mask, \d+\.\d s; cpu, .*, 1 thread\n$", result.Error);
    }

    [Fact]
    public void Infer_Quiet_SaysNothing() => Assert.Empty(model.Infer(_folder.Picture("cat.png"), "-t", "a cat", "--quiet").Expect(ExitCode.Ok).Error);

    [Fact]
    public void Infer_TwoBadOfTwelve_DoesTenAndReportsTwo()
    {
        for (int i = 0; i < 10; i++) _folder.Picture($"in/{i}.png", seed: i + 1);
        _folder.Text("in/3bad.png", "Hello");
        File.WriteAllBytes(_folder["in/half.png"], File.ReadAllBytes(_folder["in/0.png"])[..100]);
        CommandResult result = model.Infer(_folder["in"], "-t", "a cat", "-o", _folder["out"], "--json", "--output", "mask").Expect(ExitCode.SomeInputsFailed);
        Assert.Equal(10, _folder.Files("out").Length);
        string[] reasons = [.. result.Error.Split('\n').Where(line => line.StartsWith("error: ", StringComparison.Ordinal))];
        Assert.Equal(2, reasons.Length);
        Assert.Contains("3bad.png is not a picture (first bytes: 48 65 6C 6C)", reasons[0], StringComparison.Ordinal);
        Assert.Contains("half.png", reasons[1], StringComparison.Ordinal);
        Assert.Contains("10 pictures, 10 masks, 2 failed", result.Error, StringComparison.Ordinal);
        Assert.Equal(12, result.Json.Length);
        JsonElement[] failures = [.. result.Json.Where(line => line.TryGetProperty("error", out _))];
        Assert.Equal([_folder["in/3bad.png"], _folder["in/half.png"]], failures.Select(line => line.GetProperty("image").GetString()));
    }

    [Fact]
    public void Infer_AllKindsTwice_GivesTheSameBytes()
    {
        string picture = _folder.Picture("cat.png");
        string[] arguments =
            [picture, "-t", "a cat", "-t", "the sofa", "--output", "mask,heatmap,overlay", "--output", "cutout,json,npy,logits,labels", "-o", _folder["out"]];
        model.Infer(arguments).Expect(ExitCode.Ok);
        string[] files = _folder.Files("out");
        Assert.Equal(
            ["cat.a-cat.cutout.png", "cat.a-cat.heatmap.png", "cat.a-cat.mask.png", "cat.a-cat.overlay.png", "cat.json", "cat.labels.png", "cat.logits.npy", "cat.npy",
                "cat.the-sofa.cutout.png", "cat.the-sofa.heatmap.png", "cat.the-sofa.mask.png", "cat.the-sofa.overlay.png"], files);
        byte[][] first = [.. files.Select(file => File.ReadAllBytes(_folder["out/" + file]))];
        model.Infer(arguments).Expect(ExitCode.Ok);
        Assert.Equal(first, files.Select(file => File.ReadAllBytes(_folder["out/" + file])));
        Assert.DoesNotContain("device", File.ReadAllText(_folder["out/cat.json"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Infer_Renderings_ArePicturesOfTheResult()
    {
        string picture = _folder.Picture("cat.png");
        model.Infer(picture, "-t", "a cat", "--output", "heatmap,overlay,cutout,mask", "--threshold", "0.5").Expect(ExitCode.Ok);
        float[] probabilities = Expected(picture, "a cat").Probabilities();
        Picture heatmap = ImageReader.Read(_folder["cat.a-cat.heatmap.png"]), mask = ImageReader.Read(_folder["cat.a-cat.mask.png"]);
        for (int i = 0; i < probabilities.Length; i++)
        {
            Assert.Equal((byte)(probabilities[i] * 255 + 0.5f), heatmap.Pixels[3 * i]);
            Assert.Equal(probabilities[i] > 0.5f ? 255 : 0, mask.Pixels[3 * i]);
        }
        Assert.Equal((40, 30), (ImageReader.Read(_folder["cat.a-cat.overlay.png"]).Width, ImageReader.Read(_folder["cat.a-cat.cutout.png"]).Height));
    }

    [Fact]
    public void Infer_Json_AgreesWithTheMask()
    {
        const string Sure = "0.7";   // few pixels: a box whose sides differ
        string cat = _folder.Picture("ein Bär.png");
        CommandResult result = model.Infer(cat, "-t", "Löwe \"groß\"", "--json", "--output", "mask", "--threshold", Sure).Expect(ExitCode.Ok);
        JsonElement line = Assert.Single(result.Json), found = Assert.Single(line.GetProperty("results").EnumerateArray());
        Assert.Contains("Bär", result.Text, StringComparison.Ordinal);
        Assert.Equal((40, 30), (line.GetProperty("width").GetInt32(), line.GetProperty("height").GetInt32()));
        Assert.Equal("Löwe \"groß\"", found.GetProperty("text").GetString());
        Assert.StartsWith("cpu", line.GetProperty("device").GetString(), StringComparison.Ordinal);
        Assert.Equal(["decode", "encode", "prompts"], line.GetProperty("milliseconds").EnumerateObject().Select(part => part.Name));
        Assert.Equal([30, 40], found.GetProperty("rle").GetProperty("size").EnumerateArray().Select(side => side.GetInt32()));

        string path = found.GetProperty("mask").GetString()!;
        Assert.Equal(_folder["ein Bär.löwe-groß.mask.png"], path);
        Picture picture = ImageReader.Read(path);
        var mask = Mask.FromPixels(Enumerable.Range(0, 40 * 30).Select(i => picture.Pixels[3 * i]).ToArray(), 40, 30);
        Assert.InRange(mask.Area, 1, 40 * 30 - 1);
        Assert.Equal(mask.Area, CocoRle.Parse(found.GetProperty("rle").GetProperty("counts").GetString()!, 40, 30).Area);
        Assert.Equal(mask.Area / 1200.0, found.GetProperty("area").GetDouble(), precision: 12);
        Assert.NotEqual(mask.Box.X, mask.Box.Y);
        Assert.Equal([mask.Box.X, mask.Box.Y, mask.Box.Width, mask.Box.Height], found.GetProperty("box").EnumerateArray().Select(side => side.GetInt32()));
        Assert.Equal(Expected(cat, "Löwe \"groß\"").Score, found.GetProperty("score").GetSingle());
    }

    [Fact]
    public void Infer_Labels_AreThoseOfTheResults()
    {
        string picture = _folder.Picture("cat.png");
        model.Infer(picture, "-t", "a cat", "-t", "the sofa", "--output", "labels", "--threshold", "0.4").Expect(ExitCode.Ok);
        using var expected = new MemoryStream();
        Segmentation.Labels([Expected(picture, "a cat"), Expected(picture, "the sofa")], threshold: 0.4f).Save(expected);
        Assert.Equal(expected.ToArray(), File.ReadAllBytes(_folder["cat.labels.png"]));
        Assert.Contains("255", model.Infer([picture, "--output", "labels", .. Enumerable.Range(0, 256).SelectMany(i => new[] { "-t", $"{i}" })]).Expect(ExitCode.Usage).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Infer_MinArea_DropsSmallerMasks()
    {
        string picture = _folder.Picture("cat.png");
        JsonElement[] Results(params string[] more) =>
            [.. Assert.Single(model.Infer([picture, "-t", "a cat", "-t", "x", "--json", "--threshold", "0.5", .. more]).Expect(ExitCode.Ok).Json).GetProperty("results").EnumerateArray()];
        JsonElement[] all = Results();
        double[] areas = [.. all.Select(result => result.GetProperty("area").GetDouble()).Order()];
        Assert.InRange(areas[0], 0.001, areas[1] - 0.001);   // the test needs two different ones
        Assert.All(all, result => Assert.False(result.TryGetProperty("dropped", out _)));

        JsonElement[] some = Results("--min-area", $"{areas[1]}", "--output", "mask,labels");
        int dropped = Array.FindIndex(some, result => result.GetProperty("dropped").GetBoolean());
        Assert.False(some[1 - dropped].GetProperty("dropped").GetBoolean());
        Assert.Equal((0, "[0,0,0,0]"), (some[dropped].GetProperty("area").GetDouble(), some[dropped].GetProperty("box").GetRawText()));
        Assert.Equal(all[dropped].GetProperty("score").GetSingle(), some[dropped].GetProperty("score").GetSingle());
        Assert.Equal(0, Mask.FromPicture(ImageReader.Read(some[dropped].GetProperty("mask").GetString()!)).Area);
        // What was dropped takes no pixel from the other.
        Assert.Equal(Mask.FromPicture(ImageReader.Read(some[1 - dropped].GetProperty("mask").GetString()!)).Pixels.ToArray(),
            Mask.FromPicture(ImageReader.Read(_folder["cat.labels.png"])).Pixels.ToArray());
    }

    [Fact]
    public void Infer_JsonAlone_WritesNoFiles()
    {
        CommandResult result = model.Infer(_folder.Picture("cat.png"), "-t", "a cat", "--json").Expect(ExitCode.Ok);
        Assert.Equal(["cat.png"], _folder.Files());
        Assert.False(result.Json[0].GetProperty("results")[0].TryGetProperty("mask", out _));
    }

    [Fact]
    public void Infer_Npy_HoldsTheProbabilitiesOfAllPhrases()
    {
        string picture = _folder.Picture("cat.png");
        model.Infer(picture, "-t", "a cat", "-t", "the sofa", "--output", "npy,logits").Expect(ExitCode.Ok);
        Segmentation cat = Expected(picture, "a cat"), sofa = Expected(picture, "the sofa");
        Assert.Equal([.. cat.Probabilities(), .. sofa.Probabilities()], ReadNpy("cat.npy", "(2, 30, 40)"));
        Assert.Equal([.. cat.Logits, .. sofa.Logits], ReadNpy("cat.logits.npy", $"(2, {TinyModel.Side}, {TinyModel.Side})"));
    }

    [Fact]
    public void Infer_Size_ChangesTheWorkingSize()
    {
        model.Infer(_folder.Picture("cat.png"), "-t", "a cat", "--output", "logits", "--size", "96x48").Expect(ExitCode.Ok);
        Assert.Equal(96 * 48, ReadNpy("cat.logits.npy", "(1, 48, 96)").Length);
    }

    [Fact]
    public void Infer_RotatedJpeg_IsUprightUnlessToldOtherwise()
    {
        string picture = _folder.RotatedJpeg("phone.jpg", width: 48, height: 20);
        Assert.Equal("20x48", Size());
        Assert.Equal("48x20", Size("--no-orient"));

        string Size(params string[] more)
        {
            JsonElement line = Assert.Single(model.Infer([picture, "-t", "x", "--json", .. more]).Expect(ExitCode.Ok).Json);
            return $"{line.GetProperty("width")}x{line.GetProperty("height")}";
        }
    }

    [Fact]
    public void Infer_LongPhrase_WarnsOnce()
    {
        string error = model.Infer(_folder.Picture("cat.png"), "-t", new string('x', 100), "-t", "x").Expect(ExitCode.Ok).Error;
        Assert.Single(error.Split('\n'), line => line.StartsWith("warning: ", StringComparison.Ordinal));
        Assert.Contains("77 tokens", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Infer_Profile_PrintsTheOperations()
    {
        string error = model.Infer(_folder.Picture("cat.png"), "-t", "x", "--profile", "--check").Expect(ExitCode.Ok).Error;
        Assert.Contains("GFLOP/s", error, StringComparison.Ordinal);
        Assert.Matches(@"\n\S+ .*\[.*\s\d+\.\d%", error);
    }

    [Fact]
    public void Infer_EachCpuPath_GivesTheSameMask()
    {
        string picture = _folder.Picture("cat.png");
        model.Infer(picture, "-t", "a cat", "--output", "npy").Expect(ExitCode.Ok);
        float[] best = ReadNpy("cat.npy", "(1, 30, 40)");
        model.Infer(picture, "-t", "a cat", "--output", "npy", "--cpu", "portable").Expect(ExitCode.Ok);
        float[] portable = ReadNpy("cat.npy", "(1, 30, 40)");
        for (int i = 0; i < best.Length; i++) Assert.Equal(best[i], portable[i], tolerance: 1e-4f);
    }

    Segmentation Expected(string picture, string phrase)
    {
        using Segmenter segmenter = Segmenter.Load(model.Location, new SegmenterOptions { Threads = 1 });
        using EncodedImage image = segmenter.Encode(ImageReader.Read(picture));
        return image.Segment(phrase)[0];
    }

    float[] ReadNpy(string name, string shape)
    {
        const int LengthAt = 8, HeaderAt = 10;
        byte[] file = File.ReadAllBytes(_folder[name]);
        int data = HeaderAt + BitConverter.ToUInt16(file, LengthAt);
        string header = System.Text.Encoding.ASCII.GetString(file, HeaderAt, data - HeaderAt);
        Assert.Contains($"'descr': '<f4', 'fortran_order': False, 'shape': {shape}", header, StringComparison.Ordinal);
        var values = new float[(file.Length - data) / sizeof(float)];
        Buffer.BlockCopy(file, data, values, 0, file.Length - data);
        return values;
    }
}
