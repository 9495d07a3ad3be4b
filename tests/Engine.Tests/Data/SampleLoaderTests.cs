using System.Security.Cryptography;
using ClipSegNative.Data;
using ClipSegNative.Imaging;
using ClipSegNative.Tests.Imaging;
using static ClipSegNative.Tests.Data.DataFixtures;

namespace ClipSegNative.Tests.Data;

public sealed class SampleLoaderTests : IDisposable
{
    const int Size = 16;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    readonly TemporaryFolder _folder = new();
    readonly DataProblems _problems = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_AnyNumberOfWorkers_GivesTheSameSamples()
    {
        WriteSet(pictures: 12);
        string[] one = Hashes(new SampleLoaderOptions { Workers = 1, Ahead = 1 });
        Assert.Equal(60, one.Distinct().Count());
        Assert.Equal(one, Hashes(new SampleLoaderOptions { Workers = 2, Ahead = 3 }));
        Assert.Equal(one, Hashes(new SampleLoaderOptions { Workers = 5, Ahead = 40 }));
        Assert.Equal(one[17..], Hashes(new SampleLoaderOptions { Workers = 2 }, first: 17));
        Assert.NotEqual(one, Hashes(new SampleLoaderOptions(), seed: 1));
    }

    [Theory]
    [InlineData(40, 16, false)]
    [InlineData(16, 30, false)]
    [InlineData(40, 16, true)]
    public void Read_CroppedPicture_PixelsAndTargetBelongTogether(int width, int height, bool flip)
    {
        // A pixel of the picture tells where it is: 255 levels are 255 places, and the square is not resized.
        _folder.WritePicture("1.png", width, height);
        _folder.Write("refer_train.json", Record("a", 1, "cat", Rectangle(width / 2 - 2, height - 6, 4, 3)));
        var offsets = new HashSet<(int, int)>();
        foreach (TrainingSample sample in Load(new SamplerOptions { Flip = flip }).Read(0, 40, Token))
        {
            offsets.Add((sample.Crop.X, sample.Crop.Y));
            for (int y = 0; y < Size; y++)
                for (int x = 0; x < Size; x++)
                {
                    int atX = sample.Crop.X + (sample.Spec.IsFlipped ? Size - 1 - x : x), atY = sample.Crop.Y + y;
                    Assert.Equal((atX, atY), ((int)sample.Pixels[y * Size + x], (int)sample.Pixels[(Size + y) * Size + x]));
                    bool inside = atX >= width / 2 - 2 && atX < width / 2 + 2 && atY >= height - 6 && atY < height - 3;
                    Assert.Equal(inside ? 1 : 0, sample.Target[y * Size + x]);
                }
        }
        Assert.True(offsets.Count > 3);
    }

    [Fact]
    public void Read_WholePicture_IsResizedAsTheModelsInputAndTheMaskByNearest()
    {
        string path = _folder.WritePicture("1.png", 50, 30);
        _folder.Write("refer_train.json", Record("a", 1, "cat", Rectangle(5, 6, 20, 10)));
        using TrainingSample sample = Load(new SamplerOptions { Crop = TrainingCrop.None }).Read(0, 1, Token).Single();
        var pixels = new float[3 * Size * Size];
        Preprocessor().Run(ImageReader.Read(path), pixels);
        Assert.Equal(pixels, sample.Pixels);
        Assert.Equal(new PixelBox(0, 0, 50, 30), sample.Crop);
        for (int y = 0; y < Size; y++)
            for (int x = 0; x < Size; x++)
            {
                (int atX, int atY) = (x * 50 / Size, y * 30 / Size);
                Assert.Equal(atX is >= 5 and < 25 && atY is >= 6 and < 16 ? 1 : 0, sample.Target[y * Size + x]);
            }
    }

    [Fact]
    public void Read_Negative_HasAnEmptyTarget()
    {
        WriteSet(pictures: 4);
        TrainingSample[] samples = [.. Load(new SamplerOptions { Negatives = 0.5 }).Read(0, 80, Token)];
        Assert.All(samples, sample => Assert.Equal(sample.Spec.IsNegative, !sample.Target.Contains((byte)1)));
        Assert.Contains(samples, sample => sample.Spec.IsNegative);
    }

    public static TheoryData<string> BadPictures => ["cut", "empty", "wrong size", "gone"];

    [Theory, MemberData(nameof(BadPictures))]
    public void Read_BadPicture_IsOneLineAndItsPlacesAreFilledTheSameWay(string kind)
    {
        WriteSet(pictures: 12);
        PhraseData data = Data();
        string path = _folder.File("images/3.png");
        switch (kind)
        {
            case "cut": File.WriteAllBytes(path, File.ReadAllBytes(path)[..100]); break;
            case "empty": File.WriteAllBytes(path, []); break;
            case "wrong size": _folder.WritePicture("3.png", 21, 20); break;
            default: File.Delete(path); break;
        }

        string[] one = Hashes(new SampleLoaderOptions { Workers = 1 }, data: data);
        Assert.StartsWith($"{path}: picture 3 ", Assert.Single(_problems.Lines), StringComparison.Ordinal);
        Assert.Equal(1, _problems.Total);
        Assert.Equal(60, one.Length);
        Assert.Equal(one, Hashes(new SampleLoaderOptions { Workers = 5, Ahead = 9 }, data: data));
        Assert.Equal(2, _problems.Total);   // once a loader

        foreach (int workers in new[] { 1, 4 })
        {
            var sampler = new PhraseSampler(data, new SamplerOptions());
            int firstBad = Enumerable.Range(0, 60).First(position => sampler.At(position).Sample.Picture.Id == 3);
            var strict = new SampleLoader(sampler, Preprocessor, new SampleLoaderOptions { Workers = workers }, new DataProblems(strict: true));
            int taken = 0;
            string message = Assert.Throws<DataFileException>(() => { foreach (TrainingSample _ in strict.Read(0, 60, Token)) taken++; }).Message;
            Assert.Equal((_problems.Lines[0], firstBad), (message, taken));
        }
    }

    [Fact]
    public void Read_NoGoodPicture_EndsWithAMessage()
    {
        WriteSet(pictures: 3);
        PhraseData data = Data();
        foreach (string file in Directory.GetFiles(_folder.File("images"))) File.Delete(file);
        Assert.Throws<DataFileException>(() => Load(new SamplerOptions(), data: data).Read(0, 9, Token).Count());
        Assert.Equal(3, _problems.Count(DataProblem.BrokenPicture));
    }

    [Fact]
    public void Read_PixelsNotNeeded_ReadsNoPictureUntilAsked()
    {
        WriteSet(pictures: 3);
        PhraseData data = Data();
        var sampling = new SamplerOptions { Crop = TrainingCrop.None };
        float[][] pixels = [.. Load(sampling, data: data).Read(0, 15, Token).Select(sample => sample.Pixels.ToArray())];
        SampleLoader lazy = Load(sampling, new SampleLoaderOptions { NeedsPixels = _ => false }, data);
        TrainingSample[] samples = [.. lazy.Read(0, 15, Token)];
        Assert.All(samples, sample => Assert.True(sample.Pixels.IsEmpty));
        Assert.Equal(pixels, samples.Select(sample =>
        {
            var late = new float[3 * Size * Size];
            lazy.ReadPixels(sample, late);
            return late;
        }));

        foreach (string file in Directory.GetFiles(_folder.File("images"))) File.Delete(file);
        Assert.Equal(15, lazy.Read(0, 15, Token).Count());
        Assert.Throws<PictureException>(() => lazy.ReadPixels(samples[0], new float[3 * Size * Size]));
    }

    [Fact]
    public void Read_VisualPrompt_ComesWithPictureAndTarget()
    {
        WriteSet(pictures: 6);
        PhraseData data = Data();
        File.Delete(_folder.File("images/4.png"));
        TrainingSample[] samples = [.. Load(new SamplerOptions { VisualPrompts = true }, data: data).Read(0, 90, Token)];
        Assert.All(samples, sample => Assert.Equal(sample.Spec.Partner is null, sample.Partner is null));
        Assert.All(samples.Where(sample => sample.Partner is null), sample => Assert.Equal(1, sample.Spec.TextWeight));
        TrainingSample[] partners = [.. samples.Select(sample => sample.Partner).OfType<TrainingSample>()];
        Assert.InRange(partners.Length, 40, 89);   // where the lost picture was drawn, the text stands alone
        Assert.All(partners, partner => Assert.True(partner.Target.Contains((byte)1)));
        Assert.All(partners, partner => Assert.Equal(partner.Spec.Sample.Picture.Id, partner.Pixels[2 * Size * Size]));
        Assert.Equal(1, _problems.Total);
    }

    [Fact]
    public void Read_SlowConsumer_LimitsWhatIsMadeAhead()
    {
        WriteSet(pictures: 4);
        int started = 0;
        var options = new SampleLoaderOptions { Workers = 3, Ahead = 5, NeedsPixels = _ => Interlocked.Increment(ref started) > 0 };
        using IEnumerator<TrainingSample> samples = Load(new SamplerOptions(), options).Read(0, 1000, Token).GetEnumerator();
        for (int taken = 1; taken <= 4; taken++)
        {
            Assert.True(samples.MoveNext());
            Thread.Sleep(20);
            Assert.InRange(Volatile.Read(ref started), taken, taken + 4);
        }
    }

    [Fact]
    public void Read_Cancelled_EndsAndLeavesNothingRunning()
    {
        WriteSet(pictures: 4);
        int running = 0;
        using var cancellation = new CancellationTokenSource();
        var options = new SampleLoaderOptions
        {
            Workers = 3,
            NeedsPixels = _ =>
            {
                Interlocked.Increment(ref running);
                Thread.Sleep(5);
                Interlocked.Decrement(ref running);
                return false;
            },
        };
        SampleLoader loader = Load(new SamplerOptions(), options);
        int taken = 0;
        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            foreach (TrainingSample _ in loader.Read(0, 1_000_000, cancellation.Token))
                if (++taken == 3) cancellation.Cancel();
        });
        Assert.InRange(taken, 3, 3 + options.Ahead);
        Assert.Equal(0, Volatile.Read(ref running));

        foreach (TrainingSample _ in loader.Read(0, 1_000_000, Token)) break;
        Assert.Equal(0, Volatile.Read(ref running));
    }

    [Fact]
    public void Read_PhotosWithPhrases_GivesAnEpoch()
    {
        string file = Path.Combine(TestData.ThirdParty("coco-phrases"), "refer_train.json");
        var data = new PhraseData(PhraseSource.Open(file, null, "train", _problems).Read(DataSubset.All), _problems);
        var sampler = new PhraseSampler(data, new SamplerOptions { Negatives = 0 });
        var loader = new SampleLoader(sampler, () => Preprocessor(96), new SampleLoaderOptions { Workers = 2 }, _problems);
        TrainingSample[] samples = [.. loader.Read(0, 389, Token)];
        Assert.Equal(389, samples.Select(sample => sample.Spec.Sample.TaskId).Distinct().Count());
        Assert.InRange(samples.Count(sample => sample.Target.Contains((byte)1)), 380, 389);   // the smallest things are less than a pixel of 96 x 96
        Assert.Equal(0, _problems.Count(DataProblem.BrokenPicture));
    }

    /// <summary>Pictures of 20 x (20 or more) whose third channel is their number, five phrases each; phrases are shared.</summary>
    void WriteSet(int pictures)
    {
        var records = new List<string>();
        for (int i = 1; i <= pictures; i++)
        {
            _folder.WritePicture($"{i}.png", 20, 20 + i, seed: (byte)i);
            for (int k = 0; k < 5; k++) records.Add(Record($"{i}__{k}", i, $"thing {(i + k) % 7}", Rectangle(k, 2 * k, 10, 10)));
        }
        _folder.Write("refer_train.json", records);
    }

    PhraseData Data() => new(_folder.OpenSource(_problems).Read(DataSubset.All), _problems);

    SampleLoader Load(SamplerOptions sampling, SampleLoaderOptions? options = null, PhraseData? data = null) =>
        new(new PhraseSampler(data ?? Data(), sampling), Preprocessor, options ?? new SampleLoaderOptions { Workers = 2 }, _problems);

    string[] Hashes(SampleLoaderOptions options, int first = 0, ulong seed = 0, PhraseData? data = null)
    {
        SampleLoader loader = Load(new SamplerOptions { Seed = seed, Flip = true, Templates = PhraseTemplates.Shuffle }, options, data);
        return [.. loader.Read(first, 60 - first, Token).Select(sample =>
        {
            using (sample)
            {
                byte[] pixels = SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(sample.Pixels)), target = SHA256.HashData(sample.Target);
                return $"{sample.Spec.Position} {sample.Spec.Sample.TaskId} {sample.Spec.Text} {sample.Crop} {Convert.ToHexString(pixels)} {Convert.ToHexString(target)}";
            }
        })];
    }

    /// <summary>Leaves the levels as they are.</summary>
    static PicturePreprocessor Preprocessor(int size) => new([0, 0, 0], [1, 1, 1], rescale: 1, ResizeFilter.Bilinear, size, size);

    static PicturePreprocessor Preprocessor() => Preprocessor(Size);
}
