using System.Diagnostics;
using System.Text.RegularExpressions;

namespace ClipSegNative.Tests;

/// <summary>The README says what is so.</summary>
public partial class ReadmeTests
{
    static readonly string Readme = File.ReadAllText(Repository.PathOf("README.md"));

    [Fact]
    public void CSharpExample_IsTheCompiledOne()
    {
        string example = Regex.Match(Readme, "```csharp\n(.*?)```", RegexOptions.Singleline).Groups[1].Value;
        string compiled = File.ReadAllText(Repository.PathOf("tests", "Architecture.Tests", "ReadmeExample.cs")).ReplaceLineEndings("\n");
        Assert.NotEmpty(example);
        Assert.Contains(string.Concat(example.TrimEnd().Split('\n').Select(line => $"        {line}\n")), compiled, StringComparison.Ordinal);
    }

    [Fact]
    public void Links_LeadToFiles()
    {
        string[] links = [.. LocalLink().Matches(Readme).Select(match => match.Groups[1].Value)];
        Assert.True(links.Length >= 5);
        Assert.All(links, link => Assert.True(File.Exists(Repository.PathOf(link)), $"{link} is not there."));
    }

    [Fact]
    public void TestCommand_TestsTheSolution() => Assert.Equal("dotnet test --solution ClipSegNative.sln -c Release", Command("test"));

    [Fact]
    public async Task RunCommand_OnAFreshFolder_WritesMasks()
    {
        string folder = Directory.CreateTempSubdirectory("clipseg-readme").FullName;
        try
        {
            await RunAsync(folder);
            Assert.Equal(Phrases.Length, Directory.GetFiles(Path.Combine(folder, "out"), "*.mask.png").Length);
            Assert.Equal(Phrases.Length, Directory.GetFiles(Path.Combine(folder, "out"), "*.overlay.png").Length);
        }
        finally { Directory.Delete(folder, recursive: true); }
    }

    /// <summary>What the first command looks for.</summary>
    internal static string[] Phrases => [.. Phrase().Matches(Command("run")).Select(match => match.Groups[1].Value)];

    /// <summary>The first command in an empty folder, each part of it with the tool that these tests were built with instead of <c>dotnet run</c>.</summary>
    internal static async Task RunAsync(string folder)
    {
        const string Prefix = "dotnet run -c Release --project src/Cli -- ";
        foreach (string part in Command("run").Split(" && "))
        {
            Assert.StartsWith(Prefix, part, StringComparison.Ordinal);
            var start = new ProcessStartInfo("dotnet", $"\"{Path.Combine(AppContext.BaseDirectory, "clipseg-native.dll")}\" {part[Prefix.Length..]}")
            {
                WorkingDirectory = folder,
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            };
            using Process process = Process.Start(start)!;
            Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            string words = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(process.ExitCode == 0, words);
            Assert.Empty(await output);
        }
    }

    static string Command(string name)
    {
        Match match = Regex.Match(Readme, $"<!-- command: {name} -->\n```sh\n(.*)\n```");
        Assert.True(match.Success, $"README.md has no command marked '{name}'.");
        return match.Groups[1].Value;
    }

    [GeneratedRegex("-t \"([^\"]+)\"")]
    private static partial Regex Phrase();

    [GeneratedRegex(@"\]\((?!https?:)([^)#]+)\)")]
    private static partial Regex LocalLink();
}
