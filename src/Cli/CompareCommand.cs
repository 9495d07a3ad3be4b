using System.CommandLine;
using System.Globalization;
using ClipSegNative.Cli.Study;
using ClipSegNative.Data;

namespace ClipSegNative.Cli;

/// <summary>compare: trains decoders of several kinds, sizes and losses on one set of features, and writes what came of it.</summary>
sealed class CompareCommand : Command, IHasNotes
{
    readonly Host _host;
    readonly Option<string> _data = new("--data") { Description = "Scenes to learn from: a folder as data scenes writes it", HelpName = "DIR", Required = true };
    readonly Option<string> _val = new("--val") { Description = "Other scenes, to judge by", HelpName = "DIR", Required = true };
    readonly Option<string> _clip = new("--clip") { Description = "A model folder with CLIP's towers, which stay as they are", HelpName = "DIR", Required = true };
    readonly Option<string> _out = new("--out", "-o") { Description = "The study's folder: made where missing; one that was interrupted goes on", HelpName = "RUN", Required = true };
    readonly Option<string> _decoders = List("--decoders", "LIST", "Kinds of decoders", "transformer,conv");
    readonly Option<string> _sizes = List("--sizes", "LIST", "Their sizes, the smallest first, as train --size has them", "small,base");
    readonly Option<string> _losses = List("--losses", "LIST", "What they are trained by, as train --loss has it", "bce,dice,bce+dice");
    readonly Option<string> _seeds = List("--seeds", "LIST", "Seeds of each", "1,2,3");
    readonly Option<int?> _steps = Count("--steps", "Optimiser steps of every run; else 600");
    readonly Option<int?> _batch = Count("--batch", "Phrases a step; else 16");
    readonly Option<int?> _jobs = Count("--jobs", "Runs at once, each on one thread; else one a core");
    readonly Option<int?> _limit = Count("--limit", "Only the first so many phrases of each set");

    readonly Option<double?> _rate = OptionValues.Of<double>(
        "--learning-rate", "R", "Highest learning rate; else 0.001", "a number above 0",
        (string text, out double rate) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out rate) && rate is > 0 and < 100);

    readonly Option<bool> _random = new("--random-tower") { Description = "Also train each decoder, in its largest size by the last loss, on an image tower of random values" };
    readonly Option<string?> _report = new("--report") { Description = "The page, with its pictures in images/study beside it; else study.md in RUN", HelpName = "FILE" };
    readonly Option<bool> _quiet = new("--quiet") { Description = "Say nothing but errors and warnings" };

    public CompareCommand(Host host) : base("compare", "Trains decoders of several kinds, sizes and losses on the same features, and reports.")
    {
        _host = host;
        Option[] options = [_data, _val, _clip, _out, _decoders, _sizes, _losses, _seeds, _steps, _batch, _rate, _random, _jobs, _limit, _report, _quiet];
        foreach (Option option in options) Options.Add(option);
        SetAction(parse => (int)Run(parse));
    }

    public string Notes => """
        --data has refer_train.json; --val has refer_seen.json and may have refer_unseen.json,
        refer_unseen_shapes.json, refer_relations.json, refer_negative.json, refer_nearmiss.json and
        scenes.json, from which a reader that knows nothing but colours is scored. Runs that have
        ended are skipped, one that was killed goes on; more decoders, sizes, losses or seeds may be
        added later. The page is written anew each time.

        """;

    ExitCode Run(ParseResult parse)
    {
        StudyPlan plan = Read(parse);
        string report = parse.GetValue(_report) ?? Path.Combine(parse.GetRequiredValue(_out), "study.md");
        var folder = new StudyFolder(Path.GetFullPath(parse.GetRequiredValue(_out)));
        bool quiet = parse.GetValue(_quiet);
        var data = new StudyData(plan, new DataProblems(report: line => _host.Error.WriteLine($"warning: {line}")));
        // Held to the end: whoever ends the process waits until what was trained is saved.
        lock (_host.Writing)
        {
            folder.Begin(plan);
            try
            {
                new StudySession(plan, folder, data, parse.GetValue(_jobs) ?? Environment.ProcessorCount, _host, quiet).Run();
            }
            catch (OperationCanceledException)
            {
                _host.Error.WriteLine($"{folder.Location}: saved; the same command goes on.");
                throw;
            }
            Dictionary<string, Dictionary<string, SetScore>> baselines = data.Sets.ToDictionary(
                set => set.Key, set => Baselines.Score(set.Value, StudySession.Side(folder), data.Scenes));
            folder.Write(baselines);
            RunResult[] results = [.. plan.Runs.Select(folder.Result).OfType<RunResult>()];
            new StudyReport(plan, results, baselines, CommandOf(parse)).Write(report, data, folder);
        }
        if (!quiet) _host.Error.WriteLine($"{report}: {plan.Runs.Count()} runs.");
        return ExitCode.Ok;
    }

    StudyPlan Read(ParseResult parse)
    {
        var plan = new StudyPlan
        {
            Data = parse.GetRequiredValue(_data),
            Val = parse.GetRequiredValue(_val),
            Clip = ModelFolder.Resolve(parse.GetRequiredValue(_clip), _host),
            Decoders = Items(parse, _decoders),
            Sizes = Items(parse, _sizes),
            Losses = Items(parse, _losses),
            Seeds = [.. Items(parse, _seeds).Select(text => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed)
                ? seed
                : throw new UsageException($"--seeds holds '{text}'; each must be a whole number from 0."))],
            RandomTower = parse.GetValue(_random),
            Limit = parse.GetValue(_limit) ?? 0,
        };
        plan = plan with
        {
            Steps = parse.GetValue(_steps) ?? plan.Steps,
            Batch = parse.GetValue(_batch) ?? plan.Batch,
            LearningRate = parse.GetValue(_rate) ?? plan.LearningRate,
        };
        plan = plan.WithFullPaths();
        foreach (StudyRun run in plan.Runs) Check(plan, run);
        return plan;
    }

    /// <summary>What is wrong with any run is found before the first is trained.</summary>
    static void Check(StudyPlan plan, StudyRun run)
    {
        try
        {
            Training.TrainingSettings settings = plan.Settings(run, plan.Clip);
            settings.Check();
            Training.DecoderChoice.Configure(settings);
        }
        catch (Training.TrainingException error)
        {
            throw new UsageException($"{run.Kind}: {error.Message}");
        }
    }

    static string[] Items(ParseResult parse, Option<string> option)
    {
        string[] items = parse.GetRequiredValue(option).Split(',', StringSplitOptions.TrimEntries);
        return items.Length == items.Distinct().Count() && !items.Contains("")
            ? items
            : throw new UsageException($"{option.Name} is '{parse.GetRequiredValue(option)}'; it must be a list of different things with commas between.");
    }

    string CommandOf(ParseResult parse) => $"{CommandLine.Name} compare {string.Join(' ', parse.Tokens.Skip(1).Select(token => token.Value))}";

    static Option<string> List(string name, string helpName, string description, string fallback) =>
        new(name) { Description = $"{description}; else {fallback}", HelpName = helpName, DefaultValueFactory = _ => fallback };

    static Option<int?> Count(string name, string description) => OptionValues.Of<int>(
        name, "N", description, "a whole number from 1", (string text, out int count) => OptionValues.TryCount(text, 1, out count));
}
