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

    [Theory, InlineData("int8"), InlineData("f16-weights")]
    public void Infer_OtherPrecision_IsUsed(string precision)
    {
        CommandResult result = model.Infer(_folder.Picture("cat.png"), "-t", "a cat", "--precision", precision).Expect(ExitCode.Ok);
        if (CpuInstructionSets.Best == CpuInstructionSet.Portable && precision == "int8") Assert.Contains("warning: int8 needs AVX2", result.Error, StringComparison.Ordinal);
        else Assert.Matches($@"cpu, .*, 1 thread, {precision}\n$", result.Error);
    }

    /// <summary>Given as an option or by the environment: the file is made, and a second run gives the same mask without a word.</summary>
    [Theory, InlineData(true), InlineData(false)]
    public void Infer_PackedWeights_AreKeptInTheFolder(bool byVariable)
    {
        string picture = _folder.Picture("cat.png"), folder = _folder["packed"], mask = _folder["cat.a-cat.mask.png"];
        var variables = new Dictionary<string, string> { ["CLIPSEG_MODEL"] = model.Location };
        string[] arguments = ["infer", picture, "-t", "a cat"];
        if (byVariable) variables["CLIPSEG_PACKED_WEIGHTS"] = folder;
        else arguments = [.. arguments, "--packed-weights", folder];
        InProcess.Run(arguments, variables: variables).Expect(ExitCode.Ok);
        byte[] expected = File.ReadAllBytes(mask);
        File.Delete(mask);
        Assert.Single(Directory.GetFiles(folder));
        CommandResult second = InProcess.Run(arguments, variables: variables).Expect(ExitCode.Ok);
        Assert.Equal(expected, File.ReadAllBytes(mask));
        Assert.DoesNotContain("warning", second.Error, StringComparison.Ordinal);
        File.WriteAllText(Directory.GetFiles(folder)[0], "not weights");
        Assert.Contains("made anew", InProcess.Run(arguments, variables: variables).Expect(ExitCode.Ok).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Info_CpuKernels_DisassemblesEveryOne()
    {
        CommandResult result = InProcess.Run("info", "--cpu-kernels").Expect(ExitCode.Ok);
        Assert.Equal(2 * 28, result.Lines.Count(line => line.EndsWith(" ret", StringComparison.Ordinal)));
        Assert.Equal(3 * 105, result.Lines.Count(line => line.Contains("vpdpbusd", StringComparison.Ordinal)));
        Assert.Contains("vdpbf16ps zmm27,zmm29,[r12+r8]{1to16}", result.Text, StringComparison.Ordinal);
        InProcess.Run("info", "--cpu-kernels", "--json").Expect(ExitCode.Usage);
    }

    [Fact]
    public void Infer_UnknownPrecision_NamesThoseThereAre()
    {
        CommandResult result = model.Infer(_folder.Picture("cat.png"), "-t", "a cat", "--precision", "fp8").Expect(ExitCode.Usage);
        Assert.Contains("--precision is 'fp8'; it must be fp32", result.Error, StringComparison.Ordinal);
    }
}
