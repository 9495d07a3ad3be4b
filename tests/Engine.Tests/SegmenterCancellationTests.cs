using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Backends.Planning;
using ClipSegNative.Imaging;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Imaging;

namespace ClipSegNative.Tests;

/// <summary>Calls that are cancelled, from a disposed segmenter, or asynchronous.</summary>
public sealed class SegmenterCancellationTests(TinyModel model) : IClassFixture<TinyModel>
{
    static readonly CancellationToken Cancelled = new(canceled: true);

    static readonly byte[] Png = PictureFixtures.Png(40, 30, PngKind.Rgb8, PictureFixtures.Noise(40 * 30 * 3));

    static Picture Noise(int seed) => Picture.FromRgb(PictureFixtures.Noise(40 * 30 * 3, seed), 40, 30, 120);

    [Fact]
    public void Run_CancelledBetweenOperations_StopsThereAndRunsAfresh()
    {
        using IBackend backend = CpuBackend.Create(threads: 1);
        using var arena = new Arena(backend);
        using var source = new CancellationTokenSource();
        Tensor x = arena.Keep(DType.F32, 1, 4), y = arena.Keep(DType.F32, 1, 4), z = arena.Keep(DType.F32, 1, 4);
        bool running = false;
        IReplay replay = arena.Capture(() =>
        {
            arena.Backend.Add(x, x, y);
            if (running) source.Cancel();
            arena.Backend.Add(y, y, z);
        });
        running = true;   // the plan was traced before
        backend.Upload([1f, 2, 3, 4], x);
        backend.Upload([0f, 0, 0, 0], z);
        Assert.ThrowsAny<OperationCanceledException>(() => replay.Run(source.Token));
        Assert.Equal([2, 4, 6, 8], Read(y));
        Assert.Equal([0, 0, 0, 0], Read(z));
        replay.Run();
        Assert.Equal([4, 8, 12, 16], Read(z));

        float[] Read(Tensor tensor)
        {
            var values = new float[4];
            backend.Download(tensor, values);
            return values;
        }
    }

    [Fact]
    public void EveryCall_Cancelled_ThrowsAndChangesNothing()
    {
        using Segmenter segmenter = Segmenter.Load(model.Folder);
        using EncodedImage image = segmenter.Encode(Noise(1));
        float[] expected = image.Segment("a cat")[0].Logits.ToArray();
        Assert.ThrowsAny<OperationCanceledException>(() => segmenter.Encode(Noise(2), Cancelled));
        Assert.ThrowsAny<OperationCanceledException>(() => segmenter.Encode(Noise(2), image, Cancelled));
        Assert.ThrowsAny<OperationCanceledException>(() => segmenter.Like(Noise(2), cancellation: Cancelled));
        Assert.ThrowsAny<OperationCanceledException>(() => image.Segment(["a dog"], Cancelled));
        Assert.ThrowsAny<OperationCanceledException>(() => image.Segment([segmenter.Like(Noise(2))], Cancelled));
        Assert.Equal(expected, image.Segment("a cat")[0].Logits.ToArray());
    }

    [Fact]
    public async Task SegmentAsync_SeveralCallers_GiveWhatOneCallGives()
    {
        using Segmenter segmenter = Segmenter.Load(model.Folder);
        using EncodedImage image = segmenter.Encode(ImageReader.Read(new MemoryStream(Png), "png"));
        string[] phrases = ["a cat", "sky"];
        float[][] expected = [.. image.Segment(phrases).Select(result => result.Logits.ToArray())];
        IReadOnlyList<Segmentation>[] all = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => segmenter.SegmentAsync(new MemoryStream(Png), phrases, TestContext.Current.CancellationToken)));
        Assert.All(all, results =>
        {
            Assert.Equal(expected, results.Select(result => result.Logits.ToArray()));
            Assert.Equal(phrases, results.Select(result => result.Text));
            Assert.Equal((40, 30), (results[0].Width, results[0].Height));
        });
    }

    [Fact]
    public async Task SegmentAsync_BadCalls_AreRefused()
    {
        var segmenter = Segmenter.Load(model.Folder);
        using var stalled = new StalledStream();
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(30));
        CancellationToken token = TestContext.Current.CancellationToken;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => segmenter.SegmentAsync(stalled, ["a cat"], soon.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => segmenter.SegmentAsync(new MemoryStream(Png), ["a cat"], Cancelled));
        await Assert.ThrowsAsync<ArgumentException>(() => segmenter.SegmentAsync(new MemoryStream(Png), [], token));
        await Assert.ThrowsAsync<ArgumentException>(() => segmenter.SegmentAsync(new MemoryStream(Png), [" "], token));
        await Assert.ThrowsAsync<PictureException>(() => segmenter.SegmentAsync(new MemoryStream([1, 2, 3]), ["a cat"], token));
        Assert.Single(await segmenter.SegmentAsync(new MemoryStream(Png), ["a cat"], token));
        segmenter.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => segmenter.SegmentAsync(new MemoryStream(Png), ["a cat"], token));
    }

    [Fact]
    public async Task Dispose_WhileOthersCall_TheyFinishOrAreTold()
    {
        var segmenter = Segmenter.Load(model.Folder);
        EncodedImage image = segmenter.Encode(Noise(1));
        Task[] callers = [.. Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            while (true) image.Segment("a cat", "sky");
        }, TestContext.Current.CancellationToken))];
        await Task.Delay(30, TestContext.Current.CancellationToken);
        segmenter.Dispose();
        segmenter.Dispose();
        foreach (Task caller in callers) await Assert.ThrowsAsync<ObjectDisposedException>(() => caller);
        image.Dispose();
        image.Dispose();
        Assert.Throws<ObjectDisposedException>(() => segmenter.Like(Noise(1)));
    }

    /// <summary>Never gives a byte, as a client that hangs.</summary>
    sealed class StalledStream : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
    }
}
