using ClipSegNative.Data;
using ClipSegNative.Tensors;

namespace ClipSegNative.Evaluation;

/// <summary>What became of a task.</summary>
enum Outcome
{
    Evaluated,

    /// <summary>There is no prediction.</summary>
    Missing,

    /// <summary>Its target is smaller than what was asked for.</summary>
    LeftOut,
}

/// <param name="Outcome">What became of it.</param>
/// <param name="Share">Of the picture that its target covers, at the picture's own size.</param>
/// <param name="Counts">At the one threshold, at the protocol's size; only of an evaluated task.</param>
readonly record struct TaskScore(Outcome Outcome, double Share, PixelCounts Counts);

/// <summary>Judges predictions task by task and keeps the sums: its memory does not grow. Not thread-safe.</summary>
/// <param name="protocol">At which size, against which masks.</param>
/// <param name="threshold">What a probability must exceed to count as found.</param>
/// <param name="leastShare">Targets that cover less of the picture are left out; those of phrases that name nothing are kept.</param>
sealed class Evaluator(EvaluationProtocol protocol, float threshold, double leastShare)
{
    /// <summary>The side of the square at which CLIPSeg's authors compare.</summary>
    public const int ClipSegSide = 352;

    readonly Dictionary<string, PhraseCutMetrics> _subsets = [];
    byte[] _native = [];

    public EvaluationProtocol Protocol => protocol;

    /// <summary>What a probability must exceed to count as found.</summary>
    public float Threshold => threshold;

    /// <summary>At 49 thresholds; filled by <see cref="EvaluationProtocol.ClipSeg"/> only.</summary>
    public ThresholdMetrics Thresholds { get; } = new();

    public PhraseCutMetrics Official { get; } = new();

    public PlainMetrics Plain { get; } = new();

    public IReadOnlyDictionary<string, PhraseCutMetrics> Subsets => _subsets;

    public int Missing { get; private set; }

    public int LeftOut { get; private set; }

    /// <summary>Evaluated phrases that name nothing in their picture.</summary>
    public int EmptyTargets { get; private set; }

    /// <summary>Those of <see cref="EmptyTargets"/> for which nothing was found.</summary>
    public int EmptyMasks { get; private set; }

    /// <summary>Judges one task.</summary>
    /// <param name="task">With its instances.</param>
    /// <param name="width">Of the picture, in pixels.</param>
    /// <param name="height">Of the picture, in pixels.</param>
    /// <param name="predict">Asked only where the task is not left out; null where there is no prediction.</param>
    /// <exception cref="PictureException">The prediction has another size than the picture; nothing is counted.</exception>
    public TaskScore Add(PhraseTask task, int width, int height, Func<Prediction?> predict)
    {
        double[][] polygons = [.. task.Instances!.SelectMany(instance => instance)];
        Span<byte> target = Draw(polygons, width, height);
        double share = target.Count((byte)1) / (double)target.Length;
        if (polygons.Length > 0 && share < leastShare)
        {
            LeftOut++;
            return new TaskScore(Outcome.LeftOut, share, default);
        }
        if (predict() is not { } prediction) return AddMissing(share);

        RequireSize(prediction, width, height);
        PixelCounts counts = protocol == EvaluationProtocol.PhraseCut
            ? PixelCounts.Of(prediction.Probabilities, target, Level(prediction))
            : CountSquare(prediction, target, width, height);
        Official.Add(counts);
        Plain.Add(counts);
        foreach (string name in PhraseSubsets.Of(task, share))
        {
            if (!_subsets.TryGetValue(name, out PhraseCutMetrics? subset)) _subsets[name] = subset = new PhraseCutMetrics();
            subset.Add(counts);
        }
        if (polygons.Length == 0)
        {
            EmptyTargets++;
            if (counts.Found == 0) EmptyMasks++;
        }
        return new TaskScore(Outcome.Evaluated, share, counts);
    }

    /// <summary>Notes a task that there is no prediction of.</summary>
    /// <param name="share">Of the picture that its target covers, if that is known.</param>
    public TaskScore AddMissing(double share = 0)
    {
        Missing++;
        return new TaskScore(Outcome.Missing, share, default);
    }

    Span<byte> Draw(double[][] polygons, int width, int height)
    {
        int pixels = checked(width * height);
        if (_native.Length < pixels) _native = new byte[pixels];
        Span<byte> mask = _native.AsSpan(0, pixels);
        mask.Clear();
        foreach (double[] polygon in polygons)
        {
            if (protocol == EvaluationProtocol.PhraseCut) PolygonRaster.FillOfficial(polygon, width, height, mask);
            else PolygonRaster.FillInside(polygon, width, height, mask);
        }
        return mask;
    }

    void RequireSize(Prediction prediction, int width, int height)
    {
        if (prediction.Width == width && prediction.Height == height) return;
        bool square = protocol == EvaluationProtocol.ClipSeg;
        if (square && prediction.Width == ClipSegSide && prediction.Height == ClipSegSide) return;
        throw new PictureException($"{prediction.Name} has {prediction.Width} x {prediction.Height} pixels, but its picture has {width} x {height}"
            + (square ? $" (or give {ClipSegSide} x {ClipSegSide})." : "."));
    }

    PixelCounts CountSquare(Prediction prediction, ReadOnlySpan<byte> target, int width, int height)
    {
        byte[] squareTarget = new byte[ClipSegSide * ClipSegSide];
        PolygonRaster.ResizeNearest(target, width, height, squareTarget, ClipSegSide, ClipSegSide);
        float[] square = Square(prediction);
        ThresholdCounts counts = ThresholdCounts.Of(square, squareTarget);
        Thresholds.Add(counts);
        return PixelCounts.Of(square, squareTarget, Level(prediction));
    }

    /// <summary>Nothing exceeds infinity: of a phrase that the model says is not there, nothing is found.</summary>
    float Level(Prediction prediction) => prediction.IsAbsent ? float.PositiveInfinity : threshold;

    /// <summary>Probabilities are resized as the authors do, bilinearly with half-pixel centres; masks stay masks.</summary>
    static float[] Square(Prediction prediction)
    {
        (int width, int height) = (prediction.Width, prediction.Height);
        if (width == ClipSegSide && height == ClipSegSide) return prediction.Probabilities;
        if (prediction.IsMask)
        {
            byte[] mask = [.. prediction.Probabilities.Select(value => (byte)value)], resized = new byte[ClipSegSide * ClipSegSide];
            PolygonRaster.ResizeNearest(mask, width, height, resized, ClipSegSide, ClipSegSide);
            return [.. resized.Select(value => (float)value)];
        }
        var square = new float[ClipSegSide * ClipSegSide];
        MapResizer.Bilinear(prediction.Probabilities, height, width, square, ClipSegSide, ClipSegSide, scratch: new float[height * ClipSegSide]);
        return square;
    }
}
