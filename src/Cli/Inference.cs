using System.Diagnostics;
using System.Threading.Channels;
using ClipSegNative.Imaging;

namespace ClipSegNative.Cli;

/// <summary>One call of <c>infer</c>: all pictures in order; the next one is unpacked while one is worked on.</summary>
sealed class Inference(InferRequest request, Host host)
{
    /// <summary>Pictures unpacked ahead.</summary>
    const int Ahead = 2;

    readonly IReadOnlyList<string> _slugs = ResultPaths.Slugs(request.Names);
    readonly ImageReadOptions _reading = new() { ApplyOrientation = request.Orient };
    int _done, _failed, _skipped;

    /// <exception cref="UsageException">The request contradicts itself, or an option is out of the model's range.</exception>
    public ExitCode Run()
    {
        long started = host.Clock.GetTimestamp();
        IReadOnlyList<PictureInput> inputs = PictureInputs.Expand(request.Images, request.Recursive);
        CheckPipes(inputs);
        if (request.Kinds.HasFlag(OutputKinds.Labels) && _slugs.Count > LabelMap.MaxPhrases)
            throw new UsageException($"--output labels takes at most {LabelMap.MaxPhrases} phrases, not {_slugs.Count}.");
        string model = ModelFolder.Find(request.Model, host);
        PictureJob[] jobs = [.. PictureJob.Plan(inputs, request.Out, request.Kinds, _slugs).Where(job => !IsDone(job))];
        _skipped = inputs.Count - jobs.Length;

        string device = "nothing to do";
        if (jobs.Length > 0)
        {
            using var reading = CancellationTokenSource.CreateLinkedTokenSource(host.Interrupted);
            ChannelReader<Decoded> decoded = StartDecoding(jobs, reading.Token);
            try { device = Segment(model, jobs.Length, decoded); }
            finally { reading.Cancel(); }
        }
        if (!request.Quiet) host.Error.WriteLine(Summary(device, host.Clock.GetElapsedTime(started)));
        return _failed > 0 ? ExitCode.SomeInputsFailed : ExitCode.Ok;
    }

    string Segment(string model, int pictures, ChannelReader<Decoded> decoded)
    {
        using Segmenter segmenter = ModelFolder.Load(model, request.Segmenter, host);
        if (request.Segmenter.Device == DeviceKind.Auto && !request.Quiet) host.Error.WriteLine($"device auto: {segmenter.Device} (a GPU only by --device cuda: that backend is untried)");
        WarnOfLongPhrases(segmenter);
        segmenter.ClearProfile();   // of loading
        var writer = new ResultWriter(request, host, _slugs, segmenter.Device);
        Prompt[] prompts = Prompts(segmenter);
        Segmentation[] results = segmenter.NewResults(prompts.Length);
        EncodedImage? image = null;
        try
        {
            Progress.Run(host, pictures, "pictures", request.Quiet, progress =>
            {
                foreach (Decoded next in decoded.ReadAllAsync(host.Interrupted).ToBlockingEnumerable(host.Interrupted))
                {
                    Segment(segmenter, ref image, next, prompts, results, writer, progress);
                    progress.Advance();
                }
            });
        }
        finally { image?.Dispose(); }
        if (request.Segmenter.Profile) ProfileTable.Write(host.Error, segmenter);
        return segmenter.Device;
    }

    void Segment(Segmenter segmenter, ref EncodedImage? image, Decoded next, Prompt[] prompts, Segmentation[] results, ResultWriter writer, Progress progress)
    {
        if (next.Picture is not { } picture)
        {
            Fail(next.Job, next.Error!, writer, progress);
            return;
        }
        long encode = Stopwatch.GetTimestamp();
        if (image is null) image = segmenter.Encode(picture, host.Interrupted);
        else segmenter.Encode(picture, image, host.Interrupted);
        long decode = Stopwatch.GetTimestamp();
        image.Segment(prompts, results, host.Interrupted);
        var timings = new Timings(next.Milliseconds, Milliseconds(encode, decode), Milliseconds(decode, Stopwatch.GetTimestamp()));
        host.Interrupted.ThrowIfCancellationRequested();
        try
        {
            writer.Write(next.Job, picture, results, timings);
            _done++;
            if (request.Verbose)
                progress.Say($"{next.Job.Input.Name}: {picture.Width} x {picture.Height}, {timings}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Fail(next.Job, $"{next.Job.Input.Name}: its results cannot be written: {error.Message}", writer, progress);
        }
    }

    void Fail(PictureJob job, string reason, ResultWriter writer, Progress progress)
    {
        _failed++;
        progress.Say($"error: {reason}");
        writer.WriteFailure(job, reason);
    }

    /// <exception cref="PictureException">The example or its mask cannot be read.</exception>
    Prompt[] Prompts(Segmenter segmenter)
    {
        if (request.Like is null) return [.. request.Phrases.Select(phrase => (Prompt)phrase)];
        Mask? mask = request.LikeMask is null ? null : Mask.FromPicture(ImageReader.Read(request.LikeMask, _reading));
        Prompt example;
        try { example = segmenter.Like(ImageReader.Read(request.Like, _reading), mask, host.Interrupted); }
        catch (ArgumentException error) { throw new UsageException($"--like-mask {request.LikeMask}: {error.Message}"); }
        return request.Phrases.Count == 0 ? [example] : [.. request.Phrases.Select(phrase => example.With(phrase, (float)request.Mix))];
    }

    void WarnOfLongPhrases(Segmenter segmenter)
    {
        int context = segmenter.ContextLength;
        foreach (string phrase in request.Phrases)
            if (segmenter.Tokenizer.Encode(phrase, context).Truncated)
                host.Error.WriteLine($"warning: '{phrase}' is longer than the model's {context} tokens; its end is not used.");
    }

    ChannelReader<Decoded> StartDecoding(PictureJob[] jobs, CancellationToken stop)
    {
        var channel = Channel.CreateBounded<Decoded>(new BoundedChannelOptions(Ahead) { SingleReader = true, SingleWriter = true });
        _ = Task.Run(async () =>
        {
            try
            {
                foreach (PictureJob job in jobs) await channel.Writer.WriteAsync(Decode(job), stop).ConfigureAwait(false);
                channel.Writer.Complete();
            }
#pragma warning disable CA1031 // It comes out where the pictures are taken.
            catch (Exception error) { channel.Writer.Complete(error); }
#pragma warning restore CA1031
        }, CancellationToken.None);
        return channel.Reader;
    }

    Decoded Decode(PictureJob job)
    {
        if (job.Error is not null) return new Decoded(job, Picture: null, job.Error, Milliseconds: 0);
        long started = Stopwatch.GetTimestamp();
        try
        {
            Picture picture = job.Input.IsPipe ? ImageReader.Read(host.Input, "standard input", _reading) : ImageReader.Read(job.Input.Path!, _reading);
            return new Decoded(job, picture, Error: null, Milliseconds(started, Stopwatch.GetTimestamp()));
        }
        catch (Exception error) when (error is PictureException or IOException)
        {
            return new Decoded(job, Picture: null, error.Message, Milliseconds: 0);
        }
    }

    void CheckPipes(IReadOnlyList<PictureInput> inputs)
    {
        if (host.InputIsTerminal && inputs.Any(input => input.IsPipe))
            throw new UsageException("'-' reads a picture from standard input, but that is a terminal.");
        if (!request.ToPipe)
        {
            if (File.Exists(request.Out)) throw new UsageException($"--out {request.Out} is a file, not a folder.");
            return;
        }
        if (request.JsonLines)
            throw new UsageException("--json and --out - would both write to standard output; use --output json --out - for one picture's JSON.");
        int files = new ResultPaths("").All(request.Kinds, _slugs).Count();
        if (inputs.Count != 1 || files != 1)
            throw new UsageException($"--out - takes one picture and one result, not {inputs.Count} and {files}: name a folder, or give one phrase and one --output.");
    }

    bool IsDone(PictureJob job) => request.SkipExisting && !request.ToPipe && request.Kinds != OutputKinds.None && job.Error is null
        && job.Paths.All(request.Kinds, _slugs).All(File.Exists);

    string Summary(string device, TimeSpan elapsed)
    {
        string failed = _failed > 0 ? $", {_failed} failed" : "", skipped = _skipped > 0 ? $", {_skipped} skipped" : "";
        return $"{Plural(_done, "picture")}, {Plural(_done * _slugs.Count, "mask")}{failed}{skipped}, {elapsed.TotalSeconds:0.0} s; {device}";
    }

    static string Plural(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";

    static double Milliseconds(long from, long to) => Math.Round(Stopwatch.GetElapsedTime(from, to).TotalMilliseconds, 2);

    /// <summary>A picture, or why there is none.</summary>
    sealed record Decoded(PictureJob Job, Picture? Picture, string? Error, double Milliseconds);
}
