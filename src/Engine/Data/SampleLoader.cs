using System.Collections.Concurrent;
using ClipSegNative.Imaging;

namespace ClipSegNative.Data;

/// <summary>How samples are made ready.</summary>
sealed record SampleLoaderOptions
{
    /// <summary>Pictures that are read at once, at least 1. The samples do not depend on it.</summary>
    public int Workers { get; init; } = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>Samples that may wait to be taken, at least 1; of 352 x 352 pixels each takes 1.6 MB.</summary>
    public int Ahead { get; init; } = 16;

    public RasterRule Rule { get; init; } = RasterRule.Official;

    /// <summary>Whether a sample's pixels are needed; not so where features of its picture are kept. Null: always. Called from several threads.</summary>
    public Func<SampleSpec, bool>? NeedsPixels { get; init; }
}

/// <summary>
/// Makes samples ready in the background and hands them out in order. A picture that cannot be read, or has not the annotated size, is a problem once;
/// its samples are replaced by the next of the epoch whose pictures are good. Safe to use from several threads.
/// </summary>
/// <param name="sampler">Draws the samples.</param>
/// <param name="preprocessor">Makes the model's preprocessor, square; called once a worker.</param>
/// <param name="options">Workers, memory, filling.</param>
/// <param name="problems">Gets bad pictures, from several threads.</param>
sealed class SampleLoader(PhraseSampler sampler, Func<PicturePreprocessor> preprocessor, SampleLoaderOptions options, DataProblems problems)
{
    readonly ConcurrentBag<SampleMaker> _makers = [];
    readonly ConcurrentDictionary<long, bool> _badPictures = [];

    /// <summary>Samples in order. Leaving the loop early, by cancelling or otherwise, waits for those being made and drops them.</summary>
    /// <param name="first">The position to begin at.</param>
    /// <param name="count">How many; they may reach over several epochs.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="DataFileException">No picture of an epoch can be read; strict problems.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IEnumerable<TrainingSample> Read(long first, long count, CancellationToken cancellation = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        TaskScheduler workers = new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, options.Workers).ConcurrentScheduler;
        var ahead = new Queue<Task<TrainingSample>>();
        try
        {
            for (long next = first, end = first + count; next < end || ahead.Count > 0;)
            {
                for (; ahead.Count < options.Ahead && next < end; next++)
                {
                    long position = next;
                    ahead.Enqueue(Task.Factory.StartNew(() => Make(position, stop.Token), stop.Token, TaskCreationOptions.None, workers));
                }
                Task.WaitAny([ahead.Peek()], cancellation);
                yield return ahead.Dequeue().GetAwaiter().GetResult();
            }
        }
        finally
        {
            stop.Cancel();
            foreach (Task<TrainingSample> task in ahead) Drop(task);
        }
    }

    /// <summary>Fills in the pixels that a sample was made without, on this thread.</summary>
    /// <param name="sample">From this loader.</param>
    /// <param name="pixels">[3, size, size].</param>
    /// <exception cref="PictureException">The picture cannot be read.</exception>
    public void ReadPixels(TrainingSample sample, Span<float> pixels)
    {
        SampleMaker maker = Borrow();
        maker.FillPixels(sample.Spec, sample.Spec.Sample.Picture.Read(), sample.Crop, pixels);
        _makers.Add(maker);
    }

    TrainingSample Make(long position, CancellationToken cancellation)
    {
        long epochStart = position - position % sampler.EpochLength;
        for (int later = 0; later < sampler.EpochLength; later++)
        {
            cancellation.ThrowIfCancellationRequested();
            SampleSpec spec = sampler.At(epochStart + (position + later) % sampler.EpochLength);
            DataPicture wanted = spec.Sample.Picture;
            Picture? picture = null;
            if (_badPictures.ContainsKey(wanted.Id) || options.NeedsPixels?.Invoke(spec) != false && (picture = Read(wanted)) is null) continue;

            SampleMaker maker = Borrow();
            TrainingSample? partner = spec.Partner is { } other && Read(other.Picture) is { } prompt ? maker.MakePartner(spec, prompt) : null;
            TrainingSample sample = maker.Make(spec, picture, partner);
            _makers.Add(maker);
            return sample;
        }
        throw new DataFileException("No picture of the data set can be read; see the problems above.");
    }

    /// <summary>Null where the picture is bad, which is a problem once.</summary>
    Picture? Read(DataPicture wanted)
    {
        if (_badPictures.ContainsKey(wanted.Id)) return null;
        try
        {
            return wanted.Read();
        }
        catch (PictureException error)
        {
            // Strictly, every sample of the picture must fail, so that the first one in order does.
            if (problems.Strict || _badPictures.TryAdd(wanted.Id, true)) problems.Skip(error, wanted.Path, wanted.Id);
            return null;
        }
    }

    SampleMaker Borrow() => _makers.TryTake(out SampleMaker? maker) ? maker : new SampleMaker(sampler, preprocessor(), options.Rule);

    static void Drop(Task<TrainingSample> task)
    {
        try
        {
            task.Result.Dispose();
        }
        catch (AggregateException)   // cancelled or failed: nobody waits for it any more
        {
        }
    }
}
