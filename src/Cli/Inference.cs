using System.Diagnostics;
using ClipSegNative.Imaging;

namespace ClipSegNative.Cli;

/// <summary>One call of <c>infer</c>: all pictures in order. While results are written, the model works on the next picture, and those behind it are unpacked and resized.</summary>
sealed class Inference(InferRequest request, Host host)
{
    /// <summary>Pictures, and results, that wait between two stages.</summary>
    const int Ahead = 1;

    readonly IReadOnlyList<string> _slugs = ResultPaths.Slugs(request.Names);
    readonly ImageReadOptions _reading = new() { ApplyOrientation = request.Orient };
    readonly TaskCompletionSource<PicturePreprocessor> _preprocessor = new();
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
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(host.Interrupted);
            var reading = new Stage<Decoded>(jobs.Select(job => Decode(job, stop.Token)), Ahead, stop.Token);
            try { device = Segment(model, jobs.Length, reading, stop); }
            finally { stop.Cancel(); }
        }
        if (!request.Quiet) host.Error.WriteLine(Summary(device, host.Clock.GetElapsedTime(started)));
        return _failed > 0 ? ExitCode.SomeInputsFailed : ExitCode.Ok;
    }

    string Segment(string model, int pictures, Stage<Decoded> reading, CancellationTokenSource stop)
    {
        using Segmenter segmenter = ModelFolder.Load(model, request.Segmenter, host);
        _preprocessor.SetResult(segmenter.NewPreprocessor());
        if (request.Segmenter.Device == DeviceKind.Auto && !request.Quiet) host.Error.WriteLine($"device auto: {segmenter.Device} (a GPU only by --device cuda: that backend is untried)");
        WarnOfLongPhrases(segmenter);
        segmenter.ClearProfile();   // of loading
        var writer = new ResultWriter(request, host, _slugs, segmenter.Device);
        Prompt[] prompts = Prompts(segmenter);
        using EncodedImage image = segmenter.NewImage();
        // One is being written while those ahead of it wait, and one is being made.
        var results = new Queue<Segmentation[]>(Enumerable.Range(0, Ahead + 2).Select(_ => segmenter.NewResults(prompts.Length)));
        var computing = new Stage<Found>(reading.Results(stop.Token).Select(next => Segment(image, next, prompts, results, stop.Token)), Ahead, stop.Token);
        try
        {
            Progress.Run(host, pictures, "pictures", request.Quiet, progress =>
            {
                foreach (Found next in computing.Results(host.Interrupted))
                {
                    host.Interrupted.ThrowIfCancellationRequested();
                    Write(next, writer, progress);
                    progress.Advance();
                }
            });
        }
        finally
        {
            stop.Cancel();
            computing.Wait();
        }
        if (request.Segmenter.Profile) ProfileTable.Write(host.Error, segmenter);
        return segmenter.Device;
    }

    /// <summary>Results are used in turn: no more of them are anywhere than there are.</summary>
    static Found Segment(EncodedImage image, Decoded next, Prompt[] prompts, Queue<Segmentation[]> results, CancellationToken stop)
    {
        if (next.Picture is null) return new Found(next, [], new Timings(0, 0, 0));
        long encode = Stopwatch.GetTimestamp();
        image.Segmenter.Encode(next.Picture, next.Pixels, image, stop);
        long decode = Stopwatch.GetTimestamp();
        Segmentation[] found = results.Dequeue();
        results.Enqueue(found);
        image.Segment(prompts, found, stop);
        return new Found(next, found, new Timings(next.Milliseconds, Milliseconds(encode, decode), Milliseconds(decode, Stopwatch.GetTimestamp())));
    }

    void Write(Found next, ResultWriter writer, Progress progress)
    {
        PictureJob job = next.Of.Job;
        if (next.Of.Picture is not { } picture)
        {
            Fail(job, next.Of.Error!, writer, progress);
            return;
        }
        try
        {
            writer.Write(job, picture, next.Results, next.Timings);
            _done++;
            if (request.Verbose)
                progress.Say($"{job.Input.Name}: {picture.Width} x {picture.Height}, {next.Timings}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Fail(job, $"{job.Input.Name}: its results cannot be written: {error.Message}", writer, progress);
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

    /// <summary>The first picture is unpacked while the model is loaded, which says what size it is to have.</summary>
    Decoded Decode(PictureJob job, CancellationToken stop)
    {
        if (job.Error is not null) return new Decoded(job, job.Error);
        long started = Stopwatch.GetTimestamp();
        try
        {
            Picture picture = job.Input.IsPipe ? ImageReader.Read(host.Input, "standard input", _reading) : ImageReader.Read(job.Input.Path!, _reading);
            double unpacking = Milliseconds(started, Stopwatch.GetTimestamp());
            _preprocessor.Task.Wait(stop);
            started = Stopwatch.GetTimestamp();
            float[] pixels = _preprocessor.Task.Result.Run(picture);
            return new Decoded(job) { Picture = picture, Pixels = pixels, Milliseconds = unpacking + Milliseconds(started, Stopwatch.GetTimestamp()) };
        }
        catch (Exception error) when (error is PictureException or IOException)
        {
            return new Decoded(job, error.Message);
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

    /// <summary>A picture, ready for the model, or why there is none.</summary>
    sealed record Decoded(PictureJob Job, string? Error = null)
    {
        public Picture? Picture { get; init; }

        public float[] Pixels { get; init; } = [];

        public double Milliseconds { get; init; }
    }

    /// <summary>What the model said of a picture.</summary>
    sealed record Found(Decoded Of, Segmentation[] Results, Timings Timings);
}
