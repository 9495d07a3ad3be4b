using System.Numerics.Tensors;
using ClipSegNative.Data;
using ClipSegNative.Evaluation;
using ClipSegNative.Models.ClipSeg;

namespace ClipSegNative.Training;

/// <summary>What a validation found.</summary>
/// <param name="Loss">Mean over phrases.</param>
/// <param name="BestIou">Mean over phrases at the threshold that is best for all of them.</param>
/// <param name="BestThreshold">That threshold.</param>
/// <param name="FixedIou">Mean over phrases at <see cref="Segmentation.DefaultThreshold"/>.</param>
/// <param name="Collapse">See <see cref="CollapseGuard"/>; null where answers differ.</param>
sealed record ValidationResult(double Loss, double BestIou, double BestThreshold, double FixedIou, string? Collapse);

/// <summary>Judges the decoder on plain phrases and whole pictures, at the working size.</summary>
sealed class Validation(SampleLoader loader, MicroBatch batch, DecoderTraining decoder)
{
    static readonly int FixedIndex = Nearest(Segmentation.DefaultThreshold);

    /// <param name="step">For messages.</param>
    /// <param name="count">How many phrases.</param>
    /// <param name="seen">Gets each phrase's number, sample and probabilities.</param>
    /// <param name="interrupted">Looked at between pictures.</param>
    /// <exception cref="TrainingException">A loss is not finite.</exception>
    public ValidationResult Run(long step, int count, Action<int, TrainingSample, ReadOnlySpan<float>> seen, CancellationToken interrupted)
    {
        var scores = new double[ThresholdCounts.Count];
        var answers = new List<PixelCounts>();
        double loss = 0;
        using IEnumerator<TrainingSample> samples = loader.Read(0, count, interrupted).GetEnumerator();
        while (batch.Fill(samples, loader, interrupted))
        {
            batch.Predict();
            for (int place = 0; place < batch.Count; place++)
            {
                TrainingSample sample = batch[place];
                Span<float> probabilities = batch.Logits(place);
                if (!float.IsFinite(batch.Losses[place])) throw Diagnosis.NotFinite("validation loss", batch.Losses[place], step, batch, loader, decoder);
                TensorPrimitives.Sigmoid(probabilities, probabilities);
                ThresholdCounts counts = ThresholdCounts.Of(probabilities, sample.Target);
                for (int i = 0; i < scores.Length; i++) scores[i] += counts[i].IntersectionOverUnion;
                seen(answers.Count, sample, probabilities);
                loss += batch.Losses[place];
                answers.Add(batch.Counts(place));
            }
        }
        int best = Array.IndexOf(scores, scores.Max());
        return new ValidationResult(
            loss / answers.Count, scores[best] / answers.Count, ThresholdCounts.Threshold(best), scores[FixedIndex] / answers.Count, CollapseGuard.Describe(answers));
    }

    static int Nearest(double threshold) => Enumerable.Range(0, ThresholdCounts.Count).MinBy(index => Math.Abs(ThresholdCounts.Threshold(index) - threshold));
}
