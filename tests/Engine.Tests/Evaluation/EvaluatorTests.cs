using ClipSegNative.Data;
using ClipSegNative.Evaluation;

namespace ClipSegNative.Tests.Evaluation;

public class EvaluatorTests
{
    const int Side = 10;

    static readonly double[] Square = [2, 2, 5, 2, 5, 5, 2, 5];   // 16 pixels with its border

    [Fact]
    public void Add_PhraseCut_ComparesAtThePicturesSize()
    {
        var evaluator = new Evaluator(EvaluationProtocol.PhraseCut, threshold: 0.3f, leastShare: 0);
        var probabilities = new float[Side * Side];
        for (int i = 0; i < probabilities.Length; i++) probabilities[i] = i / Side is >= 2 and <= 5 && i % Side is >= 2 and <= 5 ? 0.31f : 0.3f;
        TaskScore score = evaluator.Add(Task([[Square]]), Side, Side, () => Found(probabilities));
        Assert.Equal(new TaskScore(Outcome.Evaluated, 0.16, new PixelCounts(16, 0, 0, 84)), score);
        Assert.Equal((1, 1), (evaluator.Official.MeanIoU, evaluator.Plain.Dice));
        Assert.Equal(["i_single", "s_mid"], evaluator.Subsets.Keys);
    }

    [Fact]
    public void Add_ClipSeg_ComparesAt352WithTheAuthorsMasks()
    {
        var evaluator = new Evaluator(EvaluationProtocol.ClipSeg, threshold: 0.3f, leastShare: 0);
        var mask = new float[Side * Side];
        for (int i = 0; i < mask.Length; i++) mask[i] = i / Side is >= 2 and <= 5 && i % Side is >= 2 and <= 5 ? 1 : 0;
        PixelCounts counts = evaluator.Add(Task([[Square]]), Side, Side, () => Found(mask) with { IsMask = true }).Counts;
        Assert.Equal((0, 0), (counts.FalsePositives, counts.FalseNegatives));
        Assert.Equal(Evaluator.ClipSegSide * Evaluator.ClipSegSide, counts.Union + counts.TrueNegatives);
        Assert.Equal(counts.TruePositives / (1.0 + counts.TruePositives), evaluator.Thresholds.MeanIoU(14));

        // The same as probabilities has soft edges, so that the threshold matters.
        evaluator.Add(Task([[Square]]), Side, Side, () => Found(mask));
        Assert.True(evaluator.Thresholds.ForegroundIoU(24) > evaluator.Thresholds.ForegroundIoU(0));
    }

    /// <summary>At the one threshold nothing is found; the 49 look at the map.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Add_PhraseThatTheModelCallsAbsent_FindsNothing(bool square)
    {
        var evaluator = new Evaluator(square ? EvaluationProtocol.ClipSeg : EvaluationProtocol.PhraseCut, threshold: 0.3f, leastShare: 0);
        Prediction all = Found([.. Enumerable.Repeat(0.9f, Side * Side)]) with { IsAbsent = true };
        Assert.Equal(0, evaluator.Add(Task([[Square]]), Side, Side, () => all).Counts.Found);
        Assert.Equal(0, evaluator.Add(Task([]), Side, Side, () => all).Counts.Found);
        Assert.Equal((0, 1, 1), (evaluator.Official.MeanIoU, evaluator.EmptyTargets, evaluator.EmptyMasks));
        if (square) Assert.InRange(evaluator.Thresholds.MeanIoU(14), 0.01, 1);
    }

    [Fact]
    public void Add_AlreadySquare_IsTakenAsItIs()
    {
        var evaluator = new Evaluator(EvaluationProtocol.ClipSeg, threshold: 0.5f, leastShare: 0);
        float[] all = [.. Enumerable.Repeat(0.6f, Evaluator.ClipSegSide * Evaluator.ClipSegSide)];
        Prediction prediction = new("a.npy", all, Evaluator.ClipSegSide, Evaluator.ClipSegSide, IsMask: false);
        Assert.Equal(all.Length, evaluator.Add(Task([[Square]]), Side, Side, () => prediction).Counts.Found);
    }

    [Fact]
    public void Add_SmallTarget_IsLeftOutBeforeItIsPredicted()
    {
        var evaluator = new Evaluator(EvaluationProtocol.PhraseCut, threshold: 0.3f, leastShare: 0.17);
        TaskScore score = evaluator.Add(Task([[Square]]), Side, Side, () => throw new InvalidOperationException());
        Assert.Equal((Outcome.LeftOut, 1, 0), (score.Outcome, evaluator.LeftOut, evaluator.Official.Tasks));
    }

    [Fact]
    public void Add_NoPrediction_IsMissing()
    {
        var evaluator = new Evaluator(EvaluationProtocol.PhraseCut, threshold: 0.3f, leastShare: 0);
        Assert.Equal(Outcome.Missing, evaluator.Add(Task([[Square]]), Side, Side, () => null).Outcome);
        Assert.Equal((1, 0), (evaluator.Missing, evaluator.Official.Tasks));
    }

    [Fact]
    public void Add_NothingThere_CountsEmptyMasks()
    {
        var evaluator = new Evaluator(EvaluationProtocol.PhraseCut, threshold: 0.3f, leastShare: 0.5);
        evaluator.Add(Task([]), Side, Side, () => Found(new float[Side * Side]));
        evaluator.Add(Task([]), Side, Side, () => Found([.. new float[Side * Side - 1], 1]));
        Assert.Equal((2, 1), (evaluator.EmptyTargets, evaluator.EmptyMasks));
        Assert.Equal(0, evaluator.Official.MeanIoU);
        Assert.Equal(0.5, evaluator.Plain.IntersectionOverUnion);
    }

    [Theory]
    [InlineData((int)EvaluationProtocol.PhraseCut)]
    [InlineData((int)EvaluationProtocol.ClipSeg)]
    public void Add_OtherSize_IsRefusedAndNotCounted(int protocol)
    {
        var evaluator = new Evaluator((EvaluationProtocol)protocol, threshold: 0.3f, leastShare: 0);
        string message = Assert.Throws<PictureException>(() => evaluator.Add(Task([[Square]]), Side + 1, Side, () => Found(new float[Side * Side]))).Message;
        Assert.StartsWith("found.npy has 10 x 10 pixels, but its picture has 11 x 10", message, StringComparison.Ordinal);
        Assert.Equal((0, 0), (evaluator.Official.Tasks, evaluator.Missing));
    }

    static Prediction Found(float[] probabilities) => new("found.npy", probabilities, Side, Side, IsMask: false);

    static PhraseTask Task(double[][][] instances) => new("1__2", 1, "a square", instances, [], Structure: null);
}
