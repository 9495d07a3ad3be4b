using ScottPlot;

namespace ClipSegNative.Cli.Study;

/// <summary>The study's charts.</summary>
/// <param name="results">Of all runs that have ended.</param>
/// <param name="baselines">[set][baseline].</param>
sealed class StudyPlots(IReadOnlyList<RunResult> results, IReadOnlyDictionary<string, Dictionary<string, SetScore>> baselines)
{
    const int Width = 900, Height = 480;

    static readonly ScottPlot.Palettes.Category10 Palette = new();

    /// <summary>File names without extension, and what draws them.</summary>
    public IEnumerable<(string Name, string Caption, byte[] Png)> All()
    {
        foreach (string loss in results.Select(result => result.Run.Loss).Distinct())
            yield return ($"loss-{loss.Replace('+', '-')}", $"Loss curves of the runs trained by {loss}: means over seeds, validation as lines with marks, training dashed", LossCurves(loss));
        yield return ("iou", "IoU at probability 0.5: means over seeds, with their standard deviation", IouBars());
        yield return ("accuracy-iou", "Every run and baseline on seen phrases: pixel accuracy beside IoU", AccuracyBesideIou());
    }

    byte[] LossCurves(string loss)
    {
        Plot plot = PlotStyle.New($"Loss: {loss}", "step", "loss");
        int colour = 0;
        foreach (IGrouping<string, RunResult> kind in results.Where(result => result.Run.Loss == loss).GroupBy(result => result.Run.Kind))
        {
            Color ink = Palette.GetColor(colour++);
            foreach (string split in new[] { "val", "train" })
            {
                (double Step, double Loss)[] points =
                [
                    .. from result in kind
                       from point in result.Curve
                       where point.Split == split
                       group point.Loss by point.Step into step
                       orderby step.Key
                       select ((double)step.Key, step.Average()),
                ];
                ScottPlot.Plottables.Scatter line = plot.Add.Scatter(points.Select(point => point.Step).ToArray(), points.Select(point => point.Loss).ToArray(), ink);
                line.LineWidth = split == "val" ? 2 : 1;
                line.MarkerSize = split == "val" ? 5 : 0;
                if (split == "train") line.LinePattern = LinePattern.Dashed;
                else line.LegendText = kind.Key;
            }
        }
        plot.ShowLegend(Alignment.UpperRight);
        return plot.GetImageBytes(Width, Height, ImageFormat.Png);
    }

    byte[] IouBars()
    {
        const double Wide = 0.8;
        string[] sets = [.. StudyData.SetNames.Where(set => results[0].Sets.TryGetValue(set, out SetScore? score) && score.Targets > 0).Take(2)];
        string[] losses = [.. results.Select(result => result.Run.Loss).Distinct()];
        string[] columns = [.. results.Select(Column).Distinct()];
        Plot plot = PlotStyle.New("IoU by decoder, size and loss", "", "mean IoU");
        plot.Axes.SetLimitsY(0, 1);
        for (int set = 0; set < sets.Length; set++)
        {
            for (int column = 0; column < columns.Length; column++)
            {
                for (int loss = 0; loss < losses.Length; loss++)
                {
                    Spread iou = Spread.Of(results.Where(result => Column(result) == columns[column] && result.Run.Loss == losses[loss]).Select(result => result.Sets[sets[set]].Iou[SetScore.Half]));
                    if (iou.Count == 0) continue;
                    plot.Add.Bar(new Bar
                    {
                        Position = set * (columns.Length + 1) + column + Wide * (loss + 0.5) / losses.Length - Wide / 2,
                        Size = Wide / losses.Length,
                        Value = iou.Mean,
                        Error = iou.Deviation,
                        FillColor = Palette.GetColor(loss),
                    });
                }
            }
        }
        Tick[] ticks = [.. from set in Enumerable.Range(0, sets.Length) from column in Enumerable.Range(0, columns.Length) select new Tick(set * (columns.Length + 1) + column, $"{sets[set]}: {columns[column]}")];
        PlotStyle.SlantedNames(plot, ticks, length: 200);
        for (int loss = 0; loss < losses.Length; loss++) plot.Legend.ManualItems.Add(new LegendItem { LabelText = losses[loss], FillColor = Palette.GetColor(loss) });
        plot.ShowLegend(Alignment.UpperRight);
        return plot.GetImageBytes(Width, Height + 100, ImageFormat.Png);

        static string Column(RunResult result) => $"{(result.Run.Tower == StudyPlan.Random ? "random tower\n" : "")}{result.Run.Decoder} {result.Run.Size}";
    }

    byte[] AccuracyBesideIou()
    {
        Plot plot = PlotStyle.New("What accuracy hides: seen phrases, probability 0.5", "pixel accuracy", "mean IoU");
        int colour = 0;
        foreach (IGrouping<string, RunResult> kind in results.GroupBy(result => $"{result.Run.Decoder} {result.Run.Loss}{(result.Run.Tower == StudyPlan.Random ? ", random tower" : "")}"))
            Points(kind.Key, kind.Select(result => result.Sets["seen"]), MarkerShape.FilledCircle);
        foreach ((string name, SetScore score) in baselines.GetValueOrDefault("seen") ?? []) Points(name, [score], MarkerShape.FilledDiamond);
        plot.Axes.SetLimits(0, 1.02, -0.02, 1.02);
        plot.ShowLegend(Alignment.UpperLeft);
        return plot.GetImageBytes(Width, Height, ImageFormat.Png);

        void Points(string name, IEnumerable<SetScore> scores, MarkerShape shape)
        {
            SetScore[] all = [.. scores];
            plot.Add.Markers(all.Select(score => score.Accuracy).ToArray(), all.Select(score => score.Iou[SetScore.Half]).ToArray(), shape, 9, Palette.GetColor(colour++)).LegendText = name;
        }
    }
}
