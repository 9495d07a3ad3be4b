using System.Numerics.Tensors;
using ClipSegNative.Backends;
using ClipSegNative.Data;
using ClipSegNative.Evaluation;
using ClipSegNative.Models.ClipSeg;

namespace ClipSegNative.Training;

/// <summary>The samples that the decoder sees at once, and what came of them.</summary>
sealed class MicroBatch(FrozenTowers towers, DecoderTraining decoder, int conditionLength) : IDisposable
{
    readonly TrainingSample?[] _samples = new TrainingSample?[decoder.Batch];
    readonly float[] _condition = new float[conditionLength];
    readonly float[] _target = new float[decoder.LogitHeight * decoder.LogitWidth];
    readonly float[] _losses = new float[decoder.Batch];
    readonly float[] _sums = new float[decoder.Batch * MaskLosses.Sums];
    readonly float[] _logits = new float[decoder.Batch * decoder.LogitHeight * decoder.LogitWidth];

    /// <summary>Samples placed; a last batch of validation may be short.</summary>
    public int Count { get; private set; }

    public TrainingSample this[int place] => _samples[place]!;

    public ReadOnlySpan<float> Losses => _losses.AsSpan(0, Count);

    /// <summary>Of the last <see cref="Predict"/>.</summary>
    public Span<float> Logits(int place) => _logits.AsSpan(place * _target.Length, _target.Length);

    /// <summary>At probability one half.</summary>
    public PixelCounts Counts(int place) => CollapseGuard.Count(_sums.AsSpan(place * MaskLosses.Sums, MaskLosses.Sums), _target.Length);

    /// <summary>Takes the next samples over and shows them to the decoder.</summary>
    /// <param name="samples">At a batch's begin.</param>
    /// <param name="loader">Where they come from.</param>
    /// <param name="interrupted">Ends an encode.</param>
    /// <returns>False where there are no more.</returns>
    public bool Fill(IEnumerator<TrainingSample> samples, SampleLoader loader, CancellationToken interrupted)
    {
        Clear();
        while (Count < _samples.Length && samples.MoveNext())
        {
            TrainingSample sample = samples.Current;
            _samples[Count++] = sample;
            towers.Condition(sample.Spec, _condition, interrupted);
            TensorPrimitives.ConvertTruncating<byte, float>(sample.Target, _target);
            towers.Features(sample, loader, features => decoder.Place(Count - 1, features, _condition, _target), interrupted);
        }
        return Count > 0;
    }

    /// <summary>Forward and backward, the gradients added to what is there.</summary>
    public void Learn() => decoder.Accumulate(_losses, _sums);

    /// <summary>Forward only.</summary>
    public void Predict() => decoder.Forward(_losses, _sums, _logits);

    public void Dispose() => Clear();

    void Clear()
    {
        foreach (TrainingSample? sample in _samples.AsSpan(0, Count)) sample?.Dispose();
        Count = 0;
    }
}
