using ClipSegNative.Data;
using ClipSegNative.Imaging;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;

namespace ClipSegNative.Training;

/// <summary>Pictures of how far the decoder is, in the run folder and on TensorBoard: the photo, the target and the prediction side by side.</summary>
sealed class SampleSheets(RunFolder run, PreprocessorConfig preprocessing, SampleLoader loader, EventFile events)
{
    /// <param name="step">For the name.</param>
    /// <param name="sample">At the working size.</param>
    /// <param name="probabilities">[size, size].</param>
    public void Draw(long step, TrainingSample sample, ReadOnlySpan<float> probabilities)
    {
        int side = preprocessing.Width;
        var pixels = new float[Picture.Channels * side * side];
        loader.ReadPixels(sample, pixels);
        using var png = new MemoryStream();
        Renderings.WriteComparison(
            png, Restore(pixels, side), Mask.FromPixels(sample.Target, side, side), Mask.FromProbabilities(probabilities, side, side, Segmentation.DefaultThreshold));
        string slug = PhraseSlug.Of(sample.Spec.Text);
        AtomicFile.Write(Path.Combine(run.Samples, $"step-{step:000000}-{slug}.png"), png.WriteTo);
        events.Image($"samples/{slug}", step, 3 * side, side, png.ToArray());
    }

    /// <summary>What the preprocessor was given, but for what resizing took.</summary>
    Picture Restore(float[] pixels, int side)
    {
        var rgb = new byte[pixels.Length];
        for (int i = 0; i < rgb.Length; i++)
        {
            (int pixel, int colour) = (i / Picture.Channels, i % Picture.Channels);
            double value = (pixels[colour * side * side + pixel] * preprocessing.Deviation[colour] + preprocessing.Mean[colour]) / preprocessing.RescaleFactor;
            rgb[i] = (byte)Math.Clamp(Math.Round(value), 0, byte.MaxValue);
        }
        return new Picture(rgb, side, side, name: null);
    }
}
