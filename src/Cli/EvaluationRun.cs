using ClipSegNative.Data;
using ClipSegNative.Evaluation;
using ClipSegNative.Imaging;

namespace ClipSegNative.Cli;

/// <summary>One call of <c>evaluate</c>: all tasks in their order.</summary>
sealed class EvaluationRun : IDisposable
{
    /// <summary>Missing predictions that are told of one by one.</summary>
    const int MissingShown = 20;

    /// <summary>What takes a task out of the result; a polygon that is too short does not.</summary>
    static readonly DataProblem[] Losses = [DataProblem.BrokenFile, DataProblem.BrokenRecord, DataProblem.DuplicateId];

    readonly EvaluateRequest _request;
    readonly Host _host;
    readonly IReadOnlyList<string> _files;
    readonly PictureFolder? _pictures;
    readonly PredictionFolder? _predictions;
    readonly ModelPredictor? _model;
    readonly BaselinePredictor? _baseline;
    readonly Evaluator _evaluator;
    readonly TaskTable? _table;
    readonly HashSet<string> _told = [];
    int _failed;

    /// <exception cref="DataFileException">There are no such annotations or pictures.</exception>
    /// <exception cref="UsageException">An option is out of the model's range.</exception>
    public EvaluationRun(EvaluateRequest request, Host host)
    {
        (_request, _host) = (request, host);
        _files = FilesOf(request.Data);
        _pictures = request.Images is null ? null : new PictureFolder(request.Images);
        if (request.Predictions is not null) _predictions = new PredictionFolder(request.Predictions);
        else if (request.Baseline is { } baseline) _baseline = new BaselinePredictor(baseline, Path.GetDirectoryName(_files[0]) ?? "");
        else _model = new ModelPredictor(ModelFolder.Load(ModelFolder.Find(_request.Model, _host), _request.Segmenter, _host), _request.Protocol, _request.Presence);
        _evaluator = new Evaluator(request.Protocol, request.Threshold ?? _model?.Threshold ?? Segmentation.DefaultThreshold, request.MinArea);
        _table = request.Csv is null ? null : new TaskTable();
    }

    /// <param name="output">Gets the result for people.</param>
    /// <exception cref="DataFileException">The annotations cannot be read, or nothing of them can be evaluated; strictly, a record cannot be used.</exception>
    public ExitCode Run(TextWriter output)
    {
        long started = _host.Clock.GetTimestamp();
        // Counted beforehand for the progress; what is wrong with the files is said when they are used.
        int total = _request.Quiet ? 0 : _files.Sum(file => ReferFile.Read(file, new DataProblems()).Count());
        DataProblems? problems = null;
        Progress.Run(_host, total, "phrases", _request.Quiet, progress =>
        {
            problems = new DataProblems(_request.Strict, line => progress.Say($"warning: {line}"));
            foreach (string file in _files)
            {
                foreach (PhraseTask task in ReferFile.Read(file, problems))
                {
                    _host.Interrupted.ThrowIfCancellationRequested();
                    Score(task, file, progress);
                    progress.Advance();
                }
            }
        });
        int lost = Losses.Sum(problems!.Count);
        if (!_request.Quiet) _host.Error.WriteLine($"{Summary()}, {_host.Clock.GetElapsedTime(started).TotalSeconds:0.0} s");
        if (_evaluator.Official.Tasks == 0) throw new DataFileException($"{_request.Data}: nothing could be evaluated.");

        var report = new EvaluationReport(_evaluator, _model?.Presence, _failed);
        if (_request.Csv is { } csv) lock (_host.Writing) AtomicFile.Write(csv, _table!.Save);
        if (_request.Json) Lines.Write(_host.Output, report.ToJson());
        else report.Print(output);
        return _failed > 0 || lost > 0 ? ExitCode.SomeInputsFailed : ExitCode.Ok;
    }

    public void Dispose() => _model?.Dispose();

    /// <param name="data">An annotation file, or a split of a PhraseCut folder.</param>
    /// <exception cref="DataFileException">There is no such file or split.</exception>
    public static IReadOnlyList<string> FilesOf(string data) =>
        File.Exists(data) ? [data] : PhraseCutFolder.ReferFiles(Path.GetDirectoryName(data) ?? "", Path.GetFileName(data));

    void Score(PhraseTask task, string file, Progress progress)
    {
        if (task.Instances is null)
            throw new DataFileException($"{file}: task {task.TaskId} has no Polygons; evaluation needs the answers, as in refer_val.json.");
        try
        {
            TaskScore score = Judge(task);
            _table?.Add(task, score);
            if (score.Outcome == Outcome.Missing && _evaluator.Missing <= MissingShown) progress.Say($"warning: task {task.TaskId} has no prediction.");
        }
        catch (PictureException error)
        {
            _failed++;
            _table?.AddFailure(task);
            if (_told.Add(error.Message)) progress.Say($"error: {error.Message}");   // once for all phrases of a picture
        }
    }

    TaskScore Judge(PhraseTask task)
    {
        string? picture = _pictures?.Find(task.ImageId);
        if (picture is not null)
        {
            (int width, int height) = Size(picture);
            return _evaluator.Add(task, width, height, () => Predict(task, picture, width, height));
        }
        if (_predictions is null) throw new PictureException($"{_request.Images} holds no picture {task.ImageId}.");
        Prediction? prediction = _predictions.Find(task.TaskId);
        return prediction is null ? _evaluator.AddMissing() : _evaluator.Add(task, prediction.Width, prediction.Height, () => prediction);
    }

    Prediction? Predict(PhraseTask task, string picture, int width, int height) =>
        _model?.Predict(task.Phrase, picture) ?? _baseline?.Predict(task.Phrase, picture, width, height) ?? _predictions!.Find(task.TaskId);

    static (int Width, int Height) Size(string picture)
    {
        (int width, int height) = PictureHeader.ReadSize(picture);
        long limit = ImageReadOptions.Default.MaxPixels;
        return (long)width * height <= limit
            ? (width, height)
            : throw new PictureException($"{picture} has {width} x {height} pixels; at most {limit} are read.");
    }

    string Summary()
    {
        string missing = _evaluator.Missing > 0 ? $", {_evaluator.Missing} without prediction" : "";
        string skipped = _evaluator.LeftOut > 0 ? $", {_evaluator.LeftOut} too small" : "", failed = _failed > 0 ? $", {_failed} failed" : "";
        return $"{_evaluator.Official.Tasks} evaluated{missing}{skipped}{failed}";
    }
}
