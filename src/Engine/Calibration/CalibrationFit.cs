using ClipSegNative.Evaluation;

namespace ClipSegNative.Calibration;

/// <summary>
/// Fits threshold, presence score and presence threshold to a model's answers. Exact and without chance: every pair of one of the 49 thresholds and a
/// presence threshold that parts the samples differently is looked at.
/// </summary>
static class CalibrationFit
{
    /// <summary>
    /// The highest mean IoU of present phrases among all pairs that meet the floors. Where none does: the pair that comes nearest to the two floors of
    /// empty masks, by the smaller share of its floor, among those that keep the floor of mean IoU; an answer of empty masks only is never the result.
    /// </summary>
    /// <param name="samples">At least one present and one absent or nearly missed.</param>
    /// <param name="floors">What each side must keep.</param>
    /// <exception cref="ArgumentException">One side is missing.</exception>
    public static SegmentationConfig Fit(IReadOnlyList<CalibrationSample> samples, CalibrationFloors floors)
    {
        int[] counts = [.. Enum.GetValues<PhraseKind>().Select(kind => samples.Count(sample => sample.Kind == kind))];
        if (counts[(int)PhraseKind.Present] == 0 || counts[(int)PhraseKind.Present] == samples.Count)
            throw new ArgumentException("A calibration needs phrases that name something in their picture, and others that do not.", nameof(samples));
        PresenceModel presence = FitPresence(samples, counts);
        (CalibrationSample Sample, float Score)[] ordered = [.. samples.Select(sample => (sample, presence.Score(sample.Features))).OrderBy(pair => pair.Item2)];
        Candidate[] candidates = [.. Enumerable.Range(0, ThresholdCounts.Count).SelectMany(index => Candidates(ordered, index, counts))];
        double most = Enumerable.Range(0, ThresholdCounts.Count).Max(index => MeanIoU(samples, index, counts));
        Candidate[] useful = [.. candidates.Where(candidate => candidate.MeanIoU > 0 && candidate.MeanIoU >= floors.KeptIoU * most)];
        // Without a single pixel hit at any threshold there is nothing to keep.
        if (useful.Length == 0) useful = candidates;
        Candidate[] meeting = [.. useful.Where(candidate => candidate.AbsentEmpty >= floors.AbsentEmpty && candidate.NearMissEmpty >= floors.NearMissEmpty)];
        Candidate best = meeting.Length > 0 ? meeting.MaxBy(candidate => candidate.MeanIoU)! : useful.MaxBy(candidate => (Nearness(candidate, floors), candidate.MeanIoU))!;
        return new SegmentationConfig
        {
            Threshold = (float)ThresholdCounts.Threshold(best.Index),
            Presence = presence,
            PresenceThreshold = best.Presence,
            Fitted = new CalibrationOutcome(
                counts[0], counts[1], counts[2], best.MeanIoU, best.AbsentEmpty, best.NearMissEmpty, FloorsMet: meeting.Length > 0 && most > 0),
        };
    }

    /// <summary>Present and other phrases count the same in total, as do absent ones and near misses: 0.5 says "as likely as not" where half are there.</summary>
    static PresenceModel FitPresence(IReadOnlyList<CalibrationSample> samples, int[] counts)
    {
        int others = counts[1..].Count(count => count > 0);
        double[] importance = [.. samples.Select(sample => 0.5 / counts[(int)sample.Kind] / (sample.Kind == PhraseKind.Present ? 1 : others))];
        double[] weights = LogisticRegression.Fit(
            [.. samples.Select(sample => sample.Features.ToArray())], [.. samples.Select(sample => sample.Kind == PhraseKind.Present)], importance);
        return new PresenceModel(weights[0], weights[1], weights[2], weights[3]);
    }

    /// <summary>All ways to part the samples by their score, the lowest presence threshold first, at one threshold.</summary>
    static IEnumerable<Candidate> Candidates((CalibrationSample Sample, float Score)[] ordered, int index, int[] counts)
    {
        var kept = new int[counts.Length];   // whose mask is not empty
        double iou = 0;
        int present = counts[0];
        foreach ((CalibrationSample sample, _) in ordered)
        {
            if (sample.Kind == PhraseKind.Present) iou += sample.Ious[index];
            if (sample.Levels > index) kept[(int)sample.Kind]++;
        }
        yield return Make(0);
        for (int i = 0; i < ordered.Length; i++)
        {
            (CalibrationSample sample, float score) = ordered[i];
            if (sample.Kind == PhraseKind.Present)
            {
                iou -= sample.Ious[index];
                present--;
            }
            if (sample.Levels > index) kept[(int)sample.Kind]--;
            // Halfway to the next one; equal scores cannot be parted.
            float next = i + 1 < ordered.Length ? ordered[i + 1].Score : 1, between = score + (next - score) / 2;
            if (between > score && between <= next) yield return Make(between);
        }

        // What sums and differences leave of nothing is not to count as something.
        Candidate Make(float presence) => new(index, presence, present == 0 ? 0 : Math.Max(0, iou) / counts[0], Empty(1), Empty(2));

        double Empty(int kind) => counts[kind] == 0 ? 1 : 1 - kept[kind] / (double)counts[kind];
    }

    static double MeanIoU(IReadOnlyList<CalibrationSample> samples, int index, int[] counts) =>
        samples.Where(sample => sample.Kind == PhraseKind.Present).Sum(sample => sample.Ious[index]) / counts[0];

    static double Nearness(Candidate candidate, CalibrationFloors floors) =>
        Math.Min(Share(candidate.AbsentEmpty, floors.AbsentEmpty), Share(candidate.NearMissEmpty, floors.NearMissEmpty));

    static double Share(double value, double floor) => floor > 0 ? Math.Min(1, value / floor) : 1;

    sealed record Candidate(int Index, float Presence, double MeanIoU, double AbsentEmpty, double NearMissEmpty);
}
