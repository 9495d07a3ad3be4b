using System.Diagnostics;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Text.RegularExpressions;

namespace ClipSegNative.Tests;

/// <summary>The PTX that is shipped.</summary>
public class KernelTests
{
    static readonly string Folder = Repository.PathOf("src/Kernels/ptx");

    public static TheoryData<string> Modules => [.. Directory.GetFiles(Folder, "*.ptx").Select(path => Path.GetFileName(path))];

    [Theory, MemberData(nameof(Modules))]
    public void Ptx_IsForEveryDevice_AndKeepsNothingInLocalMemory(string module)
    {
        string text = File.ReadAllText(Path.Combine(Folder, module));
        Assert.Contains(".version 7.0\n", text);
        Assert.Contains(".target sm_80\n", text);
        Assert.DoesNotContain(".local", text);
        Assert.DoesNotContain("call.uni", text);
        string family = Path.GetFileNameWithoutExtension(module);
        Assert.All(Regex.Matches(text, @"\.entry\s+(\w+)\("), match => Assert.StartsWith($"{family}_", match.Groups[1].Value));
    }

    [Fact]
    public void Ptx_CompiledAgain_IsTheSame()
    {
        Assert.SkipUnless(HasClang(), "clang-19 is not installed.");
        string again = Directory.CreateTempSubdirectory("ptx").FullName;
        try
        {
            using Runspace runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
            runspace.Open();
            using var shell = PowerShell.Create(runspace);
            shell.AddCommand(Repository.PathOf("build.ps1")).AddParameter("Task", "kernels").AddParameter("Output", again).Invoke();
            Assert.Empty(shell.Streams.Error);
            string[] committed = [.. Directory.GetFiles(Folder).Select(path => Path.GetFileName(path)).Order()];
            Assert.Equal(committed, Directory.GetFiles(again).Select(path => Path.GetFileName(path)).Order());
            Assert.All(committed, name => Assert.True(
                File.ReadAllBytes(Path.Combine(Folder, name)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(again, name))), $"{name} is not what its source compiles to."));
        }
        finally
        {
            Directory.Delete(again, recursive: true);
        }
    }

    static bool HasClang()
    {
        try
        {
            using Process? process = Process.Start(new ProcessStartInfo("clang-19", "--version") { RedirectStandardOutput = true });
            process?.WaitForExit();
            return process?.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
