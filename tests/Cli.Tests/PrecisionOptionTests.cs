using ClipSegNative.Backends.Cpu;

namespace ClipSegNative.Cli.Tests;

public sealed class PrecisionOptionTests(TinyModel model) : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>It is computed in, or a line says why not; quiet or not, and wherever the precision was given.</summary>
    [Theory, InlineData(true), InlineData(false)]
    public void Infer_Bf16_IsUsedOrWarnedOf(bool byVariable)
    {
        var variables = new Dictionary<string, string> { ["CLIPSEG_MODEL"] = model.Location };
        string[] arguments = ["infer", _folder.Picture("cat.png"), "-t", "a cat"];
        if (byVariable) variables["CLIPSEG_PRECISION"] = "bf16";
        else arguments = [.. arguments, "--precision", "bf16"];
        CommandResult result = InProcess.Run(arguments, variables: variables).Expect(ExitCode.Ok);
        if (ProcessorFeatures.Avx512Bf16) Assert.Matches(@"cpu, AVX-512, \d+ threads?, bf16\n$", result.Error);
        else Assert.Contains("warning: bf16 needs a processor with AVX512_BF16", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Infer_UnknownPrecision_NamesThoseThereAre()
    {
        CommandResult result = model.Infer(_folder.Picture("cat.png"), "-t", "a cat", "--precision", "fp8").Expect(ExitCode.Usage);
        Assert.Contains("--precision is 'fp8'; it must be fp32", result.Error, StringComparison.Ordinal);
    }
}
