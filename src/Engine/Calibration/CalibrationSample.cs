using ClipSegNative.Evaluation;

namespace ClipSegNative.Calibration;

/// <summary>Whether what a phrase names is in its picture.</summary>
enum PhraseKind
{
    Present,
    Absent,

    /// <summary>Absent, but something like it is there: the right colour and the wrong shape.</summary>
    NearMiss,
}

/// <summary>What a model answered to one phrase, as far as a calibration asks.</summary>
/// <param name="Kind">What the right answer is.</param>
/// <param name="Features">Of the logits.</param>
/// <param name="Ious">At each threshold of <see cref="ThresholdCounts"/>, by PhraseCut's rule; empty where the phrase names nothing.</param>
/// <param name="Levels">At how many of these thresholds, from the lowest on, anything is found.</param>
sealed record CalibrationSample(PhraseKind Kind, PresenceFeatures Features, double[] Ious, int Levels)
{
    /// <param name="kind">What the right answer is.</param>
    /// <param name="logits">The decoder's map.</param>
    /// <param name="probabilities">[height, width] of the picture.</param>
    /// <param name="target">[height, width] of 0 and 1.</param>
    public static CalibrationSample Of(PhraseKind kind, ReadOnlySpan<float> logits, ReadOnlySpan<float> probabilities, ReadOnlySpan<byte> target)
    {
        ThresholdCounts counts = ThresholdCounts.Of(probabilities, target);
        IEnumerable<int> all = Enumerable.Range(0, ThresholdCounts.Count);
        return new CalibrationSample(
            kind,
            PresenceFeatures.Of(logits),
            kind == PhraseKind.Present ? [.. all.Select(index => counts[index].OfficialIntersectionOverUnion)] : [],
            all.Count(index => counts[index].Found > 0));
    }
}

/// <summary>What a calibration must not give up for the sake of the rest; all in [0, 1].</summary>
/// <param name="AbsentEmpty">Share of absent phrases whose mask is empty.</param>
/// <param name="NearMissEmpty">Share of near misses whose mask is empty.</param>
/// <param name="KeptIoU">Share of the best mean IoU, that without any presence threshold, which present phrases keep.</param>
sealed record CalibrationFloors(double AbsentEmpty = 0.92, double NearMissEmpty = 0.7, double KeptIoU = 0.8);
