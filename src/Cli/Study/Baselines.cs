using ClipSegNative.Data;

namespace ClipSegNative.Cli.Study;

/// <summary>What can be scored without learning anything, on the same phrases.</summary>
static class Baselines
{
    public const string Background = "all background", Foreground = "all foreground", Colour = "colour alone";

    /// <param name="phrases">Of one set.</param>
    /// <param name="size">The side at which masks are compared.</param>
    /// <param name="scenes">Null where the data do not say what is in the pictures: there is then no <see cref="Colour"/>.</param>
    /// <returns>By the baseline's name.</returns>
    public static Dictionary<string, SetScore> Score(PhraseData phrases, int size, SceneObjects? scenes)
    {
        SetScorer background = new(), foreground = new(), colour = new();
        var target = new byte[size * size];
        float[] nothing = new float[target.Length], everything = [.. Enumerable.Repeat(1f, target.Length)];
        foreach (PhraseSample sample in phrases.Samples)
        {
            (int width, int height) = (sample.Picture.Width, sample.Picture.Height);
            var mask = new byte[width * height];
            sample.Draw(RasterRule.Official, width, height, mask);
            PolygonRaster.ResizeNearest(mask, width, height, target, size, size);
            background.Add(nothing, target);
            foreground.Add(everything, target);
            if (scenes is not null) colour.Add(ByColour(phrases.Phrases[sample.Phrase], sample.Picture, scenes, size), target);
        }
        var scores = new Dictionary<string, SetScore> { [Background] = background.Conclude(), [Foreground] = foreground.Conclude() };
        if (scenes is not null) scores[Colour] = colour.Conclude();
        return scores;
    }

    static float[] ByColour(string phrase, DataPicture picture, SceneObjects scenes, int size)
    {
        var resized = new byte[size * size];
        byte[] mask = scenes.MaskOfColour(phrase, Path.GetFileName(picture.Path), picture.Width, picture.Height);
        PolygonRaster.ResizeNearest(mask, picture.Width, picture.Height, resized, size, size);
        return [.. resized.Select(pixel => (float)pixel)];
    }
}
