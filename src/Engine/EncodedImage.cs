using ClipSegNative.Tensors;

namespace ClipSegNative;

/// <summary>
/// A picture as the model sees it: the costly part of segmentation, done once; each phrase is then cheap. Holds about 0.4 MB of device memory.
/// Dispose it before its segmenter. Safe to use from several threads, but not while it is being encoded into or disposed.
/// </summary>
public sealed class EncodedImage : IDisposable
{
    readonly Segmenter _segmenter;
    readonly DeviceMemory _memory;

    internal EncodedImage(Segmenter segmenter, DeviceMemory memory, Tensor[] features)
    {
        _segmenter = segmenter;
        _memory = memory;
        Features = features;
    }

    /// <summary>Width of the picture in pixels.</summary>
    public int Width { get; internal set; }

    /// <summary>Height of the picture in pixels.</summary>
    public int Height { get; internal set; }

    internal Tensor[] Features { get; }

    internal bool IsDisposed { get; private set; }

    internal Segmenter Segmenter => _segmenter;

    /// <summary>Finds what each phrase names in this picture.</summary>
    /// <param name="prompts">1 or more phrases; each longer than 77 tokens is cut, as the reference does.</param>
    /// <returns>One result a phrase, in order.</returns>
    /// <exception cref="ArgumentException">No phrase, or an empty one.</exception>
    /// <exception cref="ObjectDisposedException">This or its segmenter was disposed.</exception>
    /// <remarks>Lüddecke and Ecker 2022, section 3. The embedding of a phrase is remembered by the segmenter.</remarks>
    public IReadOnlyList<Segmentation> Segment(params ReadOnlySpan<string> prompts)
    {
        var results = new Segmentation[prompts.Length];
        for (int i = 0; i < results.Length; i++) results[i] = _segmenter.NewResult();
        Segment(prompts, results);
        return results;
    }

    /// <summary>As <see cref="Segment(ReadOnlySpan{string})"/>, into results of an earlier call: for phrases seen before, allocates nothing.</summary>
    /// <param name="prompts">1 or more phrases.</param>
    /// <param name="results">As many results, made by the same segmenter; they are overwritten.</param>
    /// <exception cref="ArgumentException">No phrase, an empty one, or another number of results.</exception>
    public void Segment(ReadOnlySpan<string> prompts, ReadOnlySpan<Segmentation> results) => _segmenter.Segment(this, prompts, results);

    /// <summary>Frees the device memory.</summary>
    public void Dispose()
    {
        IsDisposed = true;
        _memory.Dispose();
    }
}
