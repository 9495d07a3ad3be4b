using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;

namespace ClipSegNative.Tests;

/// <summary>Runs build.ps1 in this process; <c>dotnet</c> is a function that notes its arguments.</summary>
public class BuildScriptTests
{
    static readonly string Script = Repository.PathOf("build.ps1");

    [Fact]
    public void Script_Parses_WithoutErrors()
    {
        Parser.ParseFile(Script, out _, out ParseError[] errors);
        Assert.Empty(errors);
    }

    [Theory]
    [InlineData("build", "build|ClipSegNative.sln|-c|Release")]
    [InlineData("test", "test|--solution|ClipSegNative.sln|-c|Release")]
    [InlineData("pack", "pack|ClipSegNative.csproj|-c|Release|-o|artifacts", "pack|Cli.csproj|-c|Release|-o|artifacts")]
    public void Task_Calls_Dotnet(string task, params string[] calls)
    {
        Assert.Equal(calls, Run(exitCode: 0, ("Task", task)));
    }

    [Fact]
    public void Publish_ForARuntime_NamesIt()
    {
        string call = Assert.Single(Run(exitCode: 0, ("Task", "publish"), ("Runtime", "linux-x64")));
        Assert.Equal("publish|Cli.csproj|-c|Release|-r|linux-x64|--self-contained|-o|linux-x64", call);
    }

    [Fact]
    public void Publish_ForAnInstructionSet_CompilesAheadOfTime()
    {
        string call = Assert.Single(Run(exitCode: 0, ("Task", "publish"), ("Runtime", "linux-x64"), ("InstructionSet", "x86-64-v3")));
        Assert.Equal("publish|Cli.csproj|-c|Release|-r|linux-x64|-p:PublishAot=true|-p:IlcInstructionSet=x86-64-v3|-o|linux-x64-x86-64-v3", call);
    }

    [Fact]
    public void Configuration_IsPassedOn() => Assert.Equal(["build|ClipSegNative.sln|-c|Debug"], Run(exitCode: 0, ("Task", "build"), ("Configuration", "Debug")));

    [Fact]
    public void DotnetFails_Script_Throws()
    {
        var error = Assert.ThrowsAny<RuntimeException>(() => Run(exitCode: 1, ("Task", "build")));
        Assert.Contains("exit code 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UnknownTask_IsRefused() => Assert.ThrowsAny<ParameterBindingException>(() => Run(exitCode: 0, ("Task", "dance")));

    /// <returns>What dotnet was called with, paths reduced to their last part.</returns>
    static string[] Run(int exitCode, params ReadOnlySpan<(string Name, string Value)> parameters)
    {
        using Runspace runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
        runspace.Open();
        using var shell = PowerShell.Create(runspace);
        shell.AddScript($$"""
            $global:calls = [Collections.Generic.List[string]]::new()
            function global:dotnet { $global:calls.Add(($args | ForEach-Object { [IO.Path]::GetFileName("$_") }) -join '|'); $global:LASTEXITCODE = {{exitCode}} }
            """).Invoke();
        shell.Commands.Clear();
        shell.AddCommand(Script);
        foreach ((string name, string value) in parameters) shell.AddParameter(name, value);
        shell.Invoke();
        shell.Commands.Clear();
        Collection<PSObject> calls = shell.AddScript("$global:calls").Invoke();
        return [.. calls.Select(call => call.ToString())];
    }
}
