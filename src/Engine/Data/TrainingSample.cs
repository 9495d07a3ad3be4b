using System.Buffers;
using ClipSegNative.Imaging;

namespace ClipSegNative.Data;

/// <summary>One sample, ready for the model. Disposing gives its memory to the next ones; until then it is the caller's.</summary>
sealed class TrainingSample : IDisposable
{
    readonly float[] _pixels;
    readonly byte[] _target;
    readonly int _pixelCount, _targetCount;
    bool _disposed;

    public TrainingSample(SampleSpec spec, PixelBox crop, int size, bool hasPixels)
    {
        (Spec, Crop) = (spec, crop);
        (_targetCount, _pixelCount) = (size * size, hasPixels ? Picture.Channels * size * size : 0);
        (_target, _pixels) = (ArrayPool<byte>.Shared.Rent(_targetCount), ArrayPool<float>.Shared.Rent(_pixelCount));
    }

    /// <summary>What was drawn. Where the picture of the position asked for cannot be read, its position is a later one.</summary>
    public SampleSpec Spec { get; }

    /// <summary>The part of the picture that is shown, in its own pixels.</summary>
    public PixelBox Crop { get; }

    /// <summary>[3, size, size], normalised; empty where the picture's features were there already.</summary>
    public Span<float> Pixels => _pixels.AsSpan(0, _pixelCount);

    /// <summary>[size, size] of 0 and 1.</summary>
    public Span<byte> Target => _target.AsSpan(0, _targetCount);

    /// <summary>The picture to prompt with, whole, and what the phrase names in it, which is at least a pixel; null for a text prompt.</summary>
    public TrainingSample? Partner { get; init; }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;   // returned twice, the memory would be lent to two samples
        Partner?.Dispose();
        ArrayPool<byte>.Shared.Return(_target);
        ArrayPool<float>.Shared.Return(_pixels);
    }
}
