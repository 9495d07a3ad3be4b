using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSegNative.Backends;
using ClipSegNative.Data;
using ClipSegNative.Training;

namespace ClipSegNative.Cli;

/// <summary>train: teaches a decoder on frozen CLIP towers; the run folder is a model folder.</summary>
sealed class TrainCommand : Command, IHasNotes
{
    const string MachineName = "machine.json";

    static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    readonly Host _host;
    readonly TrainOptions _options = new();
    readonly Option<string?> _out = new("--out", "-o") { Description = "The run folder, made where missing", HelpName = "RUN" };
    readonly Option<string?> _resume = new("--resume") { Description = "Go on with the run in this folder, with its own settings", HelpName = "RUN" };
    readonly Option<string?> _config = new("--config") { Description = "Settings from a JSON file, such as another run's run.json; comments are allowed", HelpName = "FILE" };
    readonly Option<bool> _print = new("--print-config") { Description = "Only print the settings and where each comes from" };
    readonly Option<bool> _quiet = new("--quiet") { Description = "Say nothing but errors and warnings" };
    readonly Option<bool> _json = new("--json") { Description = "What metrics.csv gets, as JSON lines on standard output too" };

    public TrainCommand(Host host) : base("train", "Trains a decoder on frozen CLIP towers.")
    {
        _host = host;
        foreach (Option option in _options.All.Concat([_out, _resume, _config, _print, _quiet, _json])) Options.Add(option);
        SetAction(parse => (int)Run(parse));
    }

    public string Notes => """
        Each setting is also a key of --config with _ for -, and an environment variable, as in
        CLIPSEG_LEARNING_RATE. The command line wins, then the environment, then the file.

        The run folder is a model folder: infer --model RUN. It also gets run.json (the settings),
        metrics.csv, events for TensorBoard, samples/ and last.safetensors, from which --resume goes
        on to the same weights as if it had never stopped. Ctrl-C saves it.

        """;

    ExitCode Run(ParseResult parse)
    {
        string? resume = parse.GetValue(_resume);
        if (resume is not null && !File.Exists(new RunFolder(resume).Settings))
            throw new UsageException($"{resume} holds no {RunFolder.SettingsName}: there is no run to resume.");
        string[] files = [.. new[] { resume is null ? null : new RunFolder(resume).Settings, parse.GetValue(_config) }.OfType<string>()];
        (TrainingSettings settings, IReadOnlyDictionary<string, string> sources) = _options.Merge(files, parse, _host);
        if (parse.GetValue(_print))
        {
            parse.InvocationConfiguration.Output.WriteLine(TrainOptions.Print(settings, sources));
            return ExitCode.Ok;
        }
        settings = settings.WithFullPaths();
        OrRefuse(settings.Check);
        RunFolder run = Locate(resume, parse.GetValue(_out));
        bool quiet = parse.GetValue(_quiet);
        var watcher = new Watcher(_host, parse.GetValue(_json), quiet);
        using IBackend backend = Segmenter.OpenDevice(new SegmenterOptions { Device = Device(settings.Device), Threads = settings.Threads });
        var phrases = TrainingPhrases.Read(settings, watcher.Problem);
        OrRefuse(() => Prepare(run, settings));
        using var trainer = new Trainer(settings, run, phrases, backend, watcher);
        if (!quiet) _host.Error.WriteLine(Summary(settings, trainer, phrases, backend));
        Train(trainer, run, watcher, quiet);
        watcher.Conclude(phrases.Problems);
        return ExitCode.Ok;
    }

    void Train(Trainer trainer, RunFolder run, Watcher watcher, bool quiet)
    {
        int steps = (int)Math.Min(int.MaxValue, trainer.Steps - trainer.State.Step);
        Progress.Run(_host, steps, "steps", quiet, progress =>
        {
            watcher.Progress = progress;
            // Held to the end: whoever ends the process waits until the last step is saved.
            lock (_host.Writing)
            {
                try
                {
                    trainer.Run(_host.Interrupted);
                    if (!quiet) progress.Say($"{run.Location}: {Outcome(trainer)}; try: {CommandLine.Name} infer PICTURE -t PHRASE --model {run.Location}");
                }
                catch (OperationCanceledException)
                {
                    progress.Say($"{run.Location}: saved at step {trainer.State.Step}; go on with: {CommandLine.Name} train --resume {run.Location}");
                    throw;
                }
            }
        });
    }

    static RunFolder Locate(string? resume, string? folder)
    {
        if (resume is not null && folder is not null) throw new UsageException("--out and --resume both name a run folder; give one.");
        var run = new RunFolder(Path.GetFullPath(resume ?? folder ?? throw new UsageException("--out is missing: name a folder for the run.")));
        return resume is not null || !run.IsTaken ? run : throw new UsageException($"{folder} is not empty: name another --out, or go on with the run in it: --resume {folder}.");
    }

    void Prepare(RunFolder run, TrainingSettings settings)
    {
        lock (_host.Writing)
        {
            _host.Interrupted.ThrowIfCancellationRequested();
            run.Prepare(
                settings,
                (RunFolder.SettingsName, stream => WriteSettings(stream, settings)),
                (MachineName, stream => Lines.Write(stream, MachineInfo.Collect(model: null, settings.Threads, CudaInfo.Collect(_host)))));
        }
    }

    /// <summary>What cannot be because of the settings is wrong usage; what goes wrong later is not.</summary>
    static void OrRefuse(Action action)
    {
        try
        {
            action();
        }
        catch (TrainingException error)
        {
            throw new UsageException(error.Message);
        }
    }

    static void WriteSettings(Stream stream, TrainingSettings settings)
    {
        string[] version = MachineInfo.ProgramVersion.Split('+', 2);
        JsonObject json = TrainOptions.ToJson(settings);
        json["about"] = new JsonObject
        {
            ["version"] = version[0],
            ["git"] = version.ElementAtOrDefault(1),
            ["command_line"] = string.Join(' ', Environment.GetCommandLineArgs().Skip(1)),
        };
        using var writer = new StreamWriter(stream, leaveOpen: true);
        writer.Write(json.ToJsonString(Readable) + "\n");
    }

    static DeviceKind Device(string text) => OptionValues.TryDevice(text, out DeviceKind device)
        ? device
        : throw new UsageException($"--device is '{text}'; it must be auto, cpu, cuda or cuda:N.");

    static string Summary(TrainingSettings settings, Trainer trainer, TrainingPhrases phrases, IBackend backend) =>
        $"{settings.Decoder} decoder: {trainer.TrainedParameters:N0} parameters trained, {trainer.FrozenParameters:N0} frozen; "
        + $"{phrases.Training.EpochLength:N0} phrases, steps {trainer.State.Step + 1} to {trainer.Steps}; {backend.Description}";

    static string Outcome(Trainer trainer) => trainer.State.BestStep > 0
        ? FormattableString.Invariant($"{trainer.State.Step} steps, best validation IoU {trainer.State.BestScore:0.000} at step {trainer.State.BestStep}")
        : $"{trainer.State.Step} steps";

    sealed class Watcher(Host host, bool json, bool quiet) : ITrainingWatcher
    {
        const int ShownProblems = 20;

        int _problems;

        public Progress? Progress { get; set; }

        public void Measured(MetricsLine line)
        {
            if (json) Lines.Write(host.Output, line);
            if (line.Split == MetricsLine.Train) Progress?.Advance(FormattableString.Invariant($"loss {line.Loss:0.0000}, IoU {line.Iou:0.000}, {line.ImagesPerSecond:0.0} images/s, "));
        }

        /// <summary>One more line about the data, of which a large set may have thousands; comes from several threads.</summary>
        public void Problem(string line)
        {
            if (Interlocked.Increment(ref _problems) <= ShownProblems) Warned(line);
        }

        public void Conclude(DataProblems problems)
        {
            if (problems.Total > ShownProblems) Warned($"the data had {problems.Total} problems, of which the first {ShownProblems} are above.");
        }

        public void Said(string sentence)
        {
            if (!quiet) Say(sentence);
        }

        public void Warned(string sentence) => Say($"warning: {sentence}");

        void Say(string line)
        {
            if (Progress is null) host.Error.WriteLine(line);
            else Progress.Say(line);
        }
    }
}
