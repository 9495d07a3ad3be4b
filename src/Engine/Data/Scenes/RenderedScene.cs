using SkiaSharp;

namespace ClipSegNative.Data.Scenes;

/// <summary>A scene, how it is seen, and its picture.</summary>
/// <param name="Number">From 1: names the picture.</param>
/// <param name="View">What is where.</param>
/// <param name="Png">The encoded picture.</param>
sealed record RenderedScene(int Number, SceneView View, byte[] Png)
{
    public string FileName => $"{Number:D6}.png";

    /// <summary>Scenes in order, rendered by several threads; each depends on the seed and its number alone.</summary>
    public static IEnumerable<RenderedScene> Render(ulong seed, int count, int side, CancellationToken cancellation) =>
        Enumerable.Range(1, count).AsParallel().AsOrdered().WithMergeOptions(ParallelMergeOptions.NotBuffered).WithCancellation(cancellation)
            .Select(number => Render(seed, number, side));

    public static RenderedScene Render(ulong seed, int number, int side)
    {
        using var renderer = new SceneRenderer(side);
        Scene scene = Fit(seed, number);
        using SKData png = renderer.Draw(scene).Encode(SKEncodedImageFormat.Png, quality: 100);
        return new RenderedScene(number, new SceneView(scene, renderer.Visible(scene), side), png.ToArray());
    }

    /// <summary>The first scene of a number in which every object is seen well enough; judged at one size, so that the scene is the same at all.</summary>
    static Scene Fit(ulong seed, int number)
    {
        const int JudgedAt = 128;
        using var renderer = new SceneRenderer(JudgedAt);
        for (int attempt = 0; ; attempt++)
        {
            Scene scene = SceneComposer.Compose(seed, unchecked(number + attempt * 1_000_003));
            if (new SceneView(scene, renderer.Visible(scene), JudgedAt).IsFit) return scene;
        }
    }
}
