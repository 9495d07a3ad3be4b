using ClipSegNative.Imaging;

namespace ClipSegNative.Data;

/// <summary>A picture that phrases are about.</summary>
/// <param name="Id">PhraseCut's number.</param>
/// <param name="Path">Its file.</param>
/// <param name="Width">As annotated, or from the file's header where no annotation gives it.</param>
/// <param name="Height">As annotated, or from the file's header where no annotation gives it.</param>
sealed record DataPicture(long Id, string Path, int Width, int Height)
{
    // Polygons are drawn on the pixels as stored: the reference reads pictures without turning them.
    static readonly ImageReadOptions AsStored = new() { ApplyOrientation = false };

    /// <exception cref="PictureException">The file cannot be read, or its size is another.</exception>
    public Picture Read()
    {
        Picture picture = ImageReader.Read(Path, AsStored);
        return (picture.Width, picture.Height) == (Width, Height)
            ? picture
            : throw new PictureException($"{Path} has {picture.Width} x {picture.Height} pixels, not the annotated {Width} x {Height}.");
    }
}
