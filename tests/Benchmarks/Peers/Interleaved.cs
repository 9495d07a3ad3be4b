using System.Collections.ObjectModel;
using System.Diagnostics;
using ClipSegNative.Benchmarks.Peaks;

namespace ClipSegNative.Benchmarks.Peers;

/// <summary>How long to measure.</summary>
/// <param name="Rounds">The most rounds of a case.</param>
/// <param name="Fewest">Rounds however long they take.</param>
/// <param name="Seconds">No further round begins after so long.</param>
/// <param name="Starts">Processes of each contender.</param>
sealed record Effort(int Rounds, int Fewest, double Seconds, int Starts)
{
    public static Effort Full { get; } = new(15, 3, 60, 7);

    public static Effort Quick { get; } = new(3, 2, 8, 2);
}

/// <summary>Times of one case: [contender][round] in milliseconds, and by precision the multiply-add peak of each round.</summary>
sealed record Rounds(double[][] Milliseconds, IReadOnlyDictionary<Precision, double[]> Peaks);

/// <summary>
/// Contenders take turns, so that what the machine's neighbours do hits all of them; who begins changes from round to round. Threads of one library spin for
/// a while after a call and would disturb the next, hence a pause before each.
/// </summary>
static class Interleaved
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(80);

    /// <param name="actions">Each ends when its result is there.</param>
    /// <param name="effort">How long.</param>
    /// <param name="peaks">Measured once a round; null for none.</param>
    public static Rounds Run(IReadOnlyList<Action> actions, Effort effort, IReadOnlyDictionary<Precision, MultiplyAddPeak>? peaks = null)
    {
        foreach (Action action in actions) action();   // compiles, and grows what memory there is to grow
        List<double>[] times = [.. actions.Select(_ => new List<double>())];
        peaks ??= ReadOnlyDictionary<Precision, MultiplyAddPeak>.Empty;
        Dictionary<Precision, List<double>> rates = peaks.ToDictionary(pair => pair.Key, _ => new List<double>());
        long begin = Stopwatch.GetTimestamp();
        for (int round = 0; round < effort.Rounds && (round < effort.Fewest || Stopwatch.GetElapsedTime(begin).TotalSeconds < effort.Seconds); round++)
        {
            foreach ((Precision precision, MultiplyAddPeak peak) in peaks)
            {
                Thread.Sleep(Pause);
                rates[precision].Add(peak.GigaFlops());
            }
            for (int turn = 0; turn < actions.Count; turn++)
            {
                int i = (round + turn) % actions.Count;
                Thread.Sleep(Pause);
                long start = Stopwatch.GetTimestamp();
                actions[i]();
                times[i].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }
        return new Rounds([.. times.Select(list => list.ToArray())], rates.ToDictionary(pair => pair.Key, pair => pair.Value.ToArray()));
    }

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// <summary>Median of what the other took over what this one took, round by round: above 1, this one is faster.</summary>
    public static double Ratio(double[] other, double[] own) => Median(other.Zip(own, (a, b) => a / b));
}
