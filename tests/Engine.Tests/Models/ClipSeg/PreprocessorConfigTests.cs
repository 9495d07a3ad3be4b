using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tests.Weights;

namespace ClipSegNative.Tests.Models.ClipSeg;

public sealed class PreprocessorConfigTests : IDisposable
{
    const string Statistics = "\"image_mean\":[0.5,0.5,0.5],\"image_std\":[0.25,0.5,1]";

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_NoFile_GivesClipSegsOwn()
    {
        PreprocessorConfig config = PreprocessorConfig.Read(_folder.Location);
        Assert.Equal((352, 352, Resampling.Bilinear, 1 / 255d), (config.Height, config.Width, config.Resampling, config.RescaleFactor));
        Assert.Equal([0.485f, 0.456f, 0.406f], config.Mean);
        Assert.Equal([0.229f, 0.224f, 0.225f], config.Deviation);
    }

    [Theory]
    [InlineData("352", 352, 352)]
    [InlineData("{\"height\":320,\"width\":480}", 320, 480)]
    [InlineData("{\"shortest_edge\":224}", 224, 224)]
    public void Read_AnySpellingOfTheSize_IsUnderstood(string size, int height, int width)
    {
        PreprocessorConfig config = Read($"{{{Statistics},\"size\":{size},\"resample\":3}}");
        Assert.Equal((height, width, Resampling.Bicubic), (config.Height, config.Width, config.Resampling));
        Assert.Equal([0.25f, 0.5f, 1], config.Deviation);
    }

    [Fact]
    public void Read_StepsTurnedOff_DoNothing()
    {
        PreprocessorConfig config = Read("""{"size":64,"do_normalize":false,"do_rescale":false}""");
        Assert.Equal(1, config.RescaleFactor);
        Assert.Equal([0, 0, 0], config.Mean);
        Assert.Equal([1, 1, 1], config.Deviation);
    }

    [Theory]
    [InlineData("\"size\":352,\"resample\":1", "'resample' is 1, expected 2 (bilinear) or 3 (bicubic), not lanczos")]
    [InlineData("\"size\":352,\"resample\":0", "not nearest")]
    [InlineData("\"size\":352,\"resample\":9", "'resample' is 9")]
    [InlineData("\"size\":0", "'size' is 0")]
    [InlineData("\"size\":{\"height\":352}", "'size' is {\"height\":352}")]
    [InlineData("\"size\":{\"height\":352,\"width\":5000}", "'size.width' is 5000")]
    [InlineData("\"resample\":2", "'size' is missing")]
    [InlineData("\"size\":352,\"do_resize\":false", "'do_resize' is false")]
    [InlineData("\"size\":352,\"rescale_factor\":\"1/255\"", "'rescale_factor' is \"1/255\"")]
    [InlineData("\"size\":352,\"image_mean\":[0.5]", "'image_mean' is [0.5], expected 3 numbers")]
    [InlineData("\"size\":352,\"image_std\":[1,1,0]", "'image_std' is [1,1,0]")]
    [InlineData("\"size\":352,\"image_std\":null", "'image_std' is missing, expected three numbers")]
    public void Read_ValueOutOfPlace_IsRefused(string values, string problem) =>
        Assert.Contains(problem, Assert.Throws<ModelFileException>(() => Read($"{{{Statistics},{values}}}")).Message);

    [Fact]
    public void WriteJson_ReadBack_IsTheSame()
    {
        var config = new PreprocessorConfig { Height = 64, Width = 96, Resampling = Resampling.Bicubic, Mean = [0.1f, 0.2f, 0.3f] };
        using (FileStream stream = File.Create(_folder["preprocessor_config.json"])) config.WriteJson(stream);
        PreprocessorConfig read = PreprocessorConfig.Read(_folder.Location);
        Assert.Equal((64, 96, Resampling.Bicubic, 1 / 255d), (read.Height, read.Width, read.Resampling, read.RescaleFactor));
        Assert.Equal(config.Mean, read.Mean);
        Assert.Equal(config.Deviation, read.Deviation);
    }

    PreprocessorConfig Read(string json) => PreprocessorConfig.Read(_folder.WriteText("preprocessor_config.json", json));
}
