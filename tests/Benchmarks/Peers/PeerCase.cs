namespace ClipSegNative.Benchmarks.Peers;

/// <summary>What is compared.</summary>
/// <param name="Name">As the tables show it.</param>
/// <param name="Threads">Of every contender.</param>
/// <param name="Prepare">The timed part, or null where an engine does not take part.</param>
sealed record PeerCase(string Name, int Threads, Func<IEngine, Action?> Prepare)
{
    /// <summary>Arithmetic of it, for the share of the peak; 0: not given.</summary>
    public double GigaFlop { get; init; }

    /// <summary>Left out by --quick.</summary>
    public bool Long { get; init; }

    /// <summary>In groups of equal threads: the sessions of a group are open together.</summary>
    public static IReadOnlyList<PeerCase> All(int threads)
    {
        List<PeerCase> cases =
        [
            Encode(1, threads),
            Encode(4, threads),
            new("new picture, 1 phrase", threads, engine => engine.Segment(1)),
            new("new picture, 4 phrases", threads, engine => engine.Segment(4)),
            new("new picture, 16 phrases", threads, engine => engine.Segment(16)) { Long = true },
            new("known phrase, encoded picture", threads, engine => engine.Ask(known: true)),
            new("new phrase, encoded picture", threads, engine => engine.Ask(known: false)),
            new("1 phrase to its vector", threads, engine => engine.Embed(1)),
            new("16 phrases to their vectors", threads, engine => engine.Embed(16)),
        ];
        if (threads > 1) cases.AddRange([Encode(1, 1), Encode(4, 1) with { Long = true }]);
        return cases;
    }

    static PeerCase Encode(int batch, int threads) =>
        new($"encode, batch {batch}", threads, engine => engine.Encode(batch)) { GigaFlop = batch * ProfileCommand.EncodeGigaFlop };
}
