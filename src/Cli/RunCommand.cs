using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSegNative.Backends;
using ClipSegNative.Data;
using ClipSegNative.Training;

namespace ClipSegNative.Cli;

/// <summary>A command that trains something in a run folder: settings from all sides, a fresh folder or one to go on with, Ctrl-C that saves.</summary>
/// <typeparam name="T">Its settings.</typeparam>
abstract class RunCommand<T> : Command where T : new()
{
    const string MachineName = "machine.json";

    static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    readonly SettingOptions<T> _options;
    readonly Option<string?> _out = new("--out", "-o") { Description = "The run folder, made where missing", HelpName = "RUN" };
    readonly Option<string?> _resume = new("--resume") { Description = "Go on with the run in this folder, with its own settings", HelpName = "RUN" };
    readonly Option<string?> _config = new("--config") { Description = "Settings from a JSON file, such as another run's run.json; comments are allowed", HelpName = "FILE" };
    readonly Option<bool> _print = new("--print-config") { Description = "Only print the settings and where each comes from" };
    readonly Option<bool> _quiet = new("--quiet") { Description = "Say nothing but errors and warnings" };
    readonly Option<bool> _json = new("--json") { Description = "What metrics.csv gets, as JSON lines on standard output too" };

    protected RunCommand(Host host, string name, string description, SettingOptions<T> options) : base(name, description)
    {
        (Host, _options) = (host, options);
        foreach (Option option in _options.All.Concat([_out, _resume, _config, _print, _quiet, _json])) Options.Add(option);
        SetAction(parse => (int)Run(parse));
    }

    protected Host Host { get; }

    /// <summary>Checks the settings and trains.</summary>
    /// <param name="settings">As the user has given them.</param>
    /// <param name="folder">The run folder; empty, or that of a run to go on with.</param>
    /// <param name="talk">What is said, and where to.</param>
    protected abstract void Run(T settings, string folder, RunTalk talk);

    ExitCode Run(ParseResult parse)
    {
        string? resume = parse.GetValue(_resume);
        if (resume is not null && !File.Exists(new RunFolder(resume).Settings))
            throw new UsageException($"{resume} holds no {RunFolder.SettingsName}: there is no run to resume.");
        string[] files = [.. new[] { resume is null ? null : new RunFolder(resume).Settings, parse.GetValue(_config) }.OfType<string>()];
        (T settings, IReadOnlyDictionary<string, string> sources) = _options.Merge(files, parse, Host);
        if (parse.GetValue(_print))
        {
            parse.InvocationConfiguration.Output.WriteLine(_options.Print(settings, sources));
            return ExitCode.Ok;
        }
        Run(settings, Locate(resume, parse.GetValue(_out)), new RunTalk(Host, parse.GetValue(_json), parse.GetValue(_quiet)));
        return ExitCode.Ok;
    }

    /// <summary>Files about the run that its folder gets.</summary>
    protected (string Name, Action<Stream> Write)[] Documents(T settings, int? threads) =>
    [
        (RunFolder.SettingsName, stream => WriteSettings(stream, settings)),
        (MachineName, stream => Lines.Write(stream, MachineInfo.Collect(model: null, threads, CudaInfo.Collect(Host)))),
    ];

    /// <summary>Trains with a bar of progress; interrupted, says how to go on.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="steps">Steps that are left.</param>
    /// <param name="talk">Gets the bar.</param>
    /// <param name="train">Trains to the end; when interrupted, saves and throws.</param>
    /// <param name="done">How many steps are done.</param>
    /// <param name="outcome">What to say at the end.</param>
    protected void Train(string folder, long steps, RunTalk talk, Action<CancellationToken> train, Func<long> done, Func<string> outcome) =>
        Progress.Run(Host, (int)Math.Min(int.MaxValue, steps), "steps", talk.Quiet, progress =>
        {
            talk.Progress = progress;
            // Held to the end: whoever ends the process waits until the last step is saved.
            lock (Host.Writing)
            {
                try
                {
                    train(Host.Interrupted);
                    if (!talk.Quiet) progress.Say($"{folder}: {outcome()}");
                }
                catch (OperationCanceledException)
                {
                    progress.Say($"{folder}: saved at step {done()}; go on with: {CommandLine.Name} {Name} --resume {folder}");
                    throw;
                }
            }
        });

    /// <summary>What cannot be because of the settings is wrong usage; what goes wrong later is not.</summary>
    protected static void OrRefuse(Action action)
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

    protected IBackend Open(string device, int? threads, Precision precision = default)
    {
        if (!DeviceChoice.TryRead(device, out DeviceChoice choice)) throw new UsageException($"--device is '{device}'; it must be {DeviceChoice.Values}.");
        IBackend backend = Segmenter.OpenDevice(new SegmenterOptions { Device = choice.Kind, DeviceOrdinal = choice.Ordinal, Threads = threads, Precision = precision });
        if (choice.Kind == DeviceKind.Cuda) Host.Error.WriteLine(DeviceChoice.CudaWarning);
        return backend;
    }

    static string Locate(string? resume, string? folder)
    {
        if (resume is not null && folder is not null) throw new UsageException("--out and --resume both name a run folder; give one.");
        string path = Path.GetFullPath(resume ?? folder ?? throw new UsageException("--out is missing: name a folder for the run."));
        return resume is not null || !new RunFolder(path).IsTaken ? path : throw new UsageException($"{folder} is not empty: name another --out, or go on with the run in it: --resume {folder}.");
    }

    void WriteSettings(Stream stream, T settings)
    {
        string[] version = MachineInfo.ProgramVersion.Split('+', 2);
        JsonObject json = _options.ToJson(settings);
        json["about"] = new JsonObject
        {
            ["version"] = version[0],
            ["git"] = version.ElementAtOrDefault(1),
            ["command_line"] = string.Join(' ', Environment.GetCommandLineArgs().Skip(1)),
        };
        using var writer = new StreamWriter(stream, leaveOpen: true);
        writer.Write(json.ToJsonString(Readable) + "\n");
    }
}

/// <summary>What a run says to the terminal, above its bar of progress where there is one.</summary>
sealed class RunTalk(Host host, bool json, bool quiet)
{
    const int ShownProblems = 20;

    int _problems;

    public bool Quiet => quiet;

    public Progress? Progress { get; set; }

    /// <summary>A line of <c>metrics.csv</c>.</summary>
    public void Measured<TLine>(TLine line)
    {
        if (json) Lines.Write(host.Output, line);
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
