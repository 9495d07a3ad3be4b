using System.Text.Json.Nodes;
using ClipSegNative.Calibration;
using ClipSegNative.Data;
using ClipSegNative.Evaluation;
using ClipSegNative.Weights;

namespace ClipSegNative.Cli;

/// <summary>One call of <c>calibrate</c>.</summary>
sealed class CalibrationRun(CalibrateRequest request, Host host)
{
    readonly List<CalibrationSample> _samples = [];
    readonly HashSet<string> _told = [];
    int _failed, _small;

    /// <exception cref="DataFileException">The annotations or pictures cannot be used, or lack one of the two sides.</exception>
    public ExitCode Run()
    {
        string model = ModelFolder.Find(request.Model, host);
        (string File, bool NearMisses)[] files =
            [.. Files(request.Data, nearMisses: false), .. Files(request.NearMisses, nearMisses: true)];
        var pictures = new PictureFolder(request.Images);
        int total = files.Sum(file => ReferFile.Read(file.File, new DataProblems()).Count());
        using (var predictor = new ModelPredictor(ModelFolder.Load(model, request.Segmenter, host), EvaluationProtocol.PhraseCut))
        {
            Progress.Run(host, total, "phrases", request.Quiet, progress =>
            {
                var problems = new DataProblems(strict: false, line => progress.Say($"warning: {line}"));
                foreach ((string file, bool nearMisses) in files)
                {
                    foreach (PhraseTask task in ReferFile.Read(file, problems))
                    {
                        host.Interrupted.ThrowIfCancellationRequested();
                        Ask(task, file, nearMisses, pictures, predictor, progress);
                        progress.Advance();
                    }
                }
            });
        }
        Store(WeightFiles.FolderOf(model));
        return _failed > 0 ? ExitCode.SomeInputsFailed : ExitCode.Ok;
    }

    static IEnumerable<(string, bool)> Files(IReadOnlyList<string> data, bool nearMisses) =>
        data.SelectMany(EvaluationRun.FilesOf).Select(file => (file, nearMisses));

    void Ask(PhraseTask task, string file, bool nearMisses, PictureFolder pictures, ModelPredictor predictor, Progress progress)
    {
        double[][] polygons = [.. (task.Instances ?? throw new DataFileException($"{file}: task {task.TaskId} has no Polygons; calibration needs the answers."))
            .SelectMany(instance => instance)];
        if (nearMisses && polygons.Length > 0) throw new DataFileException($"{file}: task {task.TaskId} has Polygons, but near misses name nothing; give this file with --data.");
        try
        {
            string picture = pictures.Find(task.ImageId) ?? throw new PictureException($"{request.Images} holds no picture {task.ImageId}.");
            Segmentation found = predictor.Segment(task.Phrase, picture);
            var target = new byte[found.Width * found.Height];
            foreach (double[] polygon in polygons) PolygonRaster.FillOfficial(polygon, found.Width, found.Height, target);
            if (polygons.Length > 0 && target.AsSpan().Count((byte)1) < request.MinArea * target.Length)
            {
                _small++;
                return;
            }
            PhraseKind kind = polygons.Length > 0 ? PhraseKind.Present : nearMisses ? PhraseKind.NearMiss : PhraseKind.Absent;
            _samples.Add(CalibrationSample.Of(kind, found.Logits, found.Probabilities(), target));
        }
        catch (PictureException error)
        {
            _failed++;
            if (_told.Add(error.Message)) progress.Say($"error: {error.Message}");   // once for all phrases of a picture
        }
    }

    void Store(string folder)
    {
        SegmentationConfig config;
        try { config = CalibrationFit.Fit(_samples, request.Floors); }
        catch (ArgumentException)
        {
            throw new DataFileException($"{string.Join(", ", request.Data)}: {_samples.Count} phrases could be used{(_small > 0 ? $", {_small} were too small" : "")}; "
                + "a calibration needs phrases that name something and others with empty Polygons.");
        }
        lock (host.Writing) config.Write(folder);
        CalibrationOutcome fitted = config.Fitted!;
        string reached = FormattableString.Invariant(
            $"mean IoU {fitted.MeanIoU:0.000} of {fitted.Present}, empty masks {fitted.AbsentEmpty:0.000} of {fitted.Absent} absent and {fitted.NearMissEmpty:0.000} of {fitted.NearMisses} nearly");
        if (!request.Quiet) host.Error.WriteLine(FormattableString.Invariant($"{folder}: threshold {config.Threshold:0.##}, presence {config.PresenceThreshold:0.####}: {reached}"));
        if (!fitted.FloorsMet)
        {
            host.Error.WriteLine(FormattableString.Invariant(
                $"warning: no threshold gives empty masks to {request.Floors.AbsentEmpty} of the absent and {request.Floors.NearMissEmpty} of the nearly named and keeps {request.Floors.KeptIoU} of the mean IoU; the nearest is stored."));
        }
        if (!request.Json) return;
        using var json = new MemoryStream();
        config.WriteJson(json);
        Lines.Write(host.Output, JsonNode.Parse(json.ToArray())!.AsObject());
    }
}
