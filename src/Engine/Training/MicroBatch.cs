using System.Numerics.Tensors;
using ClipSegNative.Backends;
using ClipSegNative.Data;
using ClipSegNative.Evaluation;
using ClipSegNative.Models.ClipSeg;

namespace ClipSegNative.Training;

/// <summary>The samples that the decoder sees at once, and what came of them. The next ones take their places while it is still busy with these.</summary>
sealed class MicroBatch(FrozenTowers towers, DecoderTraining decoder, int conditionLength) : IDisposable
{
    List<TrainingSample> _seen = [], _next = [];
    readonly float[] _condition = new float[conditionLength];
    readonly float[] _target = new float[decoder.LogitHeight * decoder.LogitWidth];
    readonly float[] _losses = new float[decoder.Batch];
    readonly float[] _sums = new float[decoder.Batch * MaskLosses.Sums];
    readonly float[] _logits = new float[decoder.Batch * decoder.LogitHeight * decoder.LogitWidth];

    /// <summary>Samples seen; a last batch of validation may be short.</summary>
    public int Count => _seen.Count;

    /// <summary>Whether samples are in place that have not been seen.</summary>
    public bool IsFilled => _next.Count > 0;

    public TrainingSample this[int place] => _seen[place];

    public ReadOnlySpan<float> Losses => _losses.AsSpan(0, Count);

    /// <summary>Of the last <see cref="Predict"/>.</summary>
    public Span<float> Logits(int place) => _logits.AsSpan(place * _target.Length, _target.Length);

    /// <summary>At probability one half.</summary>
    public PixelCounts Counts(int place) => CollapseGuard.Count(_sums.AsSpan(place * MaskLosses.Sums, MaskLosses.Sums), _target.Length);

    /// <summary>Takes the next samples over and puts them in place.</summary>
    /// <param name="samples">At a batch's begin.</param>
    /// <param name="loader">Where they come from.</param>
    /// <param name="interrupted">Ends an encode.</param>
    /// <returns>False where there are no more.</returns>
    public bool Fill(IEnumerator<TrainingSample> samples, SampleLoader loader, CancellationToken interrupted)
    {
        Forget();
        while (_next.Count < decoder.Batch && samples.MoveNext())
        {
            _next.Add(samples.Current);
            Place(_next.Count - 1, samples.Current, loader, interrupted);
        }
        return IsFilled;
    }

    /// <summary>Queues forward and backward, the gradients added to what is there. <see cref="Await"/> gives losses and counts.</summary>
    public void Learn()
    {
        Turn();
        decoder.Accumulate([], []);
    }

    /// <summary>Waits for what <see cref="Learn"/> queued.</summary>
    public void Await() => decoder.Download(_losses, _sums);

    /// <summary>Forward only.</summary>
    public void Predict()
    {
        Turn();
        decoder.Forward(_losses, _sums, _logits);
    }

    /// <summary>Forward only, of the samples that were seen last; those in place are lost.</summary>
    public void PredictAgain(SampleLoader loader)
    {
        for (int place = 0; IsFilled && place < Count; place++) Place(place, this[place], loader, CancellationToken.None);
        Forget();
        decoder.Forward(_losses, _sums, _logits);
    }

    /// <summary>Samples that are in place will not be seen.</summary>
    public void Forget() => Clear(_next);

    public void Dispose()
    {
        Clear(_seen);
        Clear(_next);
    }

    void Place(int place, TrainingSample sample, SampleLoader loader, CancellationToken interrupted)
    {
        towers.Condition(sample.Spec, _condition, interrupted);
        TensorPrimitives.ConvertTruncating<byte, float>(sample.Target, _target);
        towers.Features(sample, loader, features => decoder.Place(place, features, _condition, _target), interrupted);
    }

    /// <summary>What is in place is seen now.</summary>
    void Turn()
    {
        Clear(_seen);
        (_seen, _next) = (_next, _seen);
    }

    static void Clear(List<TrainingSample> samples)
    {
        foreach (TrainingSample sample in samples) sample.Dispose();
        samples.Clear();
    }
}
