using ClipSegNative.Imaging;
using ClipSegNative.Text;
using SkiaSharp;

namespace ClipSegNative.Tests;

/// <summary>The picture at the top of the README: what its first command writes. Set UPDATE_GOLDEN=1 to write it anew.</summary>
public class FirstPictureTests
{
    const int Side = 240, Gap = 6, Quality = 88, MaxBytes = 120_000;

    /// <summary>Of 255, as a mean: JPEG, and edges that another processor's last bits move.</summary>
    const double MostDifference = 4;

    [Fact]
    public async Task Picture_InTheReadme_IsWhatItsFirstCommandWrites()
    {
        string folder = Directory.CreateTempSubdirectory("clipseg-first").FullName, path = Repository.PathOf("docs", "images", "first.jpg");
        try
        {
            await ReadmeTests.RunAsync(folder);
            byte[] row = Row(folder);
            if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1") File.WriteAllBytes(path, row);
            Picture made = ImageReader.Read(new MemoryStream(row), "the row"), kept = ImageReader.Read(path);
            Assert.Equal((made.Width, made.Height), (kept.Width, kept.Height));
            Assert.InRange(Difference(made, kept), 0, MostDifference);
            Assert.InRange(new FileInfo(path).Length, 1, MaxBytes);
            Assert.Contains("](docs/images/first.jpg)", File.ReadAllText(Repository.PathOf("README.md")), StringComparison.Ordinal);
        }
        finally { Directory.Delete(folder, recursive: true); }
    }

    /// <summary>The scene, then one overlay a phrase.</summary>
    static byte[] Row(string folder)
    {
        string scene = Assert.Single(Directory.GetFiles(Path.Combine(folder, "out", "scenes", "images")));
        string[] files =
            [scene, .. ReadmeTests.Phrases.Select(phrase => Path.Combine(folder, "out", $"{Path.GetFileNameWithoutExtension(scene)}.{PhraseSlug.Of(phrase)}.overlay.png"))];
        using var row = new SKBitmap(files.Length * (Side + Gap) - Gap, Side);
        using (var canvas = new SKCanvas(row))
        {
            canvas.Clear(SKColors.White);
            for (int i = 0; i < files.Length; i++)
            {
                using SKImage image = SKImage.FromEncodedData(files[i]);
                canvas.DrawImage(image, SKRect.Create(i * (Side + Gap), 0, Side, Side), new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
            }
        }
        return row.Encode(SKEncodedImageFormat.Jpeg, Quality).ToArray();
    }

    static double Difference(Picture a, Picture b)
    {
        long sum = 0;
        for (int i = 0; i < a.Pixels.Length; i++) sum += Math.Abs(a.Pixels[i] - b.Pixels[i]);
        return sum / (double)a.Pixels.Length;
    }
}
