using ClipSegNative.Imaging;

namespace ClipSegNative.Tests;

/// <summary>The README's C# code, compiled.</summary>
static class ReadmeExample
{
    public static void Run()
    {
        using Segmenter segmenter = Segmenter.Load("weights/clipseg-rd64-refined");
        using EncodedImage picture = segmenter.Encode(ImageReader.Read("cat.jpg"));   // the costly part, once
        foreach (Segmentation found in picture.Segment("a cat", "the sofa"))           // cheap, per phrase
            found.Mask(threshold: 0.3f).Save($"{found.Text}.png");
    }
}
