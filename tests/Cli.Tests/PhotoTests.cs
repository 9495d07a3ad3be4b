using ClipSegNative.Imaging;
using ClipSegNative.Tests;

namespace ClipSegNative.Cli.Tests;

/// <summary>A full-size model (random weights) on every real photo there is: no failure, every size right.</summary>
public class PhotoTests
{
    [Theory]
    [InlineData("photos")]
    [InlineData("coco-phrases", "images")]
    public void Infer_RealPhotos_WritesAMaskOfEachPicturesSize(params string[] folder)
    {
        string photos = TestData.ThirdParty(folder);
        using var output = new TestFolder();
        InProcess.Run("weights", "init", "--preset", "clipseg-rd64", "--out", output["model"]).Expect(ExitCode.Ok);
        InProcess.Run("infer", photos, "-t", "a person", "--model", output["model"], "--out", output["masks"]).Expect(ExitCode.Ok);

        string[] pictures = [.. Directory.EnumerateFiles(photos).Where(file => Path.GetExtension(file) is ".jpg" or ".png")];
        Assert.Equal(pictures.Length, output.Files("masks").Length);
        Assert.All(pictures, file =>
        {
            Picture picture = ImageReader.Read(file), mask = ImageReader.Read(Path.Combine(output["masks"], $"{Path.GetFileNameWithoutExtension(file)}.a-person.mask.png"));
            Assert.Equal((picture.Width, picture.Height), (mask.Width, mask.Height));
        });
    }
}
