namespace ClipSegNative.Benchmarks.Peers;

/// <summary>All that a run of <c>peers</c> found; the JSON file is this.</summary>
sealed record PeerResults(
    string Program, string System, string Runtime, string Processor, IReadOnlyList<string> Features, int Cores, string CpuPath, string? OnnxRuntime, bool Quick, DateTime Utc)
{
    /// <summary>By name, with the reason.</summary>
    public List<string> Skipped { get; } = [];

    public List<CaseResult> Cases { get; } = [];

    public List<Agreement> Agreements { get; } = [];

    public List<StartResult> Starts { get; } = [];

    public List<CaseResult> Training { get; } = [];
}

/// <summary>A case: its contenders, and each of ours against each other.</summary>
/// <param name="Case">See <see cref="PeerCase"/>.</param>
/// <param name="Threads">Of every contender.</param>
/// <param name="PeakGigaFlops">By precision: measured multiply-add peak of the rounds, median; empty where it was not asked for.</param>
/// <param name="Timings">In the contenders' order.</param>
/// <param name="Ratios">Above 1: ours is faster.</param>
sealed record CaseResult(string Case, int Threads, IReadOnlyDictionary<string, double> PeakGigaFlops, IReadOnlyList<Timing> Timings, IReadOnlyList<PairRatio> Ratios);

/// <param name="Contender">Its name.</param>
/// <param name="Median">Milliseconds.</param>
/// <param name="Best">Milliseconds.</param>
/// <param name="Worst">Milliseconds.</param>
/// <param name="Rounds">How many times.</param>
/// <param name="PeakShare">Of the multiply-add peak of the contender's precision; null where that was not measured.</param>
sealed record Timing(string Contender, double Median, double Best, double Worst, int Rounds, double? PeakShare);

/// <summary>Median of the paired ratios, peer's time over ours.</summary>
sealed record PairRatio(string Ours, string Peer, double Ratio);

/// <summary>How far a contender's logits are from the first one's.</summary>
/// <param name="Contender">Its name.</param>
/// <param name="LargestDifference">Of logits.</param>
/// <param name="Spread">Standard deviation of the first one's logits, for comparison.</param>
sealed record Agreement(string Contender, double LargestDifference, double Spread);

/// <summary>Fresh processes, medians.</summary>
/// <param name="Contender">Its name.</param>
/// <param name="Load">Milliseconds from an empty process to a model that waits, the runtime's own start not included.</param>
/// <param name="First">Milliseconds of the first picture and phrase.</param>
/// <param name="Warm">Milliseconds of later ones.</param>
/// <param name="ResidentMegabytes">Of the process after them, files mapped into it included.</param>
/// <param name="WeightMegabytes">What the engine says its weights take; null where it does not.</param>
/// <param name="Process">Milliseconds of a whole process, from start to the written mask.</param>
sealed record StartResult(string Contender, double Load, double First, double Warm, double ResidentMegabytes, double? WeightMegabytes, double Process);
