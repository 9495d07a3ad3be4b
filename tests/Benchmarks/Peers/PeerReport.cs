namespace ClipSegNative.Benchmarks.Peers;

/// <summary>The run as Markdown on standard output, line by line as it goes.</summary>
static class PeerReport
{
    public static void Machine(PeerResults results) => Console.WriteLine(
        $"""
        clipseg-native {results.Program}, {results.CpuPath}; {results.Runtime}; ONNX Runtime {results.OnnxRuntime ?? "is not there"}
        {results.Processor}, {results.Cores} cores ({string.Join(", ", results.Features)}); {results.System}; {results.Utc:yyyy-MM-dd HH:mm} UTC{(results.Quick ? "; --quick" : "")}
        Medians in milliseconds; in brackets best and worst, and the share of the multiply-add peak of its own precision, measured in the same rounds.
        """);

    public static void CaseHead(IReadOnlyList<Contender> contenders, int threads) =>
        Console.WriteLine($"\n| threads {threads} | rounds | peaks, GF/s | {string.Join(" | ", contenders.Select(contender => contender.Name))} |\n| --- | --- | --- |{string.Concat(contenders.Select(_ => " --- |"))}");

    public static void Case(CaseResult result, IReadOnlyList<Contender> contenders) =>
        Console.WriteLine($"| {result.Case} | {result.Timings[0].Rounds} | {Peaks(result)} | {string.Join(" | ", contenders.Select(contender => Cell(result, contender)))} |");

    public static void Ratios(PeerResults results)
    {
        Console.WriteLine("\nMedians of the rounds' ratios, the peer's time over ours; above 1, ours is faster:");
        foreach (string peer in results.Cases.SelectMany(item => item.Ratios).Select(ratio => ratio.Peer).Distinct())
        {
            string[] ours = [.. results.Cases.SelectMany(item => item.Ratios).Select(ratio => ratio.Ours).Distinct()];
            Console.WriteLine($"\n| beside {peer} | threads | {string.Join(" | ", ours)} |\n| --- | --- |{string.Concat(ours.Select(_ => " --- |"))}");
            foreach (CaseResult item in results.Cases.Where(item => item.Ratios.Any(ratio => ratio.Peer == peer)))
                Console.WriteLine($"| {item.Case} | {item.Threads} | {string.Join(" | ", ours.Select(own => $"{item.Ratios.First(ratio => (ratio.Ours, ratio.Peer) == (own, peer)).Ratio:F2} x"))} |");
        }
    }

    public static void Agreements(PeerResults results)
    {
        Console.WriteLine();
        foreach (Agreement agreement in results.Agreements)
            Console.WriteLine($"{agreement.Contender}: logits differ from those of {Contender.Reference.Name} by at most {agreement.LargestDifference:G2}, their standard deviation being {agreement.Spread:F2}.");
    }

    public static void Starts(PeerResults results)
    {
        if (results.Starts.Count == 0) return;
        Console.WriteLine("\nFresh processes, medians:\n");
        Console.WriteLine("| contender | load, ms | first picture and phrase, ms | a warm one, ms | first : warm | resident, MB | weights, MB | whole process to the written mask, ms |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (StartResult start in results.Starts)
            Console.WriteLine($"| {start.Contender} | {start.Load:F0} | {start.First:F0} | {start.Warm:F0} | {start.First / start.Warm:F2} | {start.ResidentMegabytes:F0} | {start.WeightMegabytes?.ToString("F0") ?? "-"} | {start.Process:F0} |");
    }

    public static void Training(PeerResults results)
    {
        if (results.Training.Count == 0) return;
        Console.WriteLine("\n| training, features kept | threads | ms |\n| --- | --- | --- |");
        foreach (CaseResult item in results.Training) Console.WriteLine($"| {item.Case} | {item.Threads} | {item.Timings[0].Median:F0} |");
    }

    public static void Skipped(PeerResults results)
    {
        if (results.Skipped.Count > 0) Console.WriteLine("\nSkipped:");
        foreach (string skipped in results.Skipped) Console.WriteLine($"- {skipped}");
    }

    static string Peaks(CaseResult result) =>
        result.PeakGigaFlops.Count == 0 ? "-" : string.Join(", ", result.PeakGigaFlops.Select(peak => $"{peak.Key} {peak.Value:F0}"));

    static string Cell(CaseResult result, Contender contender)
    {
        if (result.Timings.FirstOrDefault(timing => timing.Contender == contender.Name) is not { } timing) return "-";
        string digits = timing.Median < 20 ? "F2" : "F0", share = timing.PeakShare is { } part ? $"; {part:P0}" : "";
        return $"{timing.Median.ToString(digits)} ({timing.Best.ToString(digits)}-{timing.Worst.ToString(digits)}{share})";
    }
}
