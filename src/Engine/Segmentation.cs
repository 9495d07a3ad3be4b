using System.Buffers;
using ClipSegNative.Calibration;
using ClipSegNative.Imaging;
using ClipSegNative.Tensors;

namespace ClipSegNative;

/// <summary>What one phrase names in one picture. Independent of the segmenter: stays valid after it is disposed. Reading is thread-safe.</summary>
public sealed class Segmentation
{
    /// <summary>
    /// The probability from which a pixel counts as found, of models that say nothing else (<see cref="Threshold"/>). The published CLIPSeg models give low
    /// probabilities, as a fifth of their training phrases were absent from the picture; the paper evaluates at 0.3 (Lüddecke and Ecker 2022, section 5),
    /// and 0.5 cuts objects short.
    /// </summary>
    public const float DefaultThreshold = 0.3f;

    readonly float[] _logits;
    readonly SegmentationConfig? _config;

    /// <param name="logitWidth">1 or more.</param>
    /// <param name="logitHeight">1 or more.</param>
    /// <param name="config">The model's calibration; null where it has none.</param>
    internal Segmentation(int logitWidth, int logitHeight, SegmentationConfig? config = null)
    {
        _config = config;
        LogitWidth = logitWidth;
        LogitHeight = logitHeight;
        _logits = new float[logitWidth * logitHeight];
    }

    /// <summary>The phrase, or what <see cref="Prompt.ToString"/> calls a picture.</summary>
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

    /// <summary><see cref="Logits"/> as memory, for code that waits while it holds them: not a copy, so a call that reuses this result changes it.</summary>
    public ReadOnlyMemory<float> LogitsMemory => _logits;

    /// <summary>
    /// How sure the model is that the thing is there at all, in [0, 1]. Of a calibrated model the probability of it, fitted where half of the phrases named
    /// something; else the highest probability of any pixel, to be compared within one model only.
    /// </summary>
    public float Score { get; private set; }

    /// <summary>The probability from which a pixel counts as found unless said otherwise: the model's own, else <see cref="DefaultThreshold"/>.</summary>
    public float Threshold => _config?.Threshold ?? DefaultThreshold;

    /// <summary>The <see cref="Score"/> below which a mask is empty unless said otherwise: a calibrated model's own, else 0.</summary>
    public float PresenceThreshold => _config?.PresenceThreshold ?? 0;

    /// <summary>Whether the thing is there, as far as the model can tell: <see cref="Score"/> reaches <see cref="PresenceThreshold"/>. True for models that are not calibrated.</summary>
    public bool IsPresent => IsPresentAt(presence: null);

    /// <summary>Whether the model carries a calibration.</summary>
    internal bool IsCalibrated => _config is not null;

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

    /// <summary>The pixels whose probability is above a threshold, at the picture's own size; none where the thing does not seem to be there.</summary>
    /// <param name="threshold">In (0, 1); null for <see cref="Threshold"/>. Says nothing about <paramref name="presence"/>.</param>
    /// <param name="minArea">Share of the picture, in [0, 1]: a smaller mask is taken for nothing and comes back empty.</param>
    /// <param name="presence">In [0, 1]: with a <see cref="Score"/> below it the mask is empty; 0 never, null for <see cref="PresenceThreshold"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is not between 0 and 1, or one of the others not from 0 to 1.</exception>
    public Mask Mask(float? threshold = null, double minArea = 0, float? presence = null)
    {
        CheckThreshold(threshold);
        if (!(minArea >= 0 && minArea <= 1)) throw new ArgumentOutOfRangeException(nameof(minArea), $"A share of the picture lies between 0 and 1; {minArea} does not.");
        CheckPresence(presence);
        float[] probabilities = ArrayPool<float>.Shared.Rent(Width * Height);
        try
        {
            CopyProbabilities(probabilities.AsSpan(0, Width * Height));
            return MaskOf(probabilities.AsSpan(0, Width * Height), threshold, minArea, presence);
        }
        finally { ArrayPool<float>.Shared.Return(probabilities); }
    }

    /// <summary>As <see cref="Mask"/>, from <see cref="Probabilities"/> that the caller has already; arguments are not checked.</summary>
    internal Mask MaskOf(ReadOnlySpan<float> probabilities, float? threshold, double minArea, float? presence) => IsPresentAt(presence)
        ? Imaging.Mask.FromProbabilities(probabilities, Width, Height, threshold ?? Threshold).OrEmptyBelow(minArea)
        : new Mask(new byte[probabilities.Length], Width, Height);

    /// <summary>As <see cref="IsPresent"/>, for another threshold than the model's own.</summary>
    internal bool IsPresentAt(float? presence) => Score >= (presence ?? PresenceThreshold);

    /// <summary>Which of several phrases each pixel of one picture shows: the most probable of those that are there and above a threshold.</summary>
    /// <param name="results">1 to 255 results of one picture; the first is label 1.</param>
    /// <param name="threshold">In (0, 1); null for the first result's <see cref="Threshold"/>.</param>
    /// <param name="presence">As for <see cref="Mask"/>.</param>
    /// <exception cref="ArgumentException">No result, more than 255, or results of pictures of different sizes.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is not between 0 and 1, or the other not from 0 to 1.</exception>
    public static LabelMap Labels(IReadOnlyList<Segmentation> results, float? threshold = null, float? presence = null)
    {
        ArgumentNullException.ThrowIfNull(results);
        CheckThreshold(threshold);
        CheckPresence(presence);
        if (results.Count is 0 or > LabelMap.MaxPhrases) throw new ArgumentException($"A label map is made of 1 to {LabelMap.MaxPhrases} results, not {results.Count}.", nameof(results));
        var labels = new LabelMapBuilder(results[0].Width, results[0].Height, threshold ?? results[0].Threshold);
        var probabilities = new float[results[0].Width * results[0].Height];
        foreach (Segmentation result in results)
        {
            if ((result.Width, result.Height) != (results[0].Width, results[0].Height)) throw new ArgumentException("The results belong to pictures of different sizes.", nameof(results));
            result.CopyProbabilities(probabilities);
            labels.Add(result.IsPresentAt(presence) ? probabilities : []);
        }
        return labels.Build();
    }

    /// <summary>A result from logits of another source: for tests of code that takes results, and for post-processing.</summary>
    /// <param name="text">What <see cref="Text"/> will say.</param>
    /// <param name="logits">[logitHeight, logitWidth].</param>
    /// <param name="logitWidth">1 or more.</param>
    /// <param name="logitHeight">1 or more.</param>
    /// <param name="width">Width of the picture in pixels, 1 or more.</param>
    /// <param name="height">Height of the picture in pixels, 1 or more.</param>
    /// <exception cref="ArgumentException">A size is below 1, or the sizes do not give the number of logits.</exception>
    public static Segmentation FromLogits(string text, ReadOnlySpan<float> logits, int logitWidth, int logitHeight, int width, int height)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (logitWidth < 1 || logitHeight < 1 || (long)logitWidth * logitHeight != logits.Length)
            throw new ArgumentException($"[{logitHeight},{logitWidth}] does not hold {logits.Length} logits.", nameof(logits));
        var result = new Segmentation(logitWidth, logitHeight);
        logits.CopyTo(result.Begin(text, width, height));
        result.End();
        return result;
    }

    /// <summary>Takes over a new result; the buffer behind <see cref="Logits"/> is filled through the returned span first.</summary>
    internal Span<float> Begin(string text, int width, int height)
    {
        (Text, Width, Height) = (text, width, height);
        return _logits;
    }

    internal void End() => Score = _config?.Presence.Score(_logits) ?? 1f / (1f + MathF.Exp(-System.Numerics.Tensors.TensorPrimitives.Max(_logits)));

    static void CheckThreshold(float? threshold)
    {
        if (threshold is { } level && !(level > 0 && level < 1)) throw new ArgumentOutOfRangeException(nameof(threshold), $"A threshold lies between 0 and 1; {level} does not.");
    }

    static void CheckPresence(float? presence)
    {
        if (presence is { } score && !(score >= 0 && score <= 1)) throw new ArgumentOutOfRangeException(nameof(presence), $"A score lies between 0 and 1; {score} does not.");
    }

    void EnlargeLogits(Span<float> destination)
    {
        if (destination.Length != Width * Height)
            throw new ArgumentException($"[{Height},{Width}] does not fill {destination.Length} floats.", nameof(destination));
        float[] scratch = ArrayPool<float>.Shared.Rent(LogitHeight * Width);
        try { MapResizer.Bilinear(_logits, LogitHeight, LogitWidth, destination, Height, Width, scratch); }
        finally { ArrayPool<float>.Shared.Return(scratch); }
    }
}
