using System.Text.Json;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Benchmarks.Peaks;
using ClipSegNative.Cli;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;

namespace ClipSegNative.Benchmarks.Peers;

/// <summary>This engine beside what a C# user would take instead, on a model of random weights at full size.</summary>
/// <param name="model">The model.</param>
/// <param name="quick">Few rounds, and no long case.</param>
/// <param name="only">Part of the names of the cases wanted; empty for all.</param>
sealed class PeersCommand(PeerModel model, bool quick, string only)
{
    public const string Usage = "peers --json FILE [--quick] [--only WORD] [--model DIR] [--threads N]";

    static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    readonly Effort _effort = quick ? Effort.Quick : Effort.Full;

    public static int Run(string[] arguments)
    {
        if (Value(arguments, "--json") is not { } json)
        {
            Console.Error.WriteLine($"Usage: {Usage}");
            return 2;
        }
        int threads = Value(arguments, "--threads") is { } number ? int.Parse(number) : Environment.ProcessorCount;
        string work = Directory.CreateTempSubdirectory("clipseg-peers").FullName;
        try
        {
            string folder = Value(arguments, "--model") ?? Path.Combine(work, "model");
            if (!File.Exists(Path.Combine(folder, ClipSegConfig.FileName))) WriteModel(folder);
            PeerResults results = new PeersCommand(new PeerModel(folder, Path.Combine(work, "graphs")), arguments.Contains("--quick"), Value(arguments, "--only") ?? "").Compare(threads);
            File.WriteAllText(json, JsonSerializer.Serialize(results, Json));
            if (results.Cases.Count > 0) File.WriteAllBytes(Path.ChangeExtension(json, ".png"), PeerPlot.Draw(results));
            return 0;
        }
        finally { Directory.Delete(work, recursive: true); }
    }

    PeerResults Compare(int threads)
    {
        MachineInfo machine = MachineInfo.Collect(model: null, threads, new CudaInfo([], [], Problem: null, VisibleDevices: null));
        ILookup<bool, (Contender Contender, string? Problem)> had = Contender.All.Select(contender => (contender, contender.Problem())).ToLookup(pair => pair.Item2 is null);
        Contender[] contenders = [.. had[true].Select(pair => pair.Contender).Where(contender => !quick || contender.Precision != Precision.F16Weights)];
        var results = new PeerResults(
            machine.Version, machine.System, machine.Runtime, machine.Processor, machine.Features, machine.Cores, machine.CpuPath, contenders.Any(contender => !contender.Ours) ? OrtGraph.Version : null, quick, DateTime.UtcNow);
        PeerReport.Machine(results);
        results.Skipped.AddRange(had[false].Select(pair => $"{pair.Contender.Name}: {pair.Problem}"));
        if (quick) results.Skipped.Add("ours f16-weights: --quick");
        GraphFiles.Write(model, contenders.SelectMany(contender => contender.Graphs));
        foreach (IGrouping<int, PeerCase> group in PeerCase.All(threads).Where(item => Wanted(item.Name)).GroupBy(item => item.Threads)) Group(group.Key, [.. group], contenders, results);
        PeerReport.Ratios(results);
        PeerReport.Agreements(results);
        if (Wanted("start")) results.Starts.AddRange(StartProbe.Measure(contenders, model, threads, _effort));
        PeerReport.Starts(results);
        if (Wanted("training")) results.Training.AddRange(TrainingSteps.Measure(model, threads, _effort));
        PeerReport.Training(results);
        PeerReport.Skipped(results);
        return results;
    }

    bool Wanted(string name) => name.Contains(only, StringComparison.Ordinal);

    void Group(int threads, IReadOnlyList<PeerCase> cases, IReadOnlyList<Contender> contenders, PeerResults results)
    {
        IEngine[] engines = [.. contenders.Select(contender => contender.Open(model, threads))];
        Dictionary<Precision, MultiplyAddPeak> peaks = contenders.Select(contender => contender.Arithmetic).Distinct()
            .Select(precision => (precision, MultiplyAddPeak.Of(precision, CpuInstructionSets.Best, threads))).Where(pair => pair.Item2 is not null)
            .ToDictionary(pair => pair.precision, pair => pair.Item2!);
        PeerReport.CaseHead(contenders, threads);
        foreach (PeerCase item in cases)
        {
            if (quick && item.Long)
            {
                results.Skipped.Add($"{item.Name}, threads {threads}: --quick");
                continue;
            }
            (Contender Contender, Action Action)[] part =
            [
                .. contenders.Zip(engines, (contender, engine) => (contender, item.Prepare(engine))).Where(pair => pair.Item2 is not null).Select(pair => (pair.contender, pair.Item2!)),
            ];
            Rounds rounds = Interleaved.Run([.. part.Select(pair => pair.Action)], _effort, item.GigaFlop > 0 ? peaks : null);
            CaseResult result = Result(item, [.. part.Select(pair => pair.Contender)], rounds);
            results.Cases.Add(result);
            PeerReport.Case(result, contenders);
        }
        if (results.Agreements.Count == 0) results.Agreements.AddRange(Agree(contenders, engines));
        foreach (IDisposable used in engines.Concat<IDisposable>(peaks.Values)) used.Dispose();
    }

    static CaseResult Result(PeerCase item, Contender[] contenders, Rounds rounds)
    {
        Timing[] timings =
        [
            .. contenders.Zip(rounds.Milliseconds, (contender, times) => new Timing(contender.Name, Interleaved.Median(times), times.Min(), times.Max(), times.Length,
                rounds.Peaks.TryGetValue(contender.Arithmetic, out double[]? peaks) ? Interleaved.Median(times.Zip(peaks, (time, peak) => item.GigaFlop / (time / 1000) / peak)) : null)),
        ];
        PairRatio[] ratios =
        [
            .. from own in Enumerable.Range(0, contenders.Length)
               where contenders[own].Ours
               from peer in Enumerable.Range(0, contenders.Length)
               where !contenders[peer].Ours
               select new PairRatio(contenders[own].Name, contenders[peer].Name, Interleaved.Ratio(rounds.Milliseconds[peer], rounds.Milliseconds[own])),
        ];
        return new CaseResult(item.Name, item.Threads, rounds.Peaks.ToDictionary(pair => pair.Key.Name(), pair => Interleaved.Median(pair.Value)), timings, ratios);
    }

    /// <summary>Nobody is fast by computing something else.</summary>
    Agreement[] Agree(IReadOnlyList<Contender> contenders, IEngine[] engines)
    {
        string[] phrases = model.NewPhrases(2);
        float[] reference = engines[0].Logits(phrases);
        double mean = reference.Average(), spread = Math.Sqrt(reference.Average(logit => (logit - mean) * (logit - mean)));
        return
        [
            .. contenders.Zip(engines).Skip(1).Select(pair =>
                new Agreement(pair.First.Name, pair.Second.Logits(phrases).Zip(reference, (a, b) => Math.Abs((double)a - b)).Max(), spread)),
        ];
    }

    static void WriteModel(string folder)
    {
        ClipSegConfig config = ClipSegConfig.Presets["clipseg-rd64-refined"];
        RandomWeights.Write(folder, config, seed: 0);
        ClipVocabulary.WriteByteLevel(folder, config.Text.VocabularySize);
    }

    static string? Value(string[] arguments, string option) => Array.IndexOf(arguments, option) is >= 0 and int at && at + 1 < arguments.Length ? arguments[at + 1] : null;
}
