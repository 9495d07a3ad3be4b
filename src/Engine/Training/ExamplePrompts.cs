using ClipSegNative.Backends;
using ClipSegNative.Data;
using ClipSegNative.Imaging;
using ClipSegNative.Layers;
using ClipSegNative.Models;
using ClipSegNative.Models.ClipSeg;

namespace ClipSegNative.Training;

/// <summary>The conditional vectors of pictures that show what a phrase names, remembered by sample. Lüddecke and Ecker 2022, sections 3.3 and 3.4.</summary>
/// <param name="backend">The device.</param>
/// <param name="model">Its towers are read when this is made.</param>
/// <param name="preprocessor">Of the working size.</param>
/// <param name="grid">Patches down and across.</param>
sealed class ExamplePrompts(IBackend backend, ClipSegModel model, PicturePreprocessor preprocessor, Grid grid) : IDisposable
{
    const int Capacity = 1 << 14;

    readonly Plan _plan = model.ImagePromptPlan(batch: 1, grid);
    readonly BoundedCache<PhraseSample, float[]?> _vectors = new(Capacity);
    readonly float[] _pixels = new float[Picture.Channels * preprocessor.Width * preprocessor.Height];

    /// <summary>The vector of a sample's thing; null where its picture cannot be read or the thing is too small for the working size.</summary>
    public float[]? Vector(PhraseSample sample, CancellationToken interrupted)
    {
        if (_vectors.TryGet(sample, out float[]? known)) return known;
        if (Pixels(sample) is not { } pixels) return _vectors.Add(sample, null);
        var vector = new float[model.Config.ProjectionSize];
        backend.Upload(pixels, _plan.Inputs[0]);
        _plan.Run(interrupted);
        backend.Download(_plan.Outputs[0], vector);
        return _vectors.Add(sample, vector);
    }

    public void Dispose()
    {
        _vectors.Dispose();
        _plan.Dispose();
    }

    float[]? Pixels(PhraseSample sample)
    {
        try
        {
            Picture picture = sample.Picture.Read();
            var mask = new byte[picture.Width * picture.Height];
            sample.Draw(RasterRule.Official, picture.Width, picture.Height, mask);
            preprocessor.Run(picture, _pixels);
            return ExampleFocus.Apply(_pixels, new Mask(mask, picture.Width, picture.Height), preprocessor.Width, preprocessor.Height);
        }
        catch (Exception error) when (error is PictureException or ArgumentException)
        {
            return null;
        }
    }
}
