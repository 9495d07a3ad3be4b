using ClipSegNative.Data;
using ClipSegNative.Imaging;

namespace ClipSegNative.Tests.Data;

public class PhraseSamplerTests
{
    const int Many = 20_000;

    static readonly DataPicture Picture = new(1, "1.jpg", 64, 48);

    [Fact]
    public void At_Epoch_HoldsEverySampleOnceInAnOrderOfItsOwn()
    {
        PhraseSampler sampler = Sampler(Phrases(50));
        string[] Epoch(int epoch) => [.. Enumerable.Range(epoch * 50, 50).Select(position => sampler.At(position).Sample.TaskId)];
        Assert.Equal(50, Epoch(0).Distinct().Count());
        Assert.Equal(50, Epoch(1).Distinct().Count());
        Assert.NotEqual(Epoch(0), Epoch(1));
        Assert.Equal(Epoch(0), Epoch(0));
    }

    [Fact]
    public void At_EveryPlaceOfAnEpoch_GetsEverySampleEquallyOften()
    {
        PhraseSampler sampler = Sampler(Phrases(4));
        foreach (int place in Enumerable.Range(0, 4))
        {
            var counts = Enumerable.Range(0, 4000).CountBy(epoch => sampler.At(4 * epoch + place).Sample.TaskId);
            Assert.All(counts, count => Assert.InRange(count.Value, 850, 1150));
        }
    }

    [Fact]
    public void At_SameSeed_GivesTheSameFromAnyThreadInAnyOrder()
    {
        PhraseData data = Data(Phrases(30));
        var options = new SamplerOptions { Seed = 5, Flip = true, Templates = PhraseTemplates.ShufflePlus, VisualPrompts = true };
        PhraseSampler one = new(data, options), other = new(data, options);
        SampleSpec[] inOrder = [.. Enumerable.Range(0, 300).Select(position => one.At(position))];
        SampleSpec[] anyhow = [.. Enumerable.Range(0, 300).Reverse().AsParallel().Select(position => other.At(position)).OrderBy(spec => spec.Position)];
        Assert.Equal(inOrder, anyhow);
        PhraseSampler otherSeed = new(data, options with { Seed = 6 });
        Assert.NotEqual(inOrder, Enumerable.Range(0, 300).Select(position => otherSeed.At(position)));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.2)]
    [InlineData(0.5)]
    [InlineData(1.0)]
    public void At_Negatives_HaveTheirShareAndAnyOtherPhrase(double share)
    {
        PhraseSampler sampler = Sampler(Phrases(5), new SamplerOptions { Negatives = share });
        SampleSpec[] negatives = [.. Draw(sampler).Where(spec => spec.IsNegative)];
        Assert.InRange(negatives.Length, Many * share - 250, Many * share + 250);
        Assert.DoesNotContain(negatives, spec => spec.Text == Own(spec));
        foreach (var phrase in negatives.CountBy(spec => (Own(spec), spec.Text)))
            Assert.InRange(phrase.Value, Many * share / 20 * 0.8, Many * share / 20 * 1.2);
        Assert.All(Draw(sampler).Where(spec => !spec.IsNegative), spec => Assert.Equal(Own(spec), spec.Text));
    }

    [Fact]
    public void At_OnePhraseAlone_IsNeverNegative() =>
        Assert.DoesNotContain(Draw(Sampler(["cat", "cat"], new SamplerOptions { Negatives = 1 })), spec => spec.IsNegative);

    [Theory]
    [InlineData(PhraseTemplates.None, 1, "cat")]
    [InlineData(PhraseTemplates.Fixed, 1, "a photo of a cat.")]
    [InlineData(PhraseTemplates.Shuffle, 4, "cat.")]
    [InlineData(PhraseTemplates.ShufflePlus, 9, "a photo of the cat.")]
    public void At_Templates_AreDrawnEvenly(int templates, int different, string one)
    {
        var counts = Draw(Sampler(["cat"], new SamplerOptions { Templates = (PhraseTemplates)templates })).CountBy(spec => spec.Text).ToDictionary();
        Assert.Equal(different, counts.Count);
        Assert.Contains(one, counts);
        Assert.All(counts.Values, count => Assert.InRange(count, Many / different * 0.9, Many / different * 1.1));
    }

    [Theory]
    [InlineData("cat", true)]
    [InlineData("bright copyright", true)]
    [InlineData("dog on the left", false)]
    [InlineData("Right-hand door", false)]
    [InlineData("leftmost cup", false)]
    public void At_Flip_IsHalfTheSamplesUnlessThePhraseNamesASide(string phrase, bool flips)
    {
        int flipped = Draw(Sampler([phrase], new SamplerOptions { Flip = true })).Count(spec => spec.IsFlipped);
        Assert.InRange(flipped, flips ? Many / 2 - 300 : 0, flips ? Many / 2 + 300 : 0);
        Assert.DoesNotContain(Draw(Sampler([phrase])), spec => spec.IsFlipped);
    }

    [Fact]
    public void At_OptionSwitched_LeavesTheOtherDrawsAsTheyWere()
    {
        var options = new SamplerOptions { Negatives = 0.5 };
        var plain = Draw(Sampler(Phrases(5), options)).Select(spec => (spec.Sample.TaskId, spec.IsNegative, spec.Text));
        var flipped = Draw(Sampler(Phrases(5), options with { Flip = true, VisualPrompts = true, Crop = TrainingCrop.None })).Select(spec => (spec.Sample.TaskId, spec.IsNegative, spec.Text));
        Assert.Equal(plain, flipped);
    }

    [Fact]
    public void At_VisualPrompts_PairSamplesOfOnePhrase()
    {
        string[] distinct = ["cat", "dog", "bird"];
        PhraseSampler sampler = Sampler(["cat", "dog", "cat", "cat", "bird"], new SamplerOptions { VisualPrompts = true, Negatives = 0.3 });
        SampleSpec[] specs = [.. Draw(sampler)];
        Assert.All(specs.Where(spec => spec.Partner is not null), spec => Assert.NotSame(spec.Sample, spec.Partner));
        Assert.All(specs.Where(spec => spec.Partner is not null), spec => Assert.Equal(spec.Text, distinct[spec.Partner!.Phrase]));
        // A phrase with one sample has no partner for that sample, but is one for the negatives that borrow it.
        Assert.All(specs.Where(spec => spec.Partner is null), spec => Assert.True(!spec.IsNegative && spec.Text is "dog" or "bird"));
        Assert.All(specs.Where(spec => spec.Partner is null), spec => Assert.Equal(1, spec.TextWeight));
        float[] weights = [.. specs.Where(spec => spec.Partner is not null).Select(spec => spec.TextWeight)];
        Assert.InRange(weights.Min(), 0, 0.01);
        Assert.InRange(weights.Max(), 0.49, 0.5);
        Assert.InRange(weights.Average(), 0.24, 0.26);
        Assert.Equal(6, specs.Where(spec => spec.Text == "cat" && !spec.IsNegative).Select(spec => (spec.Sample, spec.Partner)).Distinct().Count());
    }

    [Fact]
    public void At_VisualPrompts_ComeFromSamplesWithATarget()
    {
        PhraseTask nothing = Task("a", "cat") with { Instances = [] };
        PhraseSampler sampler = new(new PhraseData([(nothing, Picture), (Task("b", "cat"), Picture)], new DataProblems()), new SamplerOptions { VisualPrompts = true });
        Assert.All(Draw(sampler), spec => Assert.Equal(spec.Sample.TaskId == "a" ? "b" : null, spec.Partner?.TaskId));
    }

    [Theory]
    [InlineData(90, 40)]
    [InlineData(40, 90)]
    public void Crop_Target_IsInTheSquareAnywhereItShowsEnough(int width, int height)
    {
        // 200 pixels, 20 along the longer side: squares from 39 on show more than 5 % of 3,600. 50 tries miss all 12 of 51 in one of a million.
        bool wide = width > height;
        PixelBox target = wide ? new PixelBox(60, 5, 20, 10) : new PixelBox(5, 60, 10, 20);
        PixelBox[] boxes = Crops(width, height, target, out byte[] mask);
        Assert.All(boxes, box => Assert.Equal((40, 40, 0), (box.Width, box.Height, wide ? box.Y : box.X)));
        Assert.All(boxes, box => Assert.True(Area(mask, width, box) > 180));
        var places = boxes.CountBy(box => wide ? box.X : box.Y).ToDictionary();
        Assert.Equal(Enumerable.Range(39, 12), places.Keys.Order());
        Assert.All(places.Values, count => Assert.InRange(count, Many / 12 * 0.85, Many / 12 * 1.15));
    }

    [Fact]
    public void Crop_SmallTarget_TakesTheBestOf50Tries()
    {
        // One column of the last four: a try sees all of it with 4 / 51, none of 50 does with 1.7 %.
        PixelBox[] boxes = Crops(90, 40, new PixelBox(86, 0, 1, 40), out byte[] mask);
        double missed = boxes.Count(box => Area(mask, 90, box) == 0) / (double)boxes.Length;
        Assert.InRange(missed, 0.010, 0.025);
    }

    [Fact]
    public void Crop_LargeTarget_TakesTheFirstTry()
    {
        PixelBox[] boxes = Crops(90, 40, new PixelBox(0, 0, 90, 40), out _);
        Assert.InRange(boxes.Average(box => box.X), 24.5, 25.5);
        Assert.All(boxes.CountBy(box => box.X), count => Assert.InRange(count.Value, boxes.Length / 51 * 0.7, boxes.Length / 51 * 1.3));
    }

    [Fact]
    public void Crop_NoTarget_IsAnywhere() => Assert.Equal(51, Crops(90, 40, default, out _).Distinct().Count());

    [Fact]
    public void Crop_NotAsked_IsTheWholePicture()
    {
        PhraseSampler sampler = Sampler(["cat"], new SamplerOptions { Crop = TrainingCrop.None });
        Assert.Equal(new PixelBox(0, 0, 90, 40), sampler.Crop(7, new byte[90 * 40], 90, 40));
    }

    [Fact]
    public void Constructor_NothingToDrawFrom_IsRefused() => Assert.Throws<DataFileException>(() => Sampler([]));

    static PixelBox[] Crops(int width, int height, PixelBox target, out byte[] mask)
    {
        byte[] pixels = mask = new byte[width * height];
        for (int y = target.Y; y < Math.Min(height, target.Y + target.Height); y++)
            for (int x = target.X; x < Math.Min(width, target.X + target.Width); x++) pixels[y * width + x] = 1;
        PhraseSampler sampler = Sampler(["cat"]);
        return [.. Enumerable.Range(0, Many).Select(position => sampler.Crop(position, pixels, width, height))];
    }

    static int Area(byte[] mask, int width, PixelBox box)
    {
        int area = 0;
        for (int y = box.Y; y < box.Y + box.Height; y++)
            for (int x = box.X; x < box.X + box.Width; x++) area += mask[y * width + x];
        return area;
    }

    static IEnumerable<SampleSpec> Draw(PhraseSampler sampler) => Enumerable.Range(0, Many).Select(position => sampler.At(position));

    static string Own(SampleSpec spec) => $"thing {spec.Sample.Phrase}";

    static string[] Phrases(int count) => [.. Enumerable.Range(0, count).Select(i => $"thing {i}")];

    static PhraseSampler Sampler(string[] phrases, SamplerOptions? options = null) => new(Data(phrases), options ?? new SamplerOptions());

    static PhraseData Data(string[] phrases) => new(phrases.Select((phrase, i) => (Task($"{i}", phrase), Picture)), new DataProblems());

    static PhraseTask Task(string id, string phrase) => new(id, 1, phrase, [[[1, 1, 9, 1, 9, 9]]], [], null);
}
