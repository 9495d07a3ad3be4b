using System.Buffers;
using System.Runtime.CompilerServices;
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
    /// <param name="phrases">1 or more phrases; each longer than 77 tokens is cut, as the reference does.</param>
    /// <returns>One result a phrase, in order.</returns>
    /// <exception cref="ArgumentException">No phrase, or an empty one.</exception>
    /// <exception cref="ObjectDisposedException">This or its segmenter was disposed.</exception>
    /// <remarks>Lüddecke and Ecker 2022, section 3. The embedding of a phrase is remembered by the segmenter.</remarks>
    [OverloadResolutionPriority(1)]   // over prompts, where the compiler could take either
    public IReadOnlyList<Segmentation> Segment(params ReadOnlySpan<string> phrases) => Segment(phrases, CancellationToken.None);

    /// <summary>As <see cref="Segment(ReadOnlySpan{string})"/>, until cancelled.</summary>
    /// <param name="phrases">1 or more phrases.</param>
    /// <param name="cancellation">Ends the call within one operation, at most some tens of milliseconds.</param>
    /// <exception cref="OperationCanceledException">Cancelled, also while other callers are waited for; the segmenter stays usable.</exception>
    [OverloadResolutionPriority(1)]
    public IReadOnlyList<Segmentation> Segment(ReadOnlySpan<string> phrases, CancellationToken cancellation)
    {
        Segmentation[] results = _segmenter.NewResults(phrases.Length);
        Segment(phrases, results, cancellation);
        return results;
    }

    /// <summary>As <see cref="Segment(ReadOnlySpan{string})"/>, into results of an earlier call: for phrases seen before, allocates nothing.</summary>
    /// <param name="phrases">1 or more phrases.</param>
    /// <param name="results">As many results, made by the same segmenter; they are overwritten, some of them also by a call that throws.</param>
    /// <param name="cancellation">Ends the call within one operation, at most some tens of milliseconds.</param>
    /// <exception cref="ArgumentException">No phrase, an empty one, or another number of results.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, also while other callers are waited for; the segmenter stays usable.</exception>
    [OverloadResolutionPriority(1)]
    public void Segment(ReadOnlySpan<string> phrases, ReadOnlySpan<Segmentation> results, CancellationToken cancellation = default)
    {
        Prompt[] prompts = ArrayPool<Prompt>.Shared.Rent(phrases.Length);
        try
        {
            for (int i = 0; i < phrases.Length; i++) prompts[i] = phrases[i];
            Segment(prompts.AsSpan(0, phrases.Length), results, cancellation);
        }
        finally { ArrayPool<Prompt>.Shared.Return(prompts, clearArray: true); }
    }

    /// <summary>Finds what each prompt, a phrase, a picture or both, stands for in this picture.</summary>
    /// <param name="prompts">1 or more; pictures come from <see cref="Segmenter.Like"/> of the same segmenter.</param>
    /// <returns>One result a prompt, in order.</returns>
    /// <exception cref="ArgumentException">No prompt, an empty one, or one of another segmenter.</exception>
    /// <exception cref="ObjectDisposedException">This or its segmenter was disposed.</exception>
    public IReadOnlyList<Segmentation> Segment(params ReadOnlySpan<Prompt> prompts) => Segment(prompts, CancellationToken.None);

    /// <summary>As <see cref="Segment(ReadOnlySpan{Prompt})"/>, until cancelled.</summary>
    /// <param name="prompts">1 or more.</param>
    /// <param name="cancellation">Ends the call within one operation, at most some tens of milliseconds.</param>
    /// <exception cref="OperationCanceledException">Cancelled, also while other callers are waited for; the segmenter stays usable.</exception>
    public IReadOnlyList<Segmentation> Segment(ReadOnlySpan<Prompt> prompts, CancellationToken cancellation)
    {
        Segmentation[] results = _segmenter.NewResults(prompts.Length);
        Segment(prompts, results, cancellation);
        return results;
    }

    /// <summary>As <see cref="Segment(ReadOnlySpan{Prompt})"/>, into results of an earlier call: warm, it allocates nothing.</summary>
    /// <param name="prompts">1 or more.</param>
    /// <param name="results">As many results, made by the same segmenter; they are overwritten, some of them also by a call that throws.</param>
    /// <param name="cancellation">Ends the call within one operation, at most some tens of milliseconds.</param>
    /// <exception cref="ArgumentException">No prompt, an empty one, one of another segmenter, or another number of results.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, also while other callers are waited for; the segmenter stays usable.</exception>
    public void Segment(ReadOnlySpan<Prompt> prompts, ReadOnlySpan<Segmentation> results, CancellationToken cancellation = default) =>
        _segmenter.Segment(this, prompts, results, cancellation);

    /// <summary>Frees the device memory.</summary>
    public void Dispose()
    {
        IsDisposed = true;
        _memory.Dispose();
    }
}
