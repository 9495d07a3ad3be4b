using System.Buffers;
using ClipSegNative.Imaging;
using ClipSegNative.Tensors;

namespace ClipSegNative;

/// <summary>What one phrase names in one picture. Independent of the segmenter: stays valid after it is disposed. Reading is thread-safe.</summary>
public sealed class Segmentation
{
    /// <summary>
    /// The probability from which a pixel counts as found. The published CLIPSeg models give low probabilities, as a fifth of their training
    /// phrases were absent from the picture; the paper evaluates at 0.3 (Lüddecke and Ecker 2022, section 5), and 0.5 cuts objects short.
    /// </summary>
    public const float DefaultThreshold = 0.3f;

    readonly float[] _logits;

    internal Segmentation(int logitWidth, int logitHeight)
    {
        LogitWidth = logitWidth;
        LogitHeight = logitHeight;
        _logits = new float[logitWidth * logitHeight];
    }

    /// <summary>The phrase.</summary>
    public string Text { get; private set; } = "";

    /// <summary>Width of the picture in pixels.</summary>
    public int Width { get; private set; }

    /// <summary>Height of the picture in pixels.</summary>
    public int Height { get; private set; }

    /// <summary>Width of <see cref="Logits"/>.</summary>
    public int LogitWidth { get; }

    /// <summary>Height of <see cref="Logits"/>.</summary>
    public int LogitHeight { get; }

    /// <summary>The decoder's own output [LogitHeight, LogitWidth] at the working size, before the sigmoid; any finite value.</summary>
    public ReadOnlySpan<float> Logits => _logits;

    /// <summary>The highest probability anywhere, in [0, 1]: how sure the model is that the thing is there at all. Not calibrated.</summary>
    public float Score { get; private set; }

    /// <summary>The probability of each pixel at the picture's own size.</summary>
    /// <returns>[Height, Width], each in [0, 1]: logits enlarged bilinearly, half-pixel centres, then the sigmoid.</returns>
    public float[] Probabilities()
    {
        var probabilities = new float[Width * Height];
        CopyProbabilities(probabilities);
        return probabilities;
    }

    /// <summary>As <see cref="Probabilities"/>, into memory of the caller's.</summary>
    /// <param name="destination">Exactly Height · Width floats.</param>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    public void CopyProbabilities(Span<float> destination)
    {
        EnlargeLogits(destination);
        System.Numerics.Tensors.TensorPrimitives.Sigmoid(destination, destination);
    }

    /// <summary>The pixels whose probability is above a threshold, at the picture's own size.</summary>
    /// <param name="threshold">In (0, 1); null for <see cref="DefaultThreshold"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is not between 0 and 1.</exception>
    public Mask Mask(float? threshold = null)
    {
        float level = threshold ?? DefaultThreshold;
        if (!(level > 0 && level < 1)) throw new ArgumentOutOfRangeException(nameof(threshold), $"A threshold lies between 0 and 1; {level} does not.");
        float[] probabilities = ArrayPool<float>.Shared.Rent(Width * Height);
        try
        {
            CopyProbabilities(probabilities.AsSpan(0, Width * Height));
            return Imaging.Mask.FromProbabilities(probabilities.AsSpan(0, Width * Height), Width, Height, level);
        }
        finally { ArrayPool<float>.Shared.Return(probabilities); }
    }

    /// <summary>Takes over a new result; the buffer behind <see cref="Logits"/> is filled through the returned span first.</summary>
    internal Span<float> Begin(string text, int width, int height)
    {
        (Text, Width, Height) = (text, width, height);
        return _logits;
    }

    internal void End() => Score = 1f / (1f + MathF.Exp(-System.Numerics.Tensors.TensorPrimitives.Max(_logits)));

    void EnlargeLogits(Span<float> destination)
    {
        if (destination.Length != Width * Height)
            throw new ArgumentException($"[{Height},{Width}] does not fill {destination.Length} floats.", nameof(destination));
        float[] scratch = ArrayPool<float>.Shared.Rent(LogitHeight * Width);
        try { MapResizer.Bilinear(_logits, LogitHeight, LogitWidth, destination, Height, Width, scratch); }
        finally { ArrayPool<float>.Shared.Return(scratch); }
    }
}
