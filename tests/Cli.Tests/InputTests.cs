namespace ClipSegNative.Cli.Tests;

public sealed class InputTests(TinyModel model) : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Expand_Folder_TakesPicturesByNameAndLeavesResultsAndOthersOut()
    {
        foreach (string name in (string[])["b.JPG", "a.png", "c.webp", "notes.txt", "a.x.mask.png", "a.x.overlay.png", "inner/d.bmp"]) Touch(name);
        Assert.Equal(["a.png", "b.JPG", "c.webp"], Names(recursive: false, _folder.Location));
        Assert.Equal(["a.png", "b.JPG", "c.webp", "inner/d.bmp"], Names(recursive: true, _folder.Location));
    }

    [Fact]
    public void Expand_Patterns_MatchPartByPart()
    {
        foreach (string name in (string[])["p1/a.jpg", "p1/b.png", "p2/a.jpg", "p2/deep/er/a.jpg", "q/a.jpg", "p1/a.dat"]) Touch(name);
        Assert.Equal(["p1/a.jpg"], Names(recursive: false, _folder["p1/*.jpg"]));
        Assert.Equal(["p1/a.jpg", "p1/b.png"], Names(recursive: false, _folder["p1/*"]));
        Assert.Equal(["p1/a.jpg", "p2/a.jpg"], Names(recursive: false, _folder["p?/a.jpg"]));
        Assert.Equal(["p2/a.jpg", "p2/deep/er/a.jpg"], Names(recursive: false, _folder["p2/**/*.jpg"]));
        Assert.Equal(["p2/a.jpg", "p2/deep/er/a.jpg"], Names(recursive: true, _folder["p2/*.jpg"]));
        Assert.Equal(["p1/a.dat"], Names(recursive: false, _folder["p1/*.dat"]));
    }

    [Fact]
    public void Expand_SamePictureTwice_IsTakenOnce()
    {
        Touch("a.png");
        Assert.Equal(["a.png"], Names(recursive: false, _folder["a.png"], _folder.Location, _folder["*.png"]));
    }

    [Fact]
    public void Expand_PatternWithoutMatchAmongOthers_IsAFailedInput()
    {
        Touch("a.png");
        IReadOnlyList<PictureInput> inputs = PictureInputs.Expand([_folder["a.png"], _folder["*.webp"]], recursive: false);
        Assert.Equal([false, true], inputs.Select(input => input.Error is not null));
    }

    [Fact]
    public void Infer_FileNameWithWildcards_IsAFile()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows allows no such names.");
        model.Infer(_folder.Picture("what? *.png"), "-t", "a cat").Expect(ExitCode.Ok);
        Assert.Contains("what? *.a-cat.mask.png", _folder.Files());
    }

    [Fact]
    public void Infer_NamesWithSpacesAndOtherScripts_Work()
    {
        _folder.Picture("mein Ordner/猫 один.png");
        model.Infer(_folder["mein Ordner"], "-t", "eine Katze, 猫!", "-o", _folder["für dich"]).Expect(ExitCode.Ok);
        Assert.Equal(["猫 один.eine-katze-猫.mask.png"], _folder.Files("für dich"));
    }

    [Fact]
    public void Infer_RecursiveWithOut_KeepsInnerFoldersAndASecondRunTakesNoResults()
    {
        _folder.Picture("in/a.png");
        _folder.Picture("in/x/a.png");
        _folder.Picture("in/x/y/b.png");
        string[] arguments = [_folder["in"], "-t", "a cat", "-o", _folder["in/out"], "--recursive"];
        model.Infer(arguments).Expect(ExitCode.Ok);
        string[] expected = ["a.a-cat.mask.png", "x/a.a-cat.mask.png", "x/y/b.a-cat.mask.png"];
        Assert.Equal(expected, _folder.Files("in/out"));
        Assert.Contains("3 pictures", model.Infer(arguments).Expect(ExitCode.Ok).Error, StringComparison.Ordinal);
        Assert.Equal(expected, _folder.Files("in/out"));
    }

    [Fact]
    public void Infer_SameStem_KeepsTheExtensionInTheNames()
    {
        _folder.Picture("in/cat.png");
        File.Copy(_folder["in/cat.png"], _folder["in/cat.jpg"]);
        model.Infer(_folder["in"], "-t", "a cat", "-o", _folder["out"]).Expect(ExitCode.Ok);
        Assert.Equal(["cat.jpg.a-cat.mask.png", "cat.png.a-cat.mask.png"], _folder.Files("out"));
    }

    [Fact]
    public void Infer_SameNameFromTwoFolders_FailsTheSecond()
    {
        CommandResult result = model.Infer(_folder.Picture("a/cat.png"), _folder.Picture("b/cat.png"), "-t", "x", "-o", _folder["out"]);
        result.Expect(ExitCode.SomeInputsFailed);
        Assert.Contains("b/cat.png is left out", result.Error.Replace('\\', '/'), StringComparison.Ordinal);
        Assert.Single(_folder.Files("out"));
    }

    [Fact]
    public void Infer_ResultThatWouldReplaceAPicture_Fails()
    {
        byte[] before = File.ReadAllBytes(_folder.Picture("cat.x.mask.png"));
        model.Infer(_folder.Picture("cat.png"), _folder["cat.x.mask.png"], "-t", "x").Expect(ExitCode.SomeInputsFailed);
        Assert.Equal(before, File.ReadAllBytes(_folder["cat.x.mask.png"]));
    }

    [Fact]
    public void Infer_SkipExisting_DoesOnlyWhatIsMissing()
    {
        _folder.Picture("in/a.png");
        _folder.Picture("in/b.png");
        string[] arguments = [_folder["in"], "-t", "x", "-t", "y", "-o", _folder["out"], "--skip-existing"];
        model.Infer(arguments).Expect(ExitCode.Ok);
        File.WriteAllText(_folder["out/a.x.mask.png"], "kept");
        File.Delete(_folder["out/b.y.mask.png"]);
        string error = model.Infer(arguments).Expect(ExitCode.Ok).Error;
        Assert.Contains("1 picture, 2 masks, 1 skipped", error, StringComparison.Ordinal);
        Assert.Equal("kept", File.ReadAllText(_folder["out/a.x.mask.png"]));
        Assert.Equal(4, _folder.Files("out").Length);
        Assert.Contains("2 skipped", model.Infer(arguments).Expect(ExitCode.Ok).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a cat", "a-cat")]
    [InlineData("  The RED car!? ", "the-red-car")]
    [InlineData("Äpfel & Birnen", "äpfel-birnen")]
    [InlineData("हिन्दी", "हिन्दी")]
    [InlineData("../../etc", "etc")]
    [InlineData("?!", "phrase")]
    public void Slugs_OnePhrase_KeepsLettersAndDigits(string phrase, string slug) => Assert.Equal([slug], ResultPaths.Slugs([phrase]));

    [Fact]
    public void Slugs_Collisions_AreNumbered() =>
        Assert.Equal(["a-cat", "a-cat-2", "a-cat-2-2", "a-cat-3"], ResultPaths.Slugs(["a cat", "A cat!", "a cat 2", "a_cat"]));

    [Fact]
    public void Slugs_LongPhrase_IsCut() => Assert.Equal([new string('x', 60)], ResultPaths.Slugs([new string('x', 80)]));

    void Touch(string name)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        _folder.Text(name, "");
    }

    string[] Names(bool recursive, params string[] arguments) =>
        [.. PictureInputs.Expand(arguments, recursive).Select(input => Path.GetRelativePath(_folder.Location, input.Path!).Replace('\\', '/'))];
}
