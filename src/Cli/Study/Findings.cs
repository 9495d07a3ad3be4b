namespace ClipSegNative.Cli.Study;

/// <summary>Answers the findings of the original study from the results alone.</summary>
/// <param name="results">Of all runs that have ended.</param>
/// <param name="baselines">[set][baseline].</param>
sealed class Findings(IReadOnlyList<RunResult> results, IReadOnlyDictionary<string, Dictionary<string, SetScore>> baselines)
{
    /// <summary>How much closer in accuracy than in IoU all background must lie, to say that accuracy misleads.</summary>
    const double LeastGap = 0.1;

    /// <summary>What is compared. A threshold is chosen on seen phrases alone and used for the unseen ones.</summary>
    static readonly (string Name, Func<RunResult, double?> Value)[] Measures =
    [
        ("IoU on seen phrases at probability 0.5", run => run.Sets["seen"].Iou[SetScore.Half]),
        ("IoU on seen phrases at the run's best threshold", run => run.Sets["seen"].Iou.Max()),
        ("IoU on unseen combinations at that threshold", run => run.Sets.GetValueOrDefault("unseen")?.Iou[run.Sets["seen"].Best]),
    ];

    readonly RunResult[] _trained = [.. results.Where(result => result.Run.Tower == StudyPlan.Trained)];

    public IReadOnlyList<Finding> All =>
    [
        new("Binary cross-entropy is a poor guide", [.. CrossEntropy()]),
        new("The U-Net is weaker than the transformer on CLIP features", [.. Compare(
            "transformer - conv", _trained.Where(result => result.Run.Decoder == "transformer"), run => run with { Decoder = "conv" })]),
        new("The choice of the loss matters", [.. Losses()]),
        new("What pre-training gives", [.. Compare(
            "trained - random image tower", _trained, run => run with { Tower = StudyPlan.Random })]),
    ];

    IEnumerable<Claim> CrossEntropy()
    {
        double[] lost = [.. _trained.Where(result => result.Run.Loss == "bce").Select(LostByChoosing).OfType<double>()];
        if (lost.Length > 0) yield return new Claim("IoU lost by taking the checkpoint of the lowest validation loss instead of that of the highest IoU, of runs trained by bce", Spread.Of(lost));
        foreach (string other in _trained.Select(result => result.Run.Loss).Distinct().Where(loss => loss != "bce"))
            foreach (Claim claim in Compare($"{other} - bce", _trained.Where(result => result.Run.Loss == other), run => run with { Loss = "bce" })) yield return claim;
        if (baselines.GetValueOrDefault("seen")?.GetValueOrDefault(Baselines.Background) is not { } background || _trained.Length == 0) yield break;
        yield return new Claim(
            "How much further above all background a run is in IoU than in pixel accuracy, on seen phrases",
            Spread.Of(_trained.Select(result => result.Sets["seen"]).Select(score => score.Iou[SetScore.Half] - background.Iou[SetScore.Half] - (score.Accuracy - background.Accuracy))),
            LeastGap);
    }

    /// <summary>Null for a run without validations.</summary>
    static double? LostByChoosing(RunResult result)
    {
        LossPoint[] validations = [.. result.Curve.Where(point => point.Split == "val")];
        return validations.Length == 0 ? null : validations.Max(point => point.Iou) - validations.MinBy(point => point.Loss)!.Iou;
    }

    IEnumerable<Claim> Losses()
    {
        foreach ((string name, Func<RunResult, double?> value) in Measures)
        {
            (string Loss, double Mean)[] means =
            [
                .. from result in _trained
                   where value(result) is not null
                   group value(result)!.Value by result.Run.Loss into runs
                   select (runs.Key, runs.Average()),
            ];
            if (means.Length < 2) continue;
            string best = means.MaxBy(mean => mean.Mean).Loss, worst = means.MinBy(mean => mean.Mean).Loss;
            yield return Compare($"{best} (best) - {worst} (worst), {name}", _trained.Where(result => result.Run.Loss == best), run => run with { Loss = worst }, value);
        }
    }

    IEnumerable<Claim> Compare(string difference, IEnumerable<RunResult> ours, Func<StudyRun, StudyRun> other) =>
        from measure in Measures
        let claim = Compare($"{difference}, {measure.Name}", ours, other, measure.Value)
        where claim.Differences.Count > 0
        select claim;

    Claim Compare(string statement, IEnumerable<RunResult> ours, Func<StudyRun, StudyRun> other, Func<RunResult, double?> value) => new(
        statement,
        Spread.Of(
            from result in ours
            let partner = results.FirstOrDefault(candidate => candidate.Run == other(result.Run))
            where partner is not null
            let difference = value(result) - value(partner)
            where difference is not null
            select difference.Value));
}
