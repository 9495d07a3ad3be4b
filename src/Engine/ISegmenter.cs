namespace ClipSegNative;

/// <summary>What a service asks for: encoded pictures in, results out. For code that is tested without a model; the whole API is <see cref="Segmenter"/>'s.</summary>
public interface ISegmenter
{
    /// <summary>Reads a picture and finds what each phrase names in it, without holding a thread while the stream or other callers are waited for.</summary>
    /// <param name="image">JPEG, PNG, WebP, BMP or GIF from where the stream stands to its end; at most 256 MiB and 100 megapixels. Stays open.</param>
    /// <param name="text">1 or more phrases; each longer than 77 tokens is cut.</param>
    /// <param name="cancellation">Ends the call within one operation, at most some tens of milliseconds.</param>
    /// <returns>One result a phrase, in order.</returns>
    /// <exception cref="ArgumentException">No phrase, or an empty one.</exception>
    /// <exception cref="PictureException">The content is no picture, too large, cut short or damaged.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the segmenter stays usable.</exception>
    /// <exception cref="ObjectDisposedException">The segmenter was disposed.</exception>
    Task<IReadOnlyList<Segmentation>> SegmentAsync(Stream image, IReadOnlyList<string> text, CancellationToken cancellation = default);
}
