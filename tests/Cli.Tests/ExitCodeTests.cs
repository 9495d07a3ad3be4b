namespace ClipSegNative.Cli.Tests;

public sealed class ExitCodeTests(TinyModel model) : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_NoArguments_WelcomesInAboutTwelveLinesWithThreeExamples()
    {
        CommandResult result = InProcess.Run([]).Expect(ExitCode.Ok);
        Assert.InRange(result.Text.TrimEnd().Split('\n').Length, 9, 13);
        Assert.Equal(3, result.Lines.Count(line => line.StartsWith("  clipseg-native infer ", StringComparison.Ordinal)));
        Assert.Empty(result.Error);
    }

    [Fact]
    public void Help_AnyCommand_EndsWithTheExitCodes()
    {
        foreach (string[] command in (string[][])[[], ["infer"], ["evaluate"], ["tokenize"], ["weights", "init"], ["weights", "pull"], ["convert"], ["info"], ["doctor"], ["completion"]])
        {
            CommandResult result = InProcess.Run([.. command, "--help"]).Expect(ExitCode.Ok);
            foreach (ExitCode code in Enum.GetValues<ExitCode>()) Assert.Contains($"  {(int)code} ", result.Text, StringComparison.Ordinal);
            Assert.Empty(result.Error);
        }
    }

    [Fact]
    public void Help_Infer_TellsTheNamesOfResults() =>
        Assert.Contains("cat.a-cat.mask.png", InProcess.Run("infer", "--help").Text, StringComparison.Ordinal);

    [Fact]
    public void Version_PrintsOneLine() =>
        Assert.Matches(@"^\d+\.\d+\.\d+", Assert.Single(InProcess.Run("--version").Expect(ExitCode.Ok).Lines));

    [Theory]
    [InlineData("infer")]
    [InlineData("infer", "cat.jpg")]
    [InlineData("infer", "cat.jpg", "-t", " ")]
    [InlineData("infer", "cat.jpg", "-t", "x", "--threshold", "1")]
    [InlineData("infer", "cat.jpg", "-t", "x", "--threshold", "much")]
    [InlineData("infer", "cat.jpg", "-t", "x", "--device", "gpu")]
    [InlineData("infer", "cat.jpg", "-t", "x", "--device", "cuda:x")]
    [InlineData("infer", "cat.jpg", "-t", "x", "--threads", "0")]
    [InlineData("infer", "cat.jpg", "-t", "x", "--precision", "fp8")]
    [InlineData("infer", "cat.jpg", "-t", "x", "--size", "352")]
    [InlineData("infer", "cat.jpg", "-t", "x", "--cpu", "sse2")]
    [InlineData("infer", "cat.jpg", "-t", "x", "--bogus")]
    [InlineData("bogus")]
    [InlineData("weights")]
    [InlineData("convert", "a.pt")]
    [InlineData("convert", "a.pt", "out", "--extract-layers", "3,x")]
    [InlineData("convert", "a.pt", "out.safetensors", "--clip-vocab", "vocabulary")]
    [InlineData("completion", "tcsh")]
    public void Run_WrongUsage_GivesTwoAndNoData(params string[] arguments)
    {
        CommandResult result = InProcess.Run(arguments).Expect(ExitCode.Usage);
        Assert.Empty(result.Output);
        Assert.NotEmpty(result.Error);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Infer_UnknownOutput_NamesTheKinds()
    {
        CommandResult result = InProcess.Run("infer", "cat.jpg", "-t", "x", "--output", "mask,masks").Expect(ExitCode.Usage);
        Assert.Contains("'masks'", result.Error, StringComparison.Ordinal);
        Assert.Contains("mask, heatmap, overlay, cutout, json, npy, logits", result.Error, StringComparison.Ordinal);
        Assert.Contains("clipseg-native infer --help", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_NameThatLooksLikeAnOption_NeedsTwoDashes()
    {
        Assert.Contains("no option --fast", InProcess.Run("infer", "a.png", "-t", "x", "--fast").Expect(ExitCode.Usage).Error, StringComparison.Ordinal);
        CommandResult tokens = InProcess.Run("tokenize", "--model", model.Location, "--", "--fast").Expect(ExitCode.Ok);
        Assert.Equal("--fast", tokens.Json[0].GetProperty("text").GetString());
        model.Infer(_folder.Picture("a.png"), "-t", "-x").Expect(ExitCode.Ok);
        model.Infer(_folder.Picture("@b.png"), "-t", "@x").Expect(ExitCode.Ok);
    }

    [Fact]
    public void Infer_NoModel_SaysWhereItLookedAndWhatHelps()
    {
        string error = InProcess.Run("infer", _folder.Picture("a.png"), "-t", "x").Expect(ExitCode.ModelFile).Error;
        foreach (string part in (string[])["--model", "CLIPSEG_MODEL", "weights init --preset clipseg-rd64-refined --out", "model.safetensors"])
            Assert.Contains(part, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Infer_MissingModelFolder_NamesIt()
    {
        string error = InProcess.Run("infer", _folder.Picture("a.png"), "-t", "x", "--model", _folder["none"]).Expect(ExitCode.ModelFile).Error;
        Assert.Contains(_folder["none"], error, StringComparison.Ordinal);
    }

    [Fact]
    public void Infer_DamagedWeights_GivesFiveInOneLine()
    {
        foreach (string file in Directory.EnumerateFiles(model.Location)) File.Copy(file, _folder[Path.GetFileName(file)]);
        File.WriteAllBytes(_folder["model.safetensors"], [1, 2, 3]);
        CommandResult result = InProcess.Run("infer", _folder.Picture("a.png"), "-t", "x", "--model", _folder.Location).Expect(ExitCode.ModelFile);
        Assert.Single(result.Error.Trim().Split('\n'));
    }

    [Fact]
    public void Infer_Cuda_GivesFourInsteadOfFallingBack() =>
        Assert.Contains("CUDA", model.Infer(_folder.Picture("a.png"), "-t", "x", "--device", "cuda:99").Expect(ExitCode.Device).Error, StringComparison.Ordinal);

    [Fact]
    public void Infer_SizeThatIsNoMultipleOfAPatch_IsUsage() =>
        Assert.Contains("16-pixel", model.Infer(_folder.Picture("a.png"), "-t", "x", "--size", "65x64").Expect(ExitCode.Usage).Error, StringComparison.Ordinal);

    [Fact]
    public void Infer_EmptyFolder_IsUsage()
    {
        _folder.Text("notes.txt", "no picture");
        Assert.Contains("no picture", model.Infer(_folder.Location, "-t", "x").Expect(ExitCode.Usage).Error, StringComparison.Ordinal);
        model.Infer(_folder["*.jpg"], "-t", "x").Expect(ExitCode.Usage);
    }

    [Fact]
    public void Infer_MissingFile_IsAFailedInput()
    {
        CommandResult result = model.Infer(_folder["none.jpg"], "-t", "x").Expect(ExitCode.SomeInputsFailed);
        Assert.Contains("none.jpg does not exist", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Infer_EnvironmentVariables_AreUsedAndTheCommandLineWins()
    {
        string picture = _folder.Picture("a.png");
        Dictionary<string, string> variables = new() { ["CLIPSEG_MODEL"] = model.Location, ["CLIPSEG_DEVICE"] = "cuda:99", ["CLIPSEG_THREADS"] = "1" };
        InProcess.Run(["infer", picture, "-t", "x"], variables: variables).Expect(ExitCode.Device);
        CommandResult result = InProcess.Run(["infer", picture, "-t", "x", "--device", "cpu"], variables: variables).Expect(ExitCode.Ok);
        Assert.Contains("1 thread\n", result.Error, StringComparison.Ordinal);
        variables["CLIPSEG_THREADS"] = "many";
        result = InProcess.Run(["infer", picture, "-t", "x", "--device", "cpu"], variables: variables).Expect(ExitCode.Usage);
        Assert.Contains("CLIPSEG_THREADS", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Infer_Verbose_GivesTheTrace() =>
        Assert.Contains("   at ", InProcess.Run("infer", "a.png", "-t", "x", "--verbose").Expect(ExitCode.ModelFile).Error, StringComparison.Ordinal);
}
