using ClipSegNative.Data;
using ClipSegNative.Imaging;
using ClipSegNative.Training;

namespace ClipSegNative.Cli.Study;

/// <summary>A phrase whose predictions are shown as pictures.</summary>
/// <param name="Set">Where it comes from.</param>
/// <param name="Sample">Its picture and target.</param>
/// <param name="Phrase">Its words.</param>
sealed record StudyExample(string Set, PhraseSample Sample, string Phrase)
{
    /// <summary>The file of a run's prediction.</summary>
    public string PathIn(RunFolder run) => Path.Combine(run.Samples, $"{Set}-{Sample.TaskId}.png");
}

/// <summary>The phrases that are shown: the first of each set, whatever was found for them, so that none is picked for its looks.</summary>
static class StudyExamples
{
    static readonly (string Set, int Count)[] Wanted = [("seen", 3), ("unseen", 3), ("nearmiss", 1), ("negative", 1)];

    public static IReadOnlyList<StudyExample> Of(StudyData data) =>
    [
        .. from wanted in Wanted
           where data.Sets.ContainsKey(wanted.Set)
           let set = data.Sets[wanted.Set]
           from sample in set.Samples.DistinctBy(sample => sample.Picture.Id).Take(wanted.Count)
           select new StudyExample(wanted.Set, sample, set.Phrases[sample.Phrase]),
    ];

    /// <summary>A prediction at probability one half.</summary>
    public static void Write(string path, ReadOnlySpan<float> probabilities, int size) =>
        AtomicFile.Write(path, Mask.FromProbabilities(probabilities, size, size, 0.5f).Save);

    /// <summary>A row: the scene, its target, then the predictions, in the colours of <see cref="Renderings"/>; null where one is not there.</summary>
    public static byte[]? Row(StudyExample example, IEnumerable<RunFolder> runs, int size)
    {
        string[] files = [.. runs.Select(example.PathIn)];
        if (!Array.TrueForAll(files, File.Exists)) return null;
        Picture picture = example.Sample.Picture.Read();
        byte[] pixels = new byte[Picture.Channels * size * size], mask = new byte[picture.Width * picture.Height], target = new byte[size * size];
        new PilResizer().Resize(picture.Pixels, picture.Width, picture.Height, Picture.Channels, pixels, size, size, ResizeFilter.Bilinear);
        example.Sample.Draw(RasterRule.Official, picture.Width, picture.Height, mask);
        PolygonRaster.ResizeNearest(mask, picture.Width, picture.Height, target, size, size);
        using var stream = new MemoryStream();
        Renderings.WriteComparison(stream, new Picture(pixels, size, size, name: null), [Mask.FromPixels(target, size, size), .. files.Select(Read)]);
        return stream.ToArray();
    }

    static Mask Read(string path)
    {
        Picture picture = ImageReader.Read(path);
        return Mask.FromPixels([.. Enumerable.Range(0, picture.Width * picture.Height).Select(i => picture.Pixels[Picture.Channels * i])], picture.Width, picture.Height);
    }
}
