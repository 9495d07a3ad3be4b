namespace ClipSegNative.Cli.Tests;

/// <summary>Nothing here is timed: who waits for what would otherwise never come gives up after a while.</summary>
public sealed class StageTests(TinyModel model) : IDisposable
{
    static readonly TimeSpan Never = TimeSpan.FromSeconds(60);

    readonly TestFolder _folder = new();

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Results_FirstInHand_MakesTheNextMeanwhileAndNoMoreThanAllowed()
    {
        int made = 0;
        using var third = new ManualResetEventSlim();
        var stage = new Stage<int>(Numbers(), ahead: 1, Token);
        using (IEnumerator<int> results = stage.Results(Token).GetEnumerator())
        {
            Assert.True(results.MoveNext());
            Assert.True(third.Wait(Never, Token), "Nothing was made while a result was in hand.");
            Assert.Equal(3, Volatile.Read(ref made));   // one in hand, one waits, one has just been made
            for (int expected = 0; expected < 10; expected++)
            {
                Assert.Equal(expected, results.Current);
                Assert.Equal(expected < 9, results.MoveNext());
            }
        }
        stage.Wait();

        IEnumerable<int> Numbers()
        {
            for (int i = 0; i < 10; i++)
            {
                if (Interlocked.Increment(ref made) == 3) third.Set();
                yield return i;
            }
        }
    }

    [Fact]
    public void Results_WorkFails_GivesWhatWasMadeAndThenTheError()
    {
        var stage = new Stage<int>(Numbers(), ahead: 4, Token);
        var taken = new List<int>();
        Assert.Throws<IOException>(() =>
        {
            foreach (int number in stage.Results(Token)) taken.Add(number);
        });
        Assert.Equal([0, 1], taken);

        static IEnumerable<int> Numbers()
        {
            yield return 0;
            yield return 1;
            throw new IOException("broken");
        }
    }

    [Fact]
    public void Wait_Stopped_EndsWhileNobodyTakes()
    {
        using var stop = new CancellationTokenSource();
        var stage = new Stage<int>(Enumerable.Range(0, int.MaxValue), ahead: 1, stop.Token);
        stop.Cancel();
        stage.Wait();
        Assert.ThrowsAny<OperationCanceledException>(() => stage.Results(Token).Count());
    }

    /// <summary>
    /// While the results of the first picture are being written, the model gets on by two (one waits, one is finished and would), behind them one picture
    /// waits, unpacked, and the next is asked for: the fifth, from the pipe. Were pictures segmented only after the one before is written, it would not be.
    /// </summary>
    [Fact]
    public void Infer_ResultsInWriting_GoesOnWithThePicturesBehind()
    {
        string[] pictures = [.. Enumerable.Range(0, 4).Select(i => _folder.Picture($"{i}.png", seed: i))];
        using var input = new AskedStream(File.ReadAllBytes(_folder.Picture("piped.png", seed: 9)));
        bool overlaps = false;
        using var error = new WatchingWriter(line => { if (line.Contains("0.png:", StringComparison.Ordinal)) overlaps = input.Asked.Wait(Never, Token); });
        using var output = new MemoryStream();
        var host = new Host(input, output, error, Token);
        string[] arguments = model.InferArguments([.. pictures, "-", "-t", "x", "-o", _folder["out"], "--verbose"]);
        Assert.True(CommandLine.Run(arguments, host) == 0, error.ToString());
        Assert.True(overlaps, "The fifth picture was not asked for while the first was being written.");
        Assert.Equal(5, _folder.Files("out").Length);

        model.Infer([.. pictures, "-t", "x", "-o", _folder["alone"]]).Expect(ExitCode.Ok);
        for (int i = 0; i < pictures.Length; i++)
            Assert.Equal(File.ReadAllBytes(_folder[$"alone/{i}.x.mask.png"]), File.ReadAllBytes(_folder[$"out/{i}.x.mask.png"]));
    }

    sealed class AskedStream(byte[] bytes) : MemoryStream(bytes)
    {
        public ManualResetEventSlim Asked { get; } = new();

        public override bool CanSeek => false;

        public override int Read(byte[] buffer, int offset, int count)
        {
            Asked.Set();
            return base.Read(buffer, offset, count);
        }

        public override int Read(Span<byte> buffer)
        {
            Asked.Set();
            return base.Read(buffer);
        }

        protected override void Dispose(bool disposing)
        {
            Asked.Dispose();
            base.Dispose(disposing);
        }
    }
}
