using ClipSegNative.Cli.Study;
using ClipSegNative.Data;
using ClipSegNative.Evaluation;

namespace ClipSegNative.Cli;

/// <summary>A reader that has learnt nothing.</summary>
enum Baseline
{
    /// <summary>Finds nothing.</summary>
    Background,

    /// <summary>Finds everything.</summary>
    Foreground,

    /// <summary>Knows the colours of all things in a rendered scene, their perfect masks, and of phrases the colours.</summary>
    Colour,
}

/// <summary>What such a reader answers; a model that is worth something is better on the same phrases.</summary>
sealed class BaselinePredictor
{
    readonly Baseline _baseline;
    readonly SceneObjects? _scenes;

    /// <param name="baseline">Which.</param>
    /// <param name="folder">Of the annotations; for colours, with scenes.json in it.</param>
    /// <exception cref="DataFileException">The file is needed and cannot be read.</exception>
    public BaselinePredictor(Baseline baseline, string folder)
    {
        _baseline = baseline;
        if (baseline == Baseline.Colour) _scenes = new SceneObjects(Path.Combine(folder, SceneObjects.FileName), new DataProblems(strict: true));
    }

    /// <param name="phrase">Any.</param>
    /// <param name="picture">Its path.</param>
    /// <param name="width">In pixels.</param>
    /// <param name="height">In pixels.</param>
    /// <exception cref="DataFileException">scenes.json does not know the picture.</exception>
    public Prediction Predict(string phrase, string picture, int width, int height)
    {
        var found = new float[width * height];
        if (_baseline == Baseline.Foreground) Array.Fill(found, 1);
        if (_scenes is not null)
        {
            byte[] mask = _scenes.MaskOfColour(phrase, Path.GetFileName(picture), width, height);
            for (int i = 0; i < found.Length; i++) found[i] = mask[i];
        }
        return new Prediction(picture, found, width, height, IsMask: true);
    }
}
