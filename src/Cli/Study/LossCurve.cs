using System.Globalization;
using ClipSegNative.Training;

namespace ClipSegNative.Cli.Study;

/// <summary>What a run's <c>metrics.csv</c> says.</summary>
static class LossCurve
{
    /// <summary>Every validation, and before each the mean of the training steps since the one before.</summary>
    public static IReadOnlyList<LossPoint> Read(RunFolder run)
    {
        var points = new List<LossPoint>();
        var since = new List<MetricsLine>();
        foreach (MetricsLine line in Lines(run))
        {
            if (line.Split == MetricsLine.Train)
            {
                since.Add(line);
                continue;
            }
            if (since.Count > 0) points.Add(new LossPoint(line.Step, MetricsLine.Train, since.Average(step => step.Loss), since.Average(step => step.Iou)));
            points.Add(new LossPoint(line.Step, line.Split, line.Loss, line.Iou));
            since.Clear();
        }
        return points;
    }

    /// <summary>The median over all steps but the first, which also fills caches.</summary>
    /// <param name="run">With at least one step.</param>
    /// <param name="phrases">Of a step.</param>
    public static double MillisecondsAStep(RunFolder run, long phrases)
    {
        double[] speeds = [.. Lines(run).Where(line => line.Split == MetricsLine.Train).Select(line => line.ImagesPerSecond)];
        double[] warm = [.. speeds.Skip(speeds.Length > 1 ? 1 : 0).Order()];
        return 1000 * phrases / warm[warm.Length / 2];
    }

    static IEnumerable<MetricsLine> Lines(RunFolder run) => File.ReadLines(Path.Combine(run.Location, MetricsLog.FileName)).Skip(1).Select(Line);

    static MetricsLine Line(string text)
    {
        string[] cells = text.Split(',');
        return new MetricsLine(long.Parse(cells[0], CultureInfo.InvariantCulture), Number(1), cells[2], Number(3), Number(4), Number(5), Number(6));

        double Number(int cell) => double.Parse(cells[cell], CultureInfo.InvariantCulture);
    }
}
