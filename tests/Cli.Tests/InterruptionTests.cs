using ClipSegNative.Imaging;

namespace ClipSegNative.Cli.Tests;

public sealed class InterruptionTests(TinyModel model) : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Infer_InterruptedAfterThreePictures_LeavesThoseWholeAndNothingElse()
    {
        for (int i = 0; i < 10; i++) _folder.Picture($"in/{i}.png");
        using var interruption = new CancellationTokenSource();
        using var error = new WatchingWriter(line => { if (line.Contains("2.png:", StringComparison.Ordinal)) interruption.Cancel(); });
        CommandResult result = InProcess.Run(
            model.InferArguments(_folder["in"], "-t", "x", "-o", _folder["out"], "--verbose"), error: error, interrupted: interruption.Token);
        result.Expect(ExitCode.Interrupted);
        Assert.Equal(["0.x.mask.png", "1.x.mask.png", "2.x.mask.png"], _folder.Files("out"));
        foreach (string file in _folder.Files("out")) Assert.Equal(40, ImageReader.Read(_folder["out/" + file]).Width);
    }

    [Fact]
    public void Infer_InterruptedWhileWaitingForThePipe_Ends()
    {
        using var interruption = new CancellationTokenSource(TimeSpan.FromSeconds(0.3));
        using var input = new SilentStream();
        using var error = new StringWriter();
        var host = new Host(input, Stream.Null, error, interruption.Token);
        Assert.Equal((int)ExitCode.Interrupted, CommandLine.Run(model.InferArguments("-", "-t", "x", "-o", "-"), host));
        Assert.EndsWith("interrupted\n", error.ToString().ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_InterruptedInside_LeavesTheOldFileAndNoTemporaryOne()
    {
        _folder.Text("map.npy", "old");
        using var interruption = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => AtomicFile.Write(_folder["map.npy"], stream =>
        {
            var interruptible = new InterruptibleStream(stream, interruption.Token);
            interruptible.Write("half"u8);
            interruption.Cancel();
            interruptible.Write("rest"u8);
        }));
        Assert.Equal(["map.npy"], _folder.Files());
        Assert.Equal("old", File.ReadAllText(_folder["map.npy"]));
    }

    [Fact]
    public void WeightsInit_Interrupted_WritesNoWeights()
    {
        using var interruption = new CancellationTokenSource();
        interruption.Cancel();
        InProcess.Run(["weights", "init", "--preset", "clipseg-rd16", "--out", _folder["model"]], interrupted: interruption.Token).Expect(ExitCode.Interrupted);
        Assert.DoesNotContain(_folder.Files("model"), file => file.Contains("safetensors", StringComparison.Ordinal));
    }

    /// <summary>A pipe on which nothing comes.</summary>
    sealed class SilentStream : MemoryStream
    {
        readonly ManualResetEventSlim _closed = new();

        public override bool CanSeek => false;

        public override int Read(byte[] buffer, int offset, int count)
        {
            _closed.Wait();
            return 0;
        }

        protected override void Dispose(bool disposing)
        {
            _closed.Set();
            base.Dispose(disposing);
        }
    }
}

/// <summary>Collects lines, and shows each to somebody first.</summary>
sealed class WatchingWriter(Action<string> watch) : StringWriter
{
    public override void WriteLine(string? value)
    {
        base.WriteLine(value);
        watch(value ?? "");
    }
}
