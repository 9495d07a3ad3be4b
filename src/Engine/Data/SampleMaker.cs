using ClipSegNative.Imaging;

namespace ClipSegNative.Data;

/// <summary>Makes samples for one worker; keeps its scratch. Not thread-safe.</summary>
/// <param name="sampler">Chooses the crop.</param>
/// <param name="preprocessor">Resizes and normalises; its size, a square, is the target's too.</param>
/// <param name="rule">How polygons are filled.</param>
sealed class SampleMaker(PhraseSampler sampler, PicturePreprocessor preprocessor, RasterRule rule)
{
    byte[] _mask = [], _cropped = [];

    /// <param name="spec">What to make.</param>
    /// <param name="picture">Its whole picture, of the annotated size; null to leave out the pixels.</param>
    /// <param name="partner">What to prompt with; null for a text prompt.</param>
    public TrainingSample Make(SampleSpec spec, Picture? picture, TrainingSample? partner)
    {
        ReadOnlySpan<byte> mask = Draw(spec.Sample);
        PixelBox crop = sampler.Crop(spec.Position, mask, spec.Sample.Picture.Width, spec.Sample.Picture.Height);
        if (partner is null) spec = spec with { Partner = null, TextWeight = 1 };
        var sample = new TrainingSample(spec, crop, preprocessor.Width, hasPixels: picture is not null) { Partner = partner };
        if (spec.IsNegative) sample.Target.Clear();
        else Reduce(mask, spec.Sample.Picture.Width, crop, sample.Target);
        if (spec.IsFlipped) Mirror(sample.Target);
        if (picture is not null) FillPixels(spec, picture, crop, sample.Pixels);
        return sample;
    }

    /// <summary>A sample's partner with its whole picture; null where its target has no pixel at the working size.</summary>
    public TrainingSample? MakePartner(SampleSpec spec, Picture picture)
    {
        SampleSpec whole = spec with { Sample = spec.Partner!, IsNegative = false, IsFlipped = false, Partner = null, TextWeight = 1 };
        var crop = new PixelBox(0, 0, picture.Width, picture.Height);
        var partner = new TrainingSample(whole, crop, preprocessor.Width, hasPixels: true);
        Reduce(Draw(whole.Sample), picture.Width, crop, partner.Target);
        if (!partner.Target.Contains((byte)1))
        {
            partner.Dispose();
            return null;
        }
        FillPixels(whole, picture, crop, partner.Pixels);
        return partner;
    }

    /// <summary>The part of a picture -> [3, size, size].</summary>
    public void FillPixels(SampleSpec spec, Picture picture, PixelBox crop, Span<float> pixels)
    {
        preprocessor.Run(picture.Part(crop), pixels);
        if (spec.IsFlipped) Mirror(pixels);
    }

    Span<byte> Draw(PhraseSample sample)
    {
        (int width, int height) = (sample.Picture.Width, sample.Picture.Height);
        Span<byte> mask = Sized(ref _mask, width * height);
        sample.Draw(rule, width, height, mask);
        return mask;
    }

    void Reduce(ReadOnlySpan<byte> mask, int width, PixelBox crop, Span<byte> target)
    {
        Span<byte> cropped = Sized(ref _cropped, crop.Width * crop.Height);
        for (int y = 0; y < crop.Height; y++)
            mask.Slice((crop.Y + y) * width + crop.X, crop.Width).CopyTo(cropped[(y * crop.Width)..]);
        PolygonRaster.ResizeNearest(cropped, crop.Width, crop.Height, target, preprocessor.Width, preprocessor.Height);
    }

    void Mirror<T>(Span<T> rows)
    {
        for (; rows.Length > 0; rows = rows[preprocessor.Width..]) rows[..preprocessor.Width].Reverse();
    }

    static Span<byte> Sized(ref byte[] buffer, int length)
    {
        if (buffer.Length < length) buffer = new byte[length];
        return buffer.AsSpan(0, length);
    }
}
