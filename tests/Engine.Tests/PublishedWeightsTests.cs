using ClipSegNative.Imaging;

namespace ClipSegNative.Tests;

/// <summary>Golden values of CIDAS/clipseg-rd64-refined as published; the weights are not part of this project, so the folder comes from outside.</summary>
public class PublishedWeightsTests
{
    /// <summary>Names a folder with the published model.</summary>
    const string ModelVariable = "CLIPSEG_TEST_MODEL";

    /// <summary>Names COCO val2017's 000000039769.jpg: two cats, two remotes, a blanket.</summary>
    const string PictureVariable = "CLIPSEG_TEST_MODEL_PICTURE";

    const float Tolerance = 1e-3f;   // the reference's own

    [Fact]
    public void Embed_Phrases_GiveTheReferencesVectors()
    {
        using Segmenter segmenter = Segmenter.Load(Folder());
        AssertNear([0.5601f, -0.0314f, 0.1980f], segmenter.Embed("a cat"));
        AssertNear([0.1110f, -0.1882f, 0.1645f], segmenter.Embed("a glass"));
    }

    [Fact]
    public void Segment_TwoCats_GivesTheReferencesLogits()
    {
        string folder = Folder();
        string? picture = Environment.GetEnvironmentVariable(PictureVariable);
        Assert.SkipWhen(string.IsNullOrEmpty(picture), $"{PictureVariable} names no picture.");
        using Segmenter segmenter = Segmenter.Load(folder);
        using EncodedImage image = segmenter.Encode(ImageReader.Read(picture!));
        Segmentation cat = image.Segment("a cat", "a remote", "a blanket")[0];
        float[][] expected = [[-7.4613f, -7.4785f, -7.3628f], [-7.3268f, -7.0899f, -7.1333f], [-6.9838f, -6.7900f, -6.8913f]];
        for (int row = 0; row < 3; row++) AssertNear(expected[row], cat.Logits.Slice(row * cat.LogitWidth, 3).ToArray());
    }

    static string Folder()
    {
        string? folder = Environment.GetEnvironmentVariable(ModelVariable);
        Assert.SkipWhen(string.IsNullOrEmpty(folder), $"{ModelVariable} names no model folder.");
        return folder!;
    }

    static void AssertNear(float[] expected, float[] actual)
    {
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], Tolerance);
    }
}
