using System.Diagnostics;
using System.Text.Json;

namespace ClipSegNative.Cli.Tests;

/// <summary>The built program as users start it: what a test inside the process cannot see.</summary>
public sealed class ProcessTests(TinyModel model) : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Infer_FromPipeWithoutOut_WritesIntoTheCurrentFolder()
    {
        byte[] picture = await File.ReadAllBytesAsync(_folder.Picture("cat.png"), TestContext.Current.CancellationToken);
        Directory.CreateDirectory(_folder["here"]);
        (int code, string output, string error) = await RunAsync(picture, model.InferArguments("-", "-t", "ein Bär", "--json", "--output", "mask"));
        Assert.True(code == 0, error);
        JsonElement line = JsonDocument.Parse(output).RootElement;
        Assert.Equal("stdin.ein-bär.mask.png", line.GetProperty("results")[0].GetProperty("mask").GetString());
        Assert.Equal(["stdin.ein-bär.mask.png"], _folder.Files("here"));
        Assert.EndsWith("1 thread\n", error.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.DoesNotContain('\e', output + error);
    }

    [Fact]
    public async Task Run_UnknownOption_GivesTwo()
    {
        Directory.CreateDirectory(_folder["here"]);
        (int code, string output, string error) = await RunAsync([], ["infer", "--bogus"]);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains("--bogus", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infer_SignalWhileWaiting_EndsWithinASecondWith130()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are sent with kill.");
        Directory.CreateDirectory(_folder["here"]);
        using Process process = Start(model.InferArguments("-", "-t", "x", "-o", "-"));
        // Once the device is named, the model is loaded and the picture is waited for.
        string? first = await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.StartsWith("device auto", first, StringComparison.Ordinal);
        long sent = Stopwatch.GetTimestamp();
        await process.InterruptAsync();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(130, process.ExitCode);
        Assert.Equal("interrupted", await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken));
        Assert.InRange(Stopwatch.GetElapsedTime(sent).TotalSeconds, 0, 2);   // a second, and what a busy machine adds
        Assert.Empty(_folder.Files("here"));
    }

    /// <summary>The sample in samples/, on what <c>weights init</c> makes.</summary>
    [Fact]
    public async Task LatencyLoop_ForHalfASecond_PrintsPercentilesOfEachStep()
    {
        Directory.CreateDirectory(_folder["here"]);
        (int code, string output, string error) = await RunAsync([], [model.Location, _folder.Picture("cat.png"), "0.5", "a cat", "x"], "LatencyLoop.dll");
        Assert.True(code == 0, error);
        Assert.Contains("frames of 30 x 22; a cat, x", output, StringComparison.Ordinal);
        foreach (string step in new[] { "encode", "ask", "frame" })
            Assert.Matches($@"(?m)^{step}: \d+ frames, p50 [\d.]+ ms, p95 [\d.]+ ms, p99 [\d.]+ ms, worst [\d.]+ ms\r?\n  +[\d.]+ - +[\d.]+ ms +\d+", output);
        Assert.Contains("\n0 bytes allocated by ", output.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    async Task<(int Code, string Output, string Error)> RunAsync(byte[] input, string[] arguments, string program = "clipseg-native.dll")
    {
        using Process process = Start(arguments, program);
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.StandardInput.BaseStream.WriteAsync(input, TestContext.Current.CancellationToken);
        process.StandardInput.Close();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await error);
    }

    Process Start(string[] arguments, string program = RealProgram.Cli) => RealProgram.Start(_folder["here"], arguments, program);
}
