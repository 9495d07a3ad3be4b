namespace ClipSegNative.Benchmarks.Peers;

/// <summary>
/// Something that runs CLIPSeg, made ready for one number of threads. Each method prepares a case and returns the part that is timed, or null where this
/// engine is not used that way. Phrases are new in every call, so nothing remembers their vectors, unless the case says otherwise.
/// </summary>
interface IEngine : IDisposable
{
    /// <summary>Pixels that lie ready [batch, 3, height, width] to features in host memory.</summary>
    Action? Encode(int batch);

    /// <summary>New phrases to vectors in host memory.</summary>
    Action? Embed(int phrases);

    /// <summary>One phrase on a picture that is encoded already: logits in host memory.</summary>
    /// <param name="known">The same phrase every time, its vector kept; else a new one every time.</param>
    Action? Ask(bool known);

    /// <summary>A decoded picture of 1024 x 768 and phrases, new in every call, to logits in host memory.</summary>
    Action? Segment(int phrases);

    /// <summary>What the engine says its weights take; null where it does not say.</summary>
    long? WeightBytes => null;

    /// <summary>Logits of these phrases on the picture, phrase after phrase: do the engines agree?</summary>
    float[] Logits(IReadOnlyList<string> phrases);
}

/// <summary>An engine to be compared.</summary>
/// <param name="Name">As the tables show it; an argument of the child processes.</param>
/// <param name="Ours">Compared with all that are not.</param>
/// <param name="Graphs">Graph files it reads; empty for none.</param>
/// <param name="Open">Loads the model on so many threads.</param>
sealed record Contender(string Name, bool Ours, IReadOnlyList<string> Graphs, Func<PeerModel, int, IEngine> Open)
{
    /// <summary>Ours first: the first one is what ratios of the plot refer to.</summary>
    public static IReadOnlyList<Contender> All { get; } =
    [
        new("ours fp32", true, [], (model, threads) => new OurEngine(model, new SegmenterOptions { Threads = threads })),
        new("ONNX Runtime fp32", false, [GraphFiles.Vision, GraphFiles.Text, GraphFiles.Decoder], (model, threads) => new OrtEngine(model, threads, "")),
        new("ONNX Runtime int8", false, [GraphFiles.VisionInt8, GraphFiles.TextInt8, GraphFiles.DecoderInt8], (model, threads) => new OrtEngine(model, threads, GraphFiles.Int8)),
        new("ONNX Runtime, whole graph", false, [GraphFiles.Whole], (model, threads) => new OrtWholeEngine(model, threads)),
    ];

    public static Contender Find(string name) => All.First(contender => contender.Name == name);
}
