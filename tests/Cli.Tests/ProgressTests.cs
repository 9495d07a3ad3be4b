namespace ClipSegNative.Cli.Tests;

public sealed class ProgressTests(TinyModel model) : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Infer_NoTerminal_SaysAPlainLineEveryTenSeconds()
    {
        for (int i = 0; i < 10; i++) _folder.Picture($"in/{i}.png");
        var clock = new ManualClock();
        using var error = new WatchingWriter(line => { if (line.Contains(".png:", StringComparison.Ordinal)) clock.Advance(TimeSpan.FromSeconds(4)); });
        string[] arguments = model.InferArguments(_folder["in"], "-t", "x", "-o", _folder["out"], "--verbose");
        CommandResult result = InProcess.Run(arguments, error: error, clock: clock).Expect(ExitCode.Ok);
        string[] lines = [.. result.Error.ReplaceLineEndings("\n").Split('\n').Where(line => line.Contains(" left", StringComparison.Ordinal))];
        Assert.Equal(
            [
                "3 of 10 pictures, 0.25 a second, about 00:00:28 left",
                "6 of 10 pictures, 0.25 a second, about 00:00:16 left",
                "9 of 10 pictures, 0.25 a second, about 00:00:04 left",
            ], lines);
    }

    [Fact]
    public void Infer_NoTerminal_WritesNoControlCodes()
    {
        _folder.Picture("in/a.png");
        _folder.Text("in/b.png", "bad");
        CommandResult result = model.Infer(_folder["in"], "-t", "x", "--json");
        Assert.DoesNotContain('\e', result.Error + result.Text);
        Assert.DoesNotContain('\r', result.Error + result.Text);
    }

    [Fact]
    public void Infer_Bar_DoesTheSameWorkAndStillReports()
    {
        _folder.Picture("in/a.png");
        _folder.Picture("in/c.png");
        _folder.Text("in/b [red].png", "bad");
        CommandResult result = InProcess.Run(model.InferArguments(_folder["in"], "-t", "x", "-o", _folder["out"]), terminal: true);
        result.Expect(ExitCode.SomeInputsFailed);
        Assert.Equal(2, _folder.Files("out").Length);
        Assert.Contains("b [red].png is not a picture", result.Error.ReplaceLineEndings(""), StringComparison.Ordinal);
    }

    sealed class ManualClock : TimeProvider
    {
        long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan time) => _now += time.Ticks;
    }
}
