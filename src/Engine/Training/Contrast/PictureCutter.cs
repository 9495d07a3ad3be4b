using ClipSegNative.Imaging;
using ClipSegNative.Models.ClipSeg;

namespace ClipSegNative.Training.Contrast;

/// <summary>Pictures and parts of them as the image tower takes them. Keeps the last picture read. Not thread-safe.</summary>
/// <param name="preprocessing">Says the working size.</param>
/// <param name="cropSize">Side of a crop in pixels of the working size.</param>
/// <param name="patch">Side of a cell in pixels of the working size.</param>
sealed class PictureCutter(PreprocessorConfig preprocessing, int cropSize, int patch)
{
    readonly PicturePreprocessor _whole = Segmenter.Preprocessor(preprocessing, preprocessing.Width, preprocessing.Height);
    readonly PicturePreprocessor _crop = Segmenter.Preprocessor(preprocessing, cropSize, cropSize);
    (string Path, Picture Picture)? _last;

    /// <returns>[3 · height · width] at the working size.</returns>
    /// <exception cref="PictureException">The picture cannot be read.</exception>
    public float[] Whole(string path)
    {
        var pixels = new float[Picture.Channels * _whole.Width * _whole.Height];
        _whole.Run(Read(path), pixels);
        return pixels;
    }

    /// <summary>A square around a box, on the scale of the working size unless the box is larger than a crop: so a small thing stays small.</summary>
    /// <returns>[3 · size · size].</returns>
    /// <exception cref="PictureException">The picture cannot be read.</exception>
    public float[] Crop(string path, PixelBox? box)
    {
        Picture picture = Read(path);
        PixelBox part = box ?? Whole(picture);
        double acrossScale = (double)picture.Width / preprocessing.Width, downScale = (double)picture.Height / preprocessing.Height;
        double side = Math.Max(cropSize, Math.Max(part.Width / acrossScale, part.Height / downScale));
        (int x, int width) = Cut(part.X, part.Width, side * acrossScale, picture.Width);
        (int y, int height) = Cut(part.Y, part.Height, side * downScale, picture.Height);
        var pixels = new float[Picture.Channels * cropSize * cropSize];
        _crop.Run(picture.Part(new PixelBox(x, y, width, height)), pixels);
        return pixels;

        static (int Start, int Length) Cut(int start, int length, double wanted, int all)
        {
            int cut = Math.Clamp((int)Math.Round(wanted), 1, all);
            return (Math.Clamp(start + (length - cut) / 2, 0, all - cut), cut);
        }
    }

    /// <summary>What each cell counts in the mean over a box: as much as it overlaps.</summary>
    /// <returns>[cells], sum 1.</returns>
    /// <exception cref="PictureException">The picture cannot be read.</exception>
    public float[] Cells(string path, PixelBox? box)
    {
        Picture picture = Read(path);
        PixelBox part = box ?? Whole(picture);
        int columns = preprocessing.Width / patch, rows = preprocessing.Height / patch;
        double[] across = Overlaps(part.X, part.Width, (double)columns / picture.Width, columns), down = Overlaps(part.Y, part.Height, (double)rows / picture.Height, rows);
        double sum = across.Sum() * down.Sum();
        if (sum <= 0) return Cells(path, null);   // the box lies outside
        return [.. from y in down from x in across select (float)(x * y / sum)];

        static double[] Overlaps(int start, int length, double scale, int cells) =>
            [.. Enumerable.Range(0, cells).Select(cell => Math.Max(0, Math.Min(cell + 1, (start + length) * scale) - Math.Max(cell, start * scale)))];
    }

    static PixelBox Whole(Picture picture) => new(0, 0, picture.Width, picture.Height);

    Picture Read(string path)
    {
        if (_last?.Path != path) _last = (path, ImageReader.Read(path));
        return _last.Value.Picture;
    }
}
