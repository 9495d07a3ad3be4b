using System.Globalization;
using System.Text;
using ClipSegNative.Training;

namespace ClipSegNative.Cli.Study;

/// <summary>The study as a page: every number and every sentence about a number comes from the results.</summary>
/// <param name="plan">With full paths.</param>
/// <param name="results">Of all runs that have ended; at least one.</param>
/// <param name="baselines">[set][baseline].</param>
/// <param name="command">The line that makes the page again.</param>
sealed class StudyReport(StudyPlan plan, IReadOnlyList<RunResult> results, IReadOnlyDictionary<string, Dictionary<string, SetScore>> baselines, string command)
{
    const string Images = "images/study";

    static readonly Dictionary<string, string> SetTitles = new()
    {
        ["seen"] = "seen",
        ["unseen"] = "unseen combinations",
        ["unseen_shapes"] = "unseen shapes",
        ["relations"] = "relations",
        ["negative"] = "absent",
        ["nearmiss"] = "near-miss",
    };

    readonly StringBuilder _text = new();

    IEnumerable<IGrouping<string, RunResult>> Kinds => results.GroupBy(result => result.Run.Kind);

    IEnumerable<string> TargetSets => SetsWhere(score => score.Targets > 0);

    IEnumerable<string> AbsentSets => SetsWhere(score => score.Absent > 0);

    /// <summary>Writes the page and its pictures, in a folder beside it.</summary>
    /// <param name="path">Of the page; its folder is made where it is missing.</param>
    /// <param name="data">Of the plan.</param>
    /// <param name="folder">Has the predictions that are shown.</param>
    public void Write(string path, StudyData data, StudyFolder folder)
    {
        string pictures = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, Images);
        Directory.CreateDirectory(pictures);
        Introduce(data);
        Answer();
        Scores();
        SizesOfTargets();
        Absences();
        Costs();
        foreach ((string name, string caption, byte[] png) in new StudyPlots(results, baselines).All())
        {
            AtomicFile.Write(Path.Combine(pictures, $"{name}.png"), stream => stream.Write(png));
            Line($"![{caption}]({Images}/{name}.png)\n\n{caption}.\n");
        }
        Examples(pictures, data, folder);
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(_text.ToString())));
    }

    void Introduce(StudyData data)
    {
        Line("# Which decoder, which size, which loss\n");
        Line($"Written by `{command}`; it goes on where it was interrupted, skips runs that have ended, and writes this page and its pictures anew.\n");
        Line($"{results.Count} of {plan.Runs.Count()} runs: decoders {Join(plan.Decoders)}; sizes {Join(plan.Sizes)}; losses {Join(plan.Losses)}; seeds {Join(plan.Seeds)}"
            + $"{(plan.RandomTower ? "; and on an image tower of random values" : "")}. "
            + $"Each trained {plan.Steps} steps of {plan.Batch} phrases at a learning rate of {plan.LearningRate.ToString(CultureInfo.InvariantCulture)} (warm-up of a twentieth, cosine to a tenth) on the same features "
            + $"of the frozen towers, of {data.Training.Samples.Count:N0} phrases about whole pictures, absent ones included; runs of one seed see them in the same order. "
            + "The last weights are scored, not the best of several validations, at the working size; equal steps rank by what is learned in that time, not by where longer training ends. "
            + $"Scored: {Join(data.Sets.Select(set => $"{Title(set.Key)} {set.Value.Samples.Count:N0} phrases"))}.\n");
        Line("IoU, Dice and pixel accuracy are means over phrases, found meaning a probability above 0.5 where nothing else is said. "
            + "\"Best threshold\" is the one of CLIPSeg's 49 at which a run's mean IoU on seen phrases is highest; other sets are judged at the same one. ± is the standard deviation over seeds.\n");
        Line($"Beside them: {Baselines.Background} and {Baselines.Foreground}; {Baselines.Colour}: perfect masks of everything of the colour that the phrase names first (of everything, where it names none)."
            + $"{(plan.RandomTower ? " \"Random tower\" keeps the trained text tower and puts random values in the image tower." : "")}\n");
    }

    void Answer()
    {
        Line("## The findings of the original study\n");
        Line($"{Claim.Rule}\n");
        foreach (Finding finding in new Findings(results, baselines).All)
        {
            Line($"### {finding.Title}\n\n{finding.Verdict}\n");
            foreach (Claim claim in finding.Claims) Line($"- {claim}");
            if (finding.Claims.Count > 0) Line("");
        }
    }

    void Scores()
    {
        Line("## Scores\n");
        string[] others = [.. TargetSets.Skip(1)];
        Header(["parameters", "accuracy, seen", "Dice, seen", "IoU, seen", "the same, targets >= 1.6 %", "IoU, seen, best threshold", .. others.Select(set => $"IoU, {Title(set)}"), "AP, seen"]);
        foreach (IGrouping<string, RunResult> kind in Kinds)
            Row(kind.Key, [$"{kind.First().Parameters:N0}", .. Cells(kind)]);
        foreach (string name in baselines["seen"].Keys) Row(name, ["-", .. BaselineCells(name)]);
        Line("");

        IEnumerable<string> Cells(IGrouping<string, RunResult> kind)
        {
            yield return Of(kind, run => run.Sets["seen"].Accuracy);
            yield return Of(kind, run => run.Sets["seen"].Dice);
            yield return Of(kind, run => run.Sets["seen"].Iou[SetScore.Half]);
            yield return Of(kind, run => run.Sets["seen"].IouAboveSmall(SetScore.Half));
            yield return Of(kind, run => run.Sets["seen"].Iou.Max());
            foreach (string set in others) yield return Of(kind, run => run.Sets[set].Iou[SetScore.Half]);
            yield return Of(kind, run => run.Sets["seen"].AveragePrecision);
        }

        IEnumerable<string> BaselineCells(string name)
        {
            SetScore seen = baselines["seen"][name];
            foreach (double value in new[] { seen.Accuracy, seen.Dice, seen.Iou[SetScore.Half], seen.IouAboveSmall(SetScore.Half) }) yield return Number(value);
            yield return "-";
            foreach (string set in others) yield return baselines[set].TryGetValue(name, out SetScore? score) ? Number(score.Iou[SetScore.Half]) : "-";
            yield return "-";
        }
    }

    void SizesOfTargets()
    {
        Line("## By size of the target\n\nIoU, by the share of the picture that the target covers.\n");
        string[] sets = [.. TargetSets.Take(2)];
        SetScore[] counts = [.. sets.Select(set => results[0].Sets[set])];
        Header([.. sets.SelectMany((set, i) => SetScore.SizeNames.Select((size, k) => $"{Title(set)}, {size} ({counts[i].TargetsBySize[k]})"))]);
        foreach (IGrouping<string, RunResult> kind in Kinds)
            Row(kind.Key, [.. sets.SelectMany(set => SetScore.SizeNames.Select((_, size) => Of(kind, run => run.Sets[set].IouBySize[size][SetScore.Half])))]);
        foreach (string name in baselines["seen"].Keys)
            Row(name, [.. sets.SelectMany(set => SetScore.SizeNames.Select((_, size) => Number(baselines[set][name].IouBySize[size][SetScore.Half])))]);
        Line("");
    }

    void Absences()
    {
        string[] sets = [.. AbsentSets];
        if (sets.Length == 0) return;
        Line("## Phrases that name nothing in the picture\n\nThe share for which not one pixel was found.\n");
        Header([.. sets.SelectMany(set => new[] { Title(set), $"{Title(set)}, best threshold" }), "best threshold"]);
        foreach (IGrouping<string, RunResult> kind in Kinds)
        {
            Row(kind.Key, [
                .. sets.SelectMany(set => new[] { Of(kind, run => run.Sets[set].Empty[SetScore.Half]), Of(kind, run => run.Sets[set].Empty[run.Sets["seen"].Best]) }),
                Of(kind, run => Evaluation.ThresholdCounts.Threshold(run.Sets["seen"].Best), "0.00")]);
        }
        foreach (string name in baselines["seen"].Keys) Row(name, [.. sets.SelectMany(set => new[] { Number(baselines[set][name].Empty[SetScore.Half]), "-" }), "-"]);
        Line("");
    }

    void Costs()
    {
        Line("## Time\n\nMilliseconds a step, loading included, on one thread beside the runs that went on at the same time.\n");
        Header(["ms a step", "phrases a second"]);
        foreach (IGrouping<string, RunResult> kind in Kinds)
            Row(kind.Key, [Of(kind, run => run.MillisecondsAStep, "0"), Of(kind, run => 1000 * plan.Batch / run.MillisecondsAStep, "0")]);
        Line("\n## Curves and pictures\n");
    }

    void Examples(string pictures, StudyData data, StudyFolder folder)
    {
        StudyRun[] shown = [.. results.Select(result => result.Run).Where(run => run.Seed == plan.Seeds[0] && run.Size == plan.Sizes[^1])];
        RunFolder[] runs = [.. shown.Select(folder.Run)];
        int side = StudySession.Side(folder);
        var rows = new List<(StudyExample Example, string Name)>();
        foreach (StudyExample example in StudyExamples.Of(data))
        {
            if (StudyExamples.Row(example, runs, side) is not { } row) continue;
            string name = $"example-{rows.Count + 1}.png";
            AtomicFile.Write(Path.Combine(pictures, name), stream => stream.Write(row));
            rows.Add((example, name));
        }
        if (rows.Count == 0) return;
        Line($"## Examples\n\nThe first phrases of their sets, none chosen for its looks. From the left: the scene, the target, then {Join(shown.Select(run => run.Kind))} (seed {plan.Seeds[0]}, probability 0.5).\n");
        foreach ((StudyExample example, string name) in rows) Line($"{Title(example.Set)}: \"{example.Phrase}\"\n\n![{example.Phrase}]({Images}/{name})\n");
    }

    IEnumerable<string> SetsWhere(Func<SetScore, bool> condition) =>
        StudyData.SetNames.Where(set => results[0].Sets.TryGetValue(set, out SetScore? score) && condition(score));

    static string Of(IEnumerable<RunResult> runs, Func<RunResult, double> value, string format = "0.000") => Spread.Of(runs.Select(value)).Text(format);

    static string Number(double value) => new Spread(value, 0, 1).ToString();

    static string Title(string set) => SetTitles[set];

    static string Join<T>(IEnumerable<T> items) => string.Join(", ", items);

    void Header(string[] columns)
    {
        Row("", columns);
        Row("---", [.. columns.Select(_ => "---")]);
    }

    void Row(string first, string[] cells) => Line($"| {first} | {string.Join(" | ", cells)} |");

    void Line(string text) => _text.Append(text).Append('\n');
}
