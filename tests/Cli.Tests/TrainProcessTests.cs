using System.Diagnostics;
using ClipSegNative.Training;
using ClipSegNative.Weights;

namespace ClipSegNative.Cli.Tests;

/// <summary>Training that is ended from outside.</summary>
public sealed class TrainProcessTests(TinyModel model) : IDisposable
{
    const int Kills = 20;

    readonly TrainingFolder _folder = new(model);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Train_KilledAtRandomMoments_ResumesToTheSameBytes()
    {
        string[] settings =
        [
            "--steps", "500", "--loss", "bce+dice", "--save-every", "3", "--val", _folder["refer.json"], "--validate-every", "10", "--samples", "1",
            "--feature-cache-disk", "1", "--flip",
        ];
        _folder.Train("whole", [.. settings, "--quiet"]).Expect(ExitCode.Ok);

        var random = new Random(20);
        int run = 0, kills = 0;
        for (; kills < Kills; kills++)
        {
            using Process process = Start($"run{run}", settings);
            // Once in four while the program starts or the folder is made; else while it trains, which the first line announces.
            if (kills % 4 > 0) await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken);
            Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            bool ended = process.WaitForExit(random.Next(kills % 4 > 0 ? 1500 : 1000));
            if (!ended) process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(!ended || process.ExitCode == 0, await error);
            string stage = File.Exists(new RunFolder(_folder[$"run{run}"]).Last) ? CheckReadable($"run{run}") : "before the first checkpoint";
            TestContext.Current.TestOutputHelper?.WriteLine(ended ? "ended by itself" : $"killed: {stage}");
            if (ended) CheckSame($"run{run++}");
        }
        using Process last = Start($"run{run}", settings);
        string said = await last.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await last.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(last.ExitCode == 0, said);
        CheckSame($"run{run}");
    }

    [Fact]
    public async Task Train_Interrupted_SavesAndEndsWith130()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are sent with kill.");
        using Process process = Start("run", ["--steps", "100000", "--samples", "0", "--save-every", "100000", "--val", _folder["refer.json"], "--validate-every", "5"]);
        string? line;
        do line = await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken);
        while (line is not null && !line.StartsWith("step 5:", StringComparison.Ordinal));
        Assert.NotNull(line);
        await process.InterruptAsync();
        Assert.Contains("saved at step ", await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(130, process.ExitCode);
        using var saved = new SafetensorsFile(_folder["run/last.safetensors"]);
        Assert.InRange(int.Parse(saved.Metadata["step"]), 5, 99_999);
    }

    /// <summary>Begins a run, or goes on with it once it has its settings.</summary>
    Process Start(string run, string[] settings) => RealProgram.Start(
        AppContext.BaseDirectory,
        File.Exists(new RunFolder(_folder[run]).Settings) ? ["train", "--resume", _folder[run]] : _folder.Arguments(run, settings));

    /// <summary>Checkpoint and model; says where the run stands.</summary>
    string CheckReadable(string run)
    {
        Segmenter.Load(_folder[run], new SegmenterOptions { Threads = 1 }).Dispose();
        using var last = new SafetensorsFile(new RunFolder(_folder[run]).Last);
        return $"step {last.Metadata["step"]}";
    }

    void CheckSame(string run)
    {
        foreach (string name in new[] { "best.safetensors", "last.safetensors" }) Assert.Equal(_folder.Bytes($"whole/{name}"), _folder.Bytes($"{run}/{name}"));
        Assert.Equal(_folder.Metrics("whole"), _folder.Metrics(run));
    }
}
