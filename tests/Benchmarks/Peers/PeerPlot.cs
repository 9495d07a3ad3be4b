using ScottPlot;
using PlotStyle = ClipSegNative.Cli.Study.PlotStyle;

namespace ClipSegNative.Benchmarks.Peers;

/// <summary>Speed of every contender in every case, the first of ours being 1.</summary>
static class PeerPlot
{
    const int Width = 1100, Height = 680;

    public static byte[] Draw(PeerResults results)
    {
        const double Group = 0.85;
        string[] names = [.. results.Cases.SelectMany(item => item.Timings).Select(timing => timing.Contender).Distinct()];
        var palette = new ScottPlot.Palettes.Category10();
        Plot plot = PlotStyle.New($"Speed beside {names[0]}: {results.Processor}, {results.CpuPath}", "", $"time of {names[0]} / time");
        for (int at = 0; at < results.Cases.Count; at++)
        {
            CaseResult item = results.Cases[at];
            foreach (Timing timing in item.Timings)
            {
                int column = Array.IndexOf(names, timing.Contender);
                plot.Add.Bar(new Bar
                {
                    Position = at + Group * ((column + 0.5) / names.Length - 0.5),
                    Size = Group / names.Length,
                    Value = item.Timings[0].Median / timing.Median,
                    FillColor = palette.GetColor(column),
                });
            }
        }
        plot.Add.HorizontalLine(1, width: 1, Colors.Gray);
        PlotStyle.SlantedNames(plot, [.. results.Cases.Select((item, at) => new Tick(at, $"{item.Case}, {item.Threads} thread{(item.Threads == 1 ? "" : "s")}"))], length: 270);
        for (int i = 0; i < names.Length; i++) plot.Legend.ManualItems.Add(new LegendItem { LabelText = names[i], FillColor = palette.GetColor(i) });
        plot.ShowLegend(Edge.Right);
        return plot.GetImageBytes(Width, Height, ImageFormat.Png);
    }
}
