using ClipSegNative.Backends;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Conformance;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Backends;

/// <summary>Losses against the reference implementation's, and where they are not finite.</summary>
public sealed class MaskLossTests(CpuBackends backends) : IClassFixture<CpuBackends>
{
    static readonly MaskLosses All = new() { CrossEntropy = 1, Dice = 1, Focal = 1, Tversky = 1 };

    public static TheoryData<string, string, string> Fixtures =>
        new(from model in new[] { "clipseg-tiny-simple", "clipseg-tiny-refined" }
            from loss in new[] { "bce", "dice", "bce_dice" }
            from backend in CpuBackends.Names
            select (model, loss, backend));

    [Theory, MemberData(nameof(Fixtures))]
    public void MaskLoss_ReferenceLogits_AgreesWithPyTorch(string model, string loss, string path)
    {
        using var file = new SafetensorsFile(TestData.Fixture(model, "case.safetensors"));
        float[] logits = Values(file, "expected.logits"), targets = Values(file, "target"), expected = Values(file, $"expected.loss.{loss}");
        file.TryFind("target", out WeightEntry target);
        var losses = new MaskLosses { CrossEntropy = loss.Contains("bce") ? 1 : 0, Dice = loss.Contains("dice") ? 1 : 0 };
        float[] results = Compute(path, logits, targets, target.Shape[0], losses).Losses;
        Assert.Equal(1, results.Average() / expected[0], 1e-6);
    }

    /// <summary>What a map's sums see, all of its gradient sees; cross-entropy alone keeps to the pixel.</summary>
    [Theory, MemberData(nameof(CpuBackends.Sets), MemberType = typeof(CpuBackends))]
    public void MaskLoss_NotANumber_StaysInItsMap(string set)
    {
        float[] logits = [.. Enumerable.Repeat(0.5f, 80)], targets = new float[80];
        logits[17] = float.NaN;
        Computed all = Compute(set, logits, targets, maps: 2, All), crossEntropy = Compute(set, logits, targets, maps: 2, new() { CrossEntropy = 1 });
        Assert.Equal([true, false], all.Losses.Select(float.IsNaN));
        Assert.Equal([true, false], crossEntropy.Losses.Select(float.IsNaN));
        Assert.Equal(Enumerable.Range(0, 80).Select(i => i < 40), all.Gradients.Select(float.IsNaN));
        Assert.Equal(Enumerable.Range(0, 80).Select(i => i == 17), crossEntropy.Gradients.Select(float.IsNaN));
    }

    [Theory, MemberData(nameof(CpuBackends.Sets), MemberType = typeof(CpuBackends))]
    public void MaskLoss_InfiniteAndRight_CostsNothing(string set)
    {
        Computed computed = Compute(set, [float.PositiveInfinity, float.NegativeInfinity, 1e30f, -1e30f], [1, 0, 1, 0], maps: 1, All);
        Assert.InRange(computed.Losses[0], 0, 1e-7);
        Assert.All(computed.Gradients, gradient => Assert.InRange(Math.Abs(gradient), 0, 1e-30f));
    }

    [Theory, MemberData(nameof(CpuBackends.Sets), MemberType = typeof(CpuBackends))]
    public void MaskLoss_InfiniteAndWrong_IsInfinite(string set)
    {
        float[] logits = [float.PositiveInfinity, float.NegativeInfinity, 1, -1], targets = [0, 1, 0, 1];
        Assert.Equal(float.PositiveInfinity, Compute(set, logits, targets, maps: 1, new() { CrossEntropy = 1 }).Losses[0]);
        Assert.Equal(float.PositiveInfinity, Compute(set, logits, targets, maps: 1, new() { Focal = 1 }).Losses[0]);
        Assert.InRange(Compute(set, logits, targets, maps: 1, new() { Dice = 1 }).Losses[0], 0.5f, 1);
        Assert.All(Compute(set, logits, targets, maps: 1, new() { CrossEntropy = 1, Dice = 1, Tversky = 1 }).Gradients, gradient => Assert.True(float.IsFinite(gradient)));
    }

    /// <summary>Without smoothing the ratios of an empty map are 0 / 0; a loss without weight must not bring that in.</summary>
    [Fact]
    public void MaskLoss_UndefinedRatioWithoutWeight_IsLeftOut()
    {
        Computed computed = Compute("Portable", [float.NegativeInfinity, float.NegativeInfinity], [0, 0], maps: 1, new() { CrossEntropy = 1, Smoothing = 0 });
        Assert.InRange(computed.Losses[0], 0, 1e-30f);
        Assert.All(computed.Gradients, gradient => Assert.InRange(gradient, 0, 1e-30f));
    }

    Computed Compute(string path, float[] logits, float[] targets, int maps, MaskLosses losses)
    {
        IBackend backend = backends.Get(path);
        using var space = new OpWorkspace(backend, path);
        int pixels = logits.Length / maps;
        Tensor z = space.Given(logits, maps, pixels), t = space.Given(targets, maps, pixels);
        Tensor sums = space.Output(maps, MaskLosses.Sums), y = space.Output(maps, 1), dLogits = space.Output(maps, pixels);
        backend.MaskLoss(z, t, losses, sums, y);
        backend.MaskLossBackward(z, t, sums, losses, 1, dLogits);
        var computed = new Computed(new float[maps], new float[logits.Length]);
        backend.Download(y, computed.Losses);
        backend.Download(dLogits, computed.Gradients);
        return computed;
    }

    static float[] Values(SafetensorsFile file, string name)
    {
        Assert.True(file.TryFind(name, out WeightEntry entry), name);
        return entry.Singles().ToArray();
    }

    sealed record Computed(float[] Losses, float[] Gradients);
}
