using ClipSegNative.Backends.Cpu;
using ClipSegNative.Tests.Conformance;

namespace ClipSegNative.Tests.Models.ClipSeg;

/// <summary>Every tensor of the reference implementation, for text and image prompts, on every CPU path.</summary>
public class ReferenceParityTests
{
    const float Absolute = 2e-5f, Relative = 1e-4f;

    public static TheoryData<string, string> ModelsAndPaths => new MatrixTheoryData<string, string>(
        ["clipseg-tiny-simple", "clipseg-tiny-refined"], Enum.GetNames<CpuInstructionSet>());

    [Theory, MemberData(nameof(ModelsAndPaths))]
    public void Forward_TinyModel_EqualsEveryReferenceTensor(string name, string path)
    {
        var set = Enum.Parse<CpuInstructionSet>(path);
        CpuBackends.SkipUnlessTested(set);
        using var model = new FixtureModel(name, CpuBackend.Create(set, threads: 2));
        Dictionary<string, float[]> computed = model.Compute();

        Assert.Equal(2 * (1 + 1) + (model.Config.Vision.Layers + 1) + model.Config.ExtractLayers.Count, computed.Count);
        foreach ((string tensor, float[] values) in computed)
        {
            float[] expected = model.Values($"expected.{tensor}");
            Assert.Equal(expected.Length, values.Length);
            double worst = 0;
            for (int i = 0; i < values.Length; i++)
                worst = Math.Max(worst, Math.Abs(values[i] - expected[i]) / (Absolute + Relative * Math.Abs(expected[i])));
            Assert.True(worst <= 1, $"{tensor}: off by {worst:F2} times the tolerance.");
            TestContext.Current.TestOutputHelper?.WriteLine($"{tensor}: {worst:P1} of the tolerance");
        }
    }
}
