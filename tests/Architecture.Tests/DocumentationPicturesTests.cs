using ClipSegNative.Imaging;

namespace ClipSegNative.Tests;

/// <summary>
/// The pictures in docs/formats.md. They show what each output looks like, not what a model finds: hand-made logits of "a red ball" and
/// "the wooden table" in docs/images/scene.png go through the code that writes results. Set UPDATE_GOLDEN=1 to write them anew.
/// </summary>
public class DocumentationPicturesTests
{
    const int Side = 352, MaxBytes = 60_000;

    static readonly Picture Scene = ImageReader.Read(Repository.PathOf("docs", "images", "scene.png"));

    static readonly Segmentation Ball = Make("a red ball", (x, y) => 45 - Math.Sqrt((x - 155) * (x - 155) + (y - 205) * (y - 205)));

    /// <summary>The top narrows to the back; below its front edge there are two legs.</summary>
    static readonly Segmentation Table = Make("the wooden table", (x, y) => Math.Max(
        Box(x, y, left: 60 - (y - 230) * 0.9, right: 420 + (y - 230) * 0.9, top: 230, bottom: 287),
        Math.Max(Box(x, y, 40, 56, 280, 350), Box(x, y, 425, 441, 280, 350))));

    static readonly Dictionary<string, Action<Stream>> Pictures = new()
    {
        ["mask"] = Ball.Mask().Save,
        ["heatmap"] = stream => Renderings.WriteHeatmap(stream, Ball.Probabilities(), Scene.Width, Scene.Height),
        ["overlay"] = stream => Renderings.WriteOverlay(stream, Scene, [Ball.Mask()]),
        ["cutout"] = stream => Renderings.WriteCutout(stream, Scene, Ball.Mask()),
        ["labels"] = Segmentation.Labels([Ball, Table]).Save,
    };

    public static TheoryData<string> Names => [.. Pictures.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Picture_InTheDocumentation_IsWhatTheCodeWrites(string name)
    {
        string path = Repository.PathOf("docs", "images", $"{name}.png");
        using var written = new MemoryStream();
        Pictures[name](written);
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1") File.WriteAllBytes(path, written.ToArray());
        written.Position = 0;
        // Pixels, not bytes: another version of zlib may pack them differently.
        Assert.Equal(ImageReader.Read(written, name).Pixels.ToArray(), ImageReader.Read(path).Pixels.ToArray());
        Assert.InRange(new FileInfo(path).Length, 1, MaxBytes);
        Assert.Contains($"](images/{name}.png)", File.ReadAllText(Repository.PathOf("docs", "formats.md")), StringComparison.Ordinal);
    }

    /// <summary>From how deep inside the thing each point lies, in pixels of the scene: unsure near the edge, sure six pixels from it.</summary>
    static Segmentation Make(string text, Func<double, double, double> depth)
    {
        var logits = new float[Side * Side];
        for (int i = 0; i < logits.Length; i++)
        {
            double x = (i % Side + 0.5) * Scene.Width / Side, y = (i / Side + 0.5) * Scene.Height / Side;
            logits[i] = (float)Math.Clamp(depth(x, y) / 2 - 0.8, -6, 2.5);
        }
        return Segmentation.FromLogits(text, logits, Side, Side, Scene.Width, Scene.Height);
    }

    static double Box(double x, double y, double left, double right, double top, double bottom) =>
        Math.Min(Math.Min(x - left, right - x), Math.Min(y - top, bottom - y));
}
