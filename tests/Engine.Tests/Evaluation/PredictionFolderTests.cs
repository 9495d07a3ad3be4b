using ClipSegNative.Evaluation;
using ClipSegNative.Imaging;

namespace ClipSegNative.Tests.Evaluation;

public sealed class PredictionFolderTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("clipseg-predictions").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData((int)PngKind.Grey1, new byte[] { 0, 1, 0, 1 })]
    [InlineData((int)PngKind.Grey8, new byte[] { 0, 1, 0, 255 })]
    [InlineData((int)PngKind.Rgb8, new byte[] { 0, 0, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0 })]
    public void Find_Png_AllThatIsNotBlackIsFound(int kind, byte[] pixels)
    {
        using (FileStream stream = File.Create(Path.Combine(_folder, "1__2.png"))) PngWriter.Write(stream, (PngKind)kind, 2, 2, pixels);
        Prediction found = new PredictionFolder(_folder).Find("1__2")!;
        Assert.Equal([0, 1, 0, 1], found.Probabilities);
        Assert.Equal((2, 2, true), (found.Width, found.Height, found.IsMask));
    }

    [Fact]
    public void Find_BothKinds_TakesTheProbabilities()
    {
        using (FileStream stream = File.Create(Path.Combine(_folder, "a.png"))) PngWriter.Write(stream, PngKind.Grey8, 1, 1, [9]);
        WriteArray("a", [0.25f]);
        Assert.Equal([0.25f], new PredictionFolder(_folder).Find("a")!.Probabilities);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(3.5f)]
    [InlineData(-0.5f)]
    public void Find_NoProbability_IsRefused(float value)
    {
        WriteArray("a", [0.25f, value]);
        string message = Assert.Throws<PictureException>(() => new PredictionFolder(_folder).Find("a")).Message;
        Assert.Contains($"holds {value} at [0, 1]; probabilities from 0 to 1 are needed, not logits", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("../a")]
    [InlineData("/a")]
    public void Find_NoFileOfThatName_IsNull(string id)
    {
        WriteArray("a", [0.25f]);
        Directory.CreateDirectory(Path.Combine(_folder, "in"));
        Assert.Null(new PredictionFolder(Path.Combine(_folder, "in")).Find(id));
    }

    void WriteArray(string id, float[] values)
    {
        using FileStream stream = File.Create(Path.Combine(_folder, id + ".npy"));
        NpyWriter.Write(stream, values, 1, values.Length);
    }
}
