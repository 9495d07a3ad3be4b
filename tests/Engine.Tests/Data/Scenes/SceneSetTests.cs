using ClipSegNative.Data;
using ClipSegNative.Data.Scenes;
using ClipSegNative.Imaging;

namespace ClipSegNative.Tests.Data.Scenes;

public sealed class SceneSetTests : IDisposable
{
    const int Count = 120, Side = 64;

    static readonly string[] HeldOutShapes = ["drop", "hourglass"];

    readonly SceneFolder _scenes = new(seed: 7, Count, Side);

    public void Dispose() => _scenes.Dispose();

    [Fact]
    public void Write_SameSeed_SameBytesAndMoreScenesTheSameFirstPictures()
    {
        using var again = new SceneFolder(seed: 7, Count, Side);
        Assert.Equal(Count + 10, again.Files.Length);
        Assert.All(again.Files, file => Assert.Equal(File.ReadAllBytes(_scenes[file]), File.ReadAllBytes(again[file])));
        using var fewer = new SceneFolder(seed: 7, 5, Side);
        Assert.All(Directory.EnumerateFiles(fewer["images"]), file => Assert.Equal(File.ReadAllBytes(_scenes[Path.Combine("images", Path.GetFileName(file))]), File.ReadAllBytes(file)));
        using var other = new SceneFolder(seed: 8, 5, Side);
        Assert.NotEqual(File.ReadAllBytes(fewer["images/000001.png"]), File.ReadAllBytes(other["images/000001.png"]));
    }

    [Fact]
    public void Write_OtherSize_SameScenesAndPhrases()
    {
        using var large = new SceneFolder(seed: 7, 10, 4 * Side);
        Dictionary<long, List<ObjectWords>> objects = _scenes.Objects();
        Assert.All(large.Objects(), scene => Assert.Equal(objects[scene.Key], scene.Value));
        Assert.Equal(
            _scenes.Tasks(SceneSet.Train).Where(task => task.ImageId <= 10).Select(task => task.Phrase), large.Tasks(SceneSet.Train).Select(task => task.Phrase));
        Assert.Equal(4 * Side, ImageReader.Read(large["images/000001.png"]).Width);
    }

    [Fact]
    public void Positives_EveryTarget_IsWhatThePhraseSaysAndHasBothDistractors()
    {
        Dictionary<long, List<ObjectWords>> scenes = _scenes.Objects();
        foreach (string file in new[] { SceneSet.Seen, SceneSet.Unseen, SceneSet.UnseenShapes })
            foreach (PhraseTask task in _scenes.Tasks(file))
            {
                ObjectWords[] targets = [.. scenes[task.ImageId].Where(thing => thing.Answers(task.Structure!))];
                Assert.Equal(targets.Length, task.Instances!.Length);
                Assert.NotEmpty(targets);
                foreach (ObjectWords target in targets)
                {
                    Assert.Contains(scenes[task.ImageId], other => other.Colour == target.Colour && other.Shape != target.Shape);
                    Assert.Contains(scenes[task.ImageId], other => other.Shape == target.Shape && other.Colour != target.Colour);
                }
            }
    }

    [Fact]
    public void Training_NeverSaysWhatIsHeldOut_TheUnseenFilesSayNothingElse()
    {
        PhraseTask[] training = _scenes.Tasks(SceneSet.Train);
        var said = training.Select(task => (task.Structure!.Name, Colour: Colours(task).Single())).ToHashSet();
        Assert.DoesNotContain(said, pair => HeldOutShapes.Contains(pair.Name));
        Assert.DoesNotContain(training, task => HeldOutShapes.Any(shape => task.Phrase.Contains(shape, StringComparison.Ordinal)));
        PhraseTask[] unseen = _scenes.Tasks(SceneSet.Unseen);
        Dictionary<long, List<ObjectWords>> scenes = _scenes.Objects();
        var patterned = scenes.SelectMany(scene => scene.Value).Select(thing => (thing.Pattern, thing.Shape)).ToHashSet();
        var trained = training.SelectMany(task => task.Structure!.Attributes.Select(word => (word, task.Structure.Name))).ToHashSet();
        // Each is new by its colour, or every target is by its pattern.
        Assert.All(unseen, task => Assert.True(
            !said.Contains((task.Structure!.Name, Colours(task).Single()))
            || scenes[task.ImageId].Where(thing => thing.Answers(task.Structure)).All(thing => patterned.Contains((thing.Pattern, thing.Shape)) && !trained.Contains((thing.Pattern, thing.Shape))),
            task.Phrase));
        Assert.All(_scenes.Tasks(SceneSet.UnseenShapes), task => Assert.Contains(task.Structure!.Name, HeldOutShapes));

        static string[] Colours(PhraseTask task) => [.. task.Structure!.Attributes.Where(word => Enum.TryParse<SceneColour>(word, ignoreCase: true, out _))];
    }

    [Fact]
    public void Absent_Negatives_ShareNeitherColourNorShape_NearMissesShareOne()
    {
        Dictionary<long, List<ObjectWords>> scenes = _scenes.Objects();
        foreach (PhraseTask task in _scenes.Tasks(SceneSet.Negative))
        {
            Assert.Empty(task.Instances!);
            Assert.DoesNotContain(scenes[task.ImageId], thing => thing.Shape == task.Structure!.Name || task.Structure.Attributes.Contains(thing.Colour));
        }
        foreach (PhraseTask task in _scenes.Tasks(SceneSet.NearMiss))
        {
            Assert.Empty(task.Instances!);
            Assert.DoesNotContain(scenes[task.ImageId], thing => thing.Answers(task.Structure!));
            Assert.Contains(scenes[task.ImageId], thing => thing.Shape == task.Structure!.Name || task.Structure.Attributes.Contains(thing.Colour));
        }
        PhraseTask[] training = _scenes.Tasks(SceneSet.Train);
        Assert.InRange(training.Count(task => task.Instances!.Length == 0) / (double)training.Length, 0.3, 0.55);
    }

    [Fact]
    public void Relations_ThePhrase_NeedsItsSecondHalf()
    {
        PhraseTask[] relations = _scenes.Tasks(SceneSet.Relations);
        Dictionary<long, List<ObjectWords>> scenes = _scenes.Objects();
        int needed = relations.Count(task => scenes[task.ImageId].Count(thing => thing.Answers(task.Structure!)) > 1);
        Assert.InRange(needed / (double)relations.Length, 0.5, 1);
        Assert.All(relations, task =>
        {
            Assert.Single(task.Instances!);
            (string predicate, string name) = Assert.Single(task.Structure!.Relations);
            Assert.EndsWith($"{predicate} the {name}", task.Phrase, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Captions_OfEveryRegion_AreTrueOfIt()
    {
        IReadOnlyList<CaptionedPicture> pictures = CaptionFile.Read(_scenes[""], pictures: null, new DataProblems(strict: true));
        Assert.Equal(Count, pictures.Count);
        string[] attributeWords = [.. Enum.GetNames<SceneColour>().Concat(Enum.GetNames<SceneShape>()).Concat(Enum.GetNames<ScenePattern>()).Concat(Enum.GetNames<SceneSize>()).Select(word => word.ToLowerInvariant())];
        foreach (CaptionedRegion region in pictures.SelectMany(picture => picture.Regions))
        {
            Assert.Equal(4, region.Attributes.Count);
            string[] plain = [.. region.Captions.Where(caption => caption.StartsWith('a'))];
            Assert.Equal(15, plain.Length);
            Assert.All(plain, caption => Assert.All(caption.Split(' ').Intersect(attributeWords), word => Assert.Contains(word, region.Attributes.Values)));
        }
        Assert.Contains(pictures.SelectMany(picture => picture.Regions).SelectMany(region => region.Captions), caption => caption.StartsWith("two ", StringComparison.Ordinal));
        Assert.Equal(4, CaptionFile.ReadProbes(_scenes[SceneSet.Captions]).Count);
    }

    /// <summary>Polygons of targets by either rule of filling, beside the pixels that show them.</summary>
    [Fact]
    public void Polygons_Filled_GiveTheVisiblePixelsBack()
    {
        using var renderer = new SceneRenderer(Side);
        double[] least = [1, 1];
        for (int number = 1; number <= 20; number++)
        {
            RenderedScene scene = RenderedScene.Render(7, number, Side);
            byte[] map = renderer.Visible(scene.View.Scene);
            for (int thing = 0; thing < scene.View.Objects.Count; thing++)
            {
                byte[] truth = [.. map.Select(pixel => pixel == thing ? (byte)1 : (byte)0)], official = new byte[Side * Side], inside = new byte[Side * Side];
                foreach (int[] polygon in scene.View.Polygons(thing))
                {
                    PolygonRaster.FillOfficial([.. polygon.Select(value => (double)value)], Side, Side, official);
                    PolygonRaster.FillInside([.. polygon.Select(value => (double)value)], Side, Side, inside);
                }
                least = [Math.Min(least[0], Iou(truth, official)), Math.Min(least[1], Iou(truth, inside))];
            }
        }
        Assert.True(least[0] > 0.97 && least[1] > 0.97, $"IoU {least[0]:F3} official, {least[1]:F3} inside");

        static double Iou(byte[] x, byte[] y) => (double)x.Zip(y).Count(pair => pair is (1, 1)) / x.Zip(y).Count(pair => pair is not (0, 0));
    }
}
