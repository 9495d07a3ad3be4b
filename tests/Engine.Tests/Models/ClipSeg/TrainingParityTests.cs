using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Tests.Conformance;
using ClipSegNative.Tests.Reference;

namespace ClipSegNative.Tests.Models.ClipSeg;

/// <summary>Training of the tiny decoders against the reference implementation and against double precision, on every CPU path.</summary>
public sealed class TrainingParityTests
{
    /// <summary>Of a loss, or of a tensor's largest gradient: against the reference after twenty steps, and against double precision before any.</summary>
    const double Tolerance = 1e-4, PreciseTolerance = 2e-5;

    /// <summary>Key biases have no influence, as softmax does not see what all its arguments share: their gradient is rounding, here and there.</summary>
    const double Rounding = 1e-9;

    static readonly string[] Models = ["clipseg-tiny-simple", "clipseg-tiny-refined"];

    static readonly Dictionary<string, MaskLosses> Losses = new()
    {
        ["bce"] = new MaskLosses { CrossEntropy = 1 },
        ["dice"] = new MaskLosses { Dice = 1 },
        ["bce_dice"] = new MaskLosses { CrossEntropy = 1, Dice = 1 },
    };

    public static TheoryData<string, string> ModelsAndPaths => new MatrixTheoryData<string, string>(Models, Enum.GetNames<CpuInstructionSet>());

    public static TheoryData<string, string> ModelsAndLosses => new MatrixTheoryData<string, string>(Models, Losses.Keys);

    [Theory, MemberData(nameof(ModelsAndLosses))]
    public void Accumulate_TinyModel_HasTheReferencesLossAndTheGradientOfDoublePrecision(string name, string loss)
    {
        using var precise = new FixtureTraining(name, new ReferenceBackend(rounds: false), Losses[loss]);
        Assert.Equal(precise.Expected($"loss.{loss}")[0], precise.Accumulate(), 1e-6);
        Dictionary<string, float[]> expected = precise.Gradients();
        foreach (CpuInstructionSet set in Enum.GetValues<CpuInstructionSet>().Where(CpuInstructionSets.IsSupported))
        {
            using var training = new FixtureTraining(name, CpuBackend.Create(set, threads: 2), Losses[loss]);
            Assert.Equal(training.Expected($"loss.{loss}")[0], training.Accumulate(), 1e-6);
            Compare(set, PreciseTolerance, expected, training.Gradients());
        }
    }

    /// <summary>
    /// The gradients that the fixtures hold are the same bits for all three losses: they were saved after the training below, so they are those of its last
    /// step.
    /// </summary>
    [Theory, MemberData(nameof(ModelsAndPaths))]
    public void Update_TwentySteps_FollowsTheReferenceToItsLastGradient(string name, string path)
    {
        var set = Enum.Parse<CpuInstructionSet>(path);
        CpuBackends.SkipUnlessTested(set);
        using var training = new FixtureTraining(name, CpuBackend.Create(set, threads: 2), Losses["dice"]);
        float[] losses = training.Expected("train.dice_losses"), rates = training.Expected("train.lrs");
        double worst = 0;
        for (int i = 0; i < losses.Length; i++) worst = Math.Max(worst, Math.Abs(training.Step(i + 1, rates[i]) / losses[i] - 1));
        TestContext.Current.TestOutputHelper?.WriteLine($"losses: {worst:G2} relative");
        Assert.True(worst <= Tolerance, $"A loss is off by {worst:G2} of it.");
        Compare(set, Tolerance, training.Decoder.Parameters.ToDictionary(tensor => tensor.Name, tensor => training.Expected($"grad.dice.{tensor.Name}")), training.Gradients());
    }

    static void Compare(CpuInstructionSet set, double tolerance, Dictionary<string, float[]> expected, Dictionary<string, float[]> gradients)
    {
        Assert.Equal(expected.Keys.Order(), gradients.Keys.Order());
        double worst = 0;
        foreach ((string name, float[] values) in expected)
        {
            double scale = values.Max(Math.Abs), difference = values.Zip(gradients[name], (e, v) => Math.Abs(e - v)).Max();
            Assert.True(difference <= tolerance * scale + Rounding, $"{set.Name()}, {name}: off by {difference:G3}, the largest being {scale:G3}.");
            if (scale > 10 * Rounding) worst = Math.Max(worst, difference / scale);
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{set.Name()}, gradients: {worst:G2} of a tensor's largest");
    }
}
