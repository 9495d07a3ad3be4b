using System.Diagnostics;

namespace ClipSegNative.Cli.Tests;

/// <summary>The built program as users start it.</summary>
static class RealProgram
{
    public const string Cli = "clipseg-native.dll";

    /// <summary>With all three streams redirected.</summary>
    public static Process Start(string folder, string[] arguments, string program = Cli)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, program), .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start)!;
    }

    /// <summary>As Ctrl-C does.</summary>
    public static async Task InterruptAsync(this Process process)
    {
        using Process kill = Process.Start("kill", ["-INT", $"{process.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }
}
