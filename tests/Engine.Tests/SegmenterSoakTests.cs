using System.Diagnostics;
using ClipSegNative.Imaging;
using ClipSegNative.Tests.Imaging;

namespace ClipSegNative.Tests;

/// <summary>Alone, as it takes every core: other tests' times and allocations would not be their own.</summary>
[CollectionDefinition(nameof(SegmenterSoakTests), DisableParallelization = true)]
public sealed class SegmenterSoakCollection : ICollectionFixture<TinyModel>;

[Collection(nameof(SegmenterSoakTests))]
public sealed class SegmenterSoakTests(TinyModel model, ITestOutputHelper output)
{
    /// <summary>How long the callers go on; 10 unless the variable says otherwise.</summary>
    const string SecondsVariable = "CLIPSEG_SOAK_SECONDS";

    const int Callers = 64, Pictures = 5;

    static readonly string[] Phrases = ["a cat", "the wooden table", "sky", "x", "a red ball on the left"];

    static readonly Picture[] Noise = [.. Enumerable.Range(0, Pictures).Select(seed => Picture.FromRgb(PictureFixtures.Noise(90 * 60 * 3, seed), 90, 60, 270))];

    /// <summary>
    /// Callers encode and ask as they like; every result must be what one thread gets, bit for bit. Every eighth caller cancels about half of its calls.
    /// </summary>
    [Fact]
    public void Segment_SixtyFourCallers_RightAnswersWithoutGrowth()
    {
        TimeSpan duration = TimeSpan.FromSeconds(int.Parse(Environment.GetEnvironmentVariable(SecondsVariable) ?? "10"));
        using Segmenter segmenter = Segmenter.Load(model.Folder);
        float[][][] expected = [.. Noise.Select(picture => Ask(segmenter, picture))];

        var callers = new Caller[Callers];
        var clock = Stopwatch.StartNew();
        for (int i = 0; i < Callers; i++) callers[i] = new Caller(segmenter, expected, seed: i, cancels: i % 8 == 0, clock, duration);
        Thread.Sleep(duration / 4);   // warm by then
        long heap = GC.GetTotalMemory(forceFullCollection: true);
        foreach (Caller caller in callers) caller.Join();
        long growth = GC.GetTotalMemory(forceFullCollection: true) - heap;

        Caller[] steady = [.. callers.Where(caller => !caller.Cancels)];
        long warmCalls = steady.Sum(caller => caller.WarmCalls), warmBytes = steady.Sum(caller => caller.WarmBytes);
        double slowest = callers.Max(caller => caller.SlowestCancellation.TotalMilliseconds);
        output.WriteLine($"{callers.Sum(caller => caller.Calls)} calls, {callers.Sum(caller => caller.Cancelled)} cancelled, which took at most {slowest:0} ms; "
            + $"{warmBytes} bytes allocated by {warmCalls} warm calls; heap grew by {growth} bytes; "
            + $"{steady.Min(caller => caller.Calls)} to {steady.Max(caller => caller.Calls)} calls a caller");
        Assert.All(callers, caller => Assert.Null(caller.Failure));
        Assert.All(callers, caller => Assert.True(caller.Calls > caller.Cancelled));
        Assert.True(callers.Sum(caller => caller.Cancelled) > 0);
        Assert.InRange(growth, long.MinValue, 1 << 20);
        // Collections take pooled arrays away now and then: some kilobytes, but not at every call.
        Assert.InRange(warmBytes / (double)warmCalls, 0, 64);
        Assert.InRange(slowest, 0, 2000);
        Assert.Equal(expected[0], Ask(segmenter, Noise[0]));
    }

    static float[][] Ask(Segmenter segmenter, Picture picture)
    {
        using EncodedImage image = segmenter.Encode(picture);
        return [.. image.Segment(Phrases).Select(result => result.Logits.ToArray())];
    }

    sealed class Caller
    {
        readonly Thread _thread;
        readonly Segmenter _segmenter;
        readonly float[][][] _expected;
        readonly Random _random;
        readonly Stopwatch _clock;
        readonly TimeSpan _duration;

        public Caller(Segmenter segmenter, float[][][] expected, int seed, bool cancels, Stopwatch clock, TimeSpan duration)
        {
            (_segmenter, _expected, _random, Cancels, _clock, _duration) = (segmenter, expected, new Random(seed), cancels, clock, duration);
            _thread = new Thread(Run);
            _thread.Start();
        }

        public bool Cancels { get; }

        public long Calls { get; private set; }

        public long Cancelled { get; private set; }

        /// <summary>Of the second half of the time.</summary>
        public long WarmCalls { get; private set; }

        public long WarmBytes { get; private set; }

        public TimeSpan SlowestCancellation { get; private set; }

        public Exception? Failure { get; private set; }

        public void Join() => _thread.Join();

        void Run()
        {
            try
            {
                int picture = _random.Next(Pictures);
                using EncodedImage image = _segmenter.Encode(Noise[picture]);
                Segmentation[][] results = [.. Enumerable.Range(0, Phrases.Length + 1).Select(_segmenter.NewResults)];
                while (_clock.Elapsed < _duration)
                {
                    long before = GC.GetAllocatedBytesForCurrentThread();
                    if (Cancels && _random.Next(2) == 0) CallAndCancel(image, ref picture, results);
                    else Call(image, ref picture, results, CancellationToken.None);
                    Calls++;
                    if (_clock.Elapsed < _duration / 2) continue;
                    WarmCalls++;
                    WarmBytes += GC.GetAllocatedBytesForCurrentThread() - before;
                }
            }
#pragma warning disable CA1031 // It fails the test, not the process.
            catch (Exception error) { Failure = error; }
#pragma warning restore CA1031
        }

        void CallAndCancel(EncodedImage image, ref int picture, Segmentation[][] results)
        {
            using var source = new CancellationTokenSource();
            TimeSpan at = TimeSpan.MaxValue;
            using CancellationTokenRegistration noted = source.Token.Register(() => at = _clock.Elapsed);
            source.CancelAfter(TimeSpan.FromMilliseconds(_random.Next(20)));
            try { Call(image, ref picture, results, source.Token); }
            catch (OperationCanceledException)
            {
                Cancelled++;
                TimeSpan returned = _clock.Elapsed;
                noted.Dispose();   // where the call was faster than the note of its cancellation, there is none
                if (returned - at is var late && late > SlowestCancellation) SlowestCancellation = late;
            }
        }

        /// <summary>One in three calls encodes another picture first.</summary>
        void Call(EncodedImage image, ref int picture, Segmentation[][] results, CancellationToken cancellation)
        {
            if (_random.Next(3) == 0)
            {
                int next = _random.Next(Pictures);
                _segmenter.Encode(Noise[next], image, cancellation);
                picture = next;
            }
            int first = _random.Next(Phrases.Length), count = _random.Next(1, Phrases.Length - first + 1);
            image.Segment(Phrases.AsSpan(first, count), results[count], cancellation);
            for (int i = 0; i < count; i++)
                if (!results[count][i].Logits.SequenceEqual(_expected[picture][first + i])) throw new InvalidOperationException($"Picture {picture}, '{Phrases[first + i]}': another result.");
        }
    }
}
