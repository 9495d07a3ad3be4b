namespace ClipSegNative.Cli.Tests;

public sealed class DataTests : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Scenes_Evaluated_GiveEmptyRatesAndScores()
    {
        CommandResult made = InProcess.Run("data", "scenes", "--out", _folder["s"], "--count", "12", "--seed", "3", "--size", "48").Expect(ExitCode.Ok);
        Assert.Contains("12 scenes", made.Error, StringComparison.Ordinal);
        string[] files = _folder.Files("s");
        Assert.Equal(12, files.Count(file => file.StartsWith("images/", StringComparison.Ordinal)));
        foreach (string name in new[] { "seen", "unseen", "unseen_shapes", "relations", "negative", "nearmiss", "train" }) Assert.Contains($"refer_{name}.json", files);
        Assert.Contains("captions.json", files);
    }

    [Theory]
    [InlineData("--count is '0'; it must be", "--count", "0")]
    [InlineData("--count is 'many'; it must be", "--count", "many")]
    [InlineData("--size is '8'; it must be", "--count", "1", "--size", "8")]
    public void Scenes_ValuesOutOfRange_AreRefused(string expected, params string[] arguments)
    {
        CommandResult result = InProcess.Run(["data", "scenes", "--out", _folder["s"], .. arguments]).Expect(ExitCode.Usage);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["s"]));
    }

    [Fact]
    public void Scenes_FolderThatIsNotEmpty_IsLeftAlone()
    {
        string kept = _folder.Text("mine.txt", "mine");
        CommandResult result = InProcess.Run("data", "scenes", "--out", _folder.Location, "--count", "1").Expect(ExitCode.Usage);
        Assert.Contains("is not empty", result.Error, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(kept));
        Assert.Equal(["mine.txt"], _folder.Files());
    }
}
