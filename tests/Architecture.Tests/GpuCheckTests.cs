using System.Diagnostics;

namespace ClipSegNative.Tests;

/// <summary>The program that goes to a machine with a GPU, interpreting here.</summary>
public sealed class GpuCheckTests
{
    [Theory]
    [InlineData(0, "ops", "f32", "Add")]
    [InlineData(0, "ops", "bf16", "Attention")]
    [InlineData(0, "layers", "f32", "LayerNorm")]
    [InlineData(1, "ops", "f32", "Subtract")]
    [InlineData(2, "ops", "f8")]
    public void Program_Interpreting_Ends(int exitCode, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "gpu-checks.dll"), .. arguments, "--interpret"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == exitCode, output);
        if (exitCode == 0) Assert.EndsWith("1 checks, 0 failed\n", output);
    }
}
