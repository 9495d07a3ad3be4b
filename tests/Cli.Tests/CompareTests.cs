using ClipSegNative.Cli.Tests.Study;
using ClipSegNative.Imaging;
using ClipSegNative.Weights;

namespace ClipSegNative.Cli.Tests;

public sealed class CompareTests(TinyModel model) : IDisposable
{
    readonly SceneFolder _scenes = new();

    public void Dispose() => _scenes.Dispose();

    [Fact]
    public void Compare_FewScenes_TrainsAllAndWritesThePage()
    {
        CommandResult result = Compare("--sizes", "small", "--losses", "bce,dice", "--seeds", "1,2", "--random-tower", "--report", _scenes["page/study.md"]);
        Assert.Empty(result.Expect(ExitCode.Ok).Output);
        Assert.Equal(12, _scenes.Files("study/runs").Count(file => file.EndsWith("/result.json", StringComparison.Ordinal)));
        Assert.DoesNotContain(_scenes.Files("study/runs"), file => file.EndsWith("/last.safetensors", StringComparison.Ordinal));

        string page = File.ReadAllText(_scenes["page/study.md"]);
        Assert.Contains("12 of 12 runs", page, StringComparison.Ordinal);
        foreach (string row in new[] { "transformer small bce", "conv small dice", "random tower conv small dice", "all background", "colour alone" })
            Assert.Contains($"\n| {row} | ", page, StringComparison.Ordinal);
        Assert.Matches(@"\n\| transformer small bce \| [\d,]+ \| 0\.\d{3} ± 0\.\d{3} \| ", page);
        Assert.Matches(@"transformer - conv, IoU on seen phrases at probability 0\.5: [+-]0\.\d{3} ± 0\.\d{3} \(4 pairs\): \*\*", page);
        Assert.Matches(@"trained - random image tower, IoU on seen phrases at probability 0\.5: [+-]0\.\d{3} ± 0\.\d{3} \(4 pairs\)", page);
        Assert.Contains("\n| colour alone | - | 1.000 | 1.000 | 1.000 | 1.000 | - | 0.000 | - |\n", page, StringComparison.Ordinal);

        string[] pictures = _scenes.Files("page/images/study");
        Assert.Equal(["accuracy-iou.png", "example-1.png", "example-2.png", "example-3.png", "example-4.png", "example-5.png", "example-6.png", "example-7.png", "iou.png", "loss-bce.png", "loss-dice.png"], pictures);
        Assert.All(pictures, picture => Assert.Contains($"](images/study/{picture})", page, StringComparison.Ordinal));
        Picture row1 = ImageReader.Read(_scenes["page/images/study/example-1.png"]);
        Assert.Equal((8 * TinyModel.Side, TinyModel.Side), (row1.Width, row1.Height));   // scene, target, four runs, two on the random tower
        Assert.All(pictures, picture => Assert.Equal(0x89, File.ReadAllBytes(_scenes[$"page/images/study/{picture}"])[0]));   // PNG, whatever the name says
        Picture chart = ImageReader.Read(_scenes["page/images/study/iou.png"]);
        Assert.Equal((900, 580), (chart.Width, chart.Height));
        Assert.InRange(Ink(chart, 410, 0, 450, 40), 1, 1500);   // the title: letters, neither nothing nor boxes
    }

    [Fact]
    public void Compare_Again_SkipsWhatHasEndedAndAddsWhatIsNew()
    {
        Compare("--sizes", "small", "--losses", "dice", "--seeds", "1", "--decoders", "conv").Expect(ExitCode.Ok);
        string result = _scenes["study/runs/conv-small-dice-1/result.json"];
        string marked = File.ReadAllText(result).Replace("\"milliseconds_a_step\": ", "\"milliseconds_a_step\": 77", StringComparison.Ordinal);
        Assert.NotEqual(File.ReadAllText(result), marked);
        File.WriteAllText(result, marked);
        DateTime before = File.GetLastWriteTimeUtc(_scenes["study/runs/conv-small-dice-1/best.safetensors"]);
        CommandResult again = Compare("--sizes", "small", "--losses", "dice", "--seeds", "1,2", "--decoders", "conv").Expect(ExitCode.Ok);
        Assert.DoesNotContain("conv-small-dice-1", again.Error, StringComparison.Ordinal);
        Assert.Contains("conv-small-dice-2: IoU seen 0.", again.Error, StringComparison.Ordinal);
        Assert.Equal(marked, File.ReadAllText(result));
        Assert.Equal(before, File.GetLastWriteTimeUtc(_scenes["study/runs/conv-small-dice-1/best.safetensors"]));
        Assert.Contains("2 of 2 runs", File.ReadAllText(_scenes["study/study.md"]), StringComparison.Ordinal);

        CommandResult other = Compare("--sizes", "small", "--losses", "dice", "--seeds", "1", "--decoders", "conv", "--learning-rate", "0.01").Expect(ExitCode.Usage);
        Assert.Contains("holds a study of other settings", other.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compare_Interrupted_GoesOnToTheSameWeights()
    {
        string[] one = ["--decoders", "transformer", "--sizes", "small", "--losses", "bce", "--seeds", "3"];
        Compare(one).Expect(ExitCode.Ok);
        byte[] whole = Weights();
        Directory.Delete(_scenes["study"], recursive: true);

        // Canceled as soon as a checkpoint of a later step is there.
        string last = _scenes["study/runs/transformer-small-bce-3/last.safetensors"];
        using var interruption = new CancellationTokenSource();
        using var stop = new CancellationTokenSource();
        Task watching = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested && !File.Exists(last)) Thread.Sleep(1);
            interruption.Cancel();
        }, TestContext.Current.CancellationToken);
        CommandResult stopped = InProcess.Run(_scenes.Arguments(model, one), interrupted: interruption.Token);
        await stop.CancelAsync();
        await watching;
        Assert.Contains("the same command goes on", stopped.Expect(ExitCode.Interrupted).Error, StringComparison.Ordinal);
        Compare(one).Expect(ExitCode.Ok);
        Assert.Equal(whole, Weights());

        byte[] Weights() => File.ReadAllBytes(_scenes["study/runs/transformer-small-bce-3/best.safetensors"]);
    }

    [Fact]
    public void Compare_RandomTower_KeepsTheTextTower()
    {
        Compare("--decoders", "conv", "--sizes", "small", "--losses", "dice", "--seeds", "1", "--random-tower").Expect(ExitCode.Ok);
        using IWeightSource random = WeightFiles.Open(_scenes["study/clip-random"]), trained = WeightFiles.Open(model.Location);
        Assert.Equal(Values(trained, "clip.text_projection.weight"), Values(random, "clip.text_projection.weight"));
        const string Image = "clip.vision_model.encoder.layers.0.mlp.fc1.weight";
        Assert.NotEqual(Values(trained, Image), Values(random, Image));

        static float[] Values(IWeightSource source, string name)
        {
            Assert.True(source.TryFind(name, out WeightEntry entry));
            return entry.Singles().ToArray();
        }
    }

    [Theory]
    [InlineData("--losses", "bce,l2", "--loss must be one of bce, dice, focal, tversky")]
    [InlineData("--decoders", "unet", "--decoder must be one of transformer, conv")]
    [InlineData("--sizes", "huge", "there is no size or preset 'huge'")]
    [InlineData("--seeds", "1,1", "--seeds is '1,1'; it must be a list of different things")]
    [InlineData("--seeds", "one", "--seeds holds 'one'; each must be a whole number from 0.")]
    [InlineData("--steps", "0", "--steps is '0'; it must be a whole number from 1.")]
    [InlineData("--learning-rate", "-1", "--learning-rate is '-1'; it must be a number above 0.")]
    public void Compare_WrongUsage_IsRefusedBeforeAnythingIsWritten(string option, string value, string sentence)
    {
        string[] arguments = [.. _scenes.Arguments(model).Where((_, i) => option != "--steps" || i is not (9 or 10)), option, value];
        Assert.Contains(sentence, InProcess.Run(arguments).Expect(ExitCode.Usage).Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_scenes["study"]));
    }

    [Fact]
    public void Compare_NoTrainingPhrasesOrForeignFolder_IsOneSentence()
    {
        Directory.CreateDirectory(_scenes["study"]);
        File.WriteAllText(_scenes["study/thesis.txt"], "mine");
        Assert.Contains("is not empty and holds no study", Compare().Expect(ExitCode.Usage).Error, StringComparison.Ordinal);
        File.Delete(_scenes["refer_train.json"]);
        Assert.Contains("refer_train.json", Compare().Expect(ExitCode.Failed).Error, StringComparison.Ordinal);
    }

    /// <summary>Dark pixels in a part of a picture.</summary>
    static int Ink(Picture picture, int left, int top, int right, int bottom) =>
        (from y in Enumerable.Range(top, bottom - top) from x in Enumerable.Range(left, right - left) where picture.Pixels[3 * (y * picture.Width + x)] < 100 select 1).Count();

    CommandResult Compare(params string[] more) => InProcess.Run(_scenes.Arguments(model, more));
}
