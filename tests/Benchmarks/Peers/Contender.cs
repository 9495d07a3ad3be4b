using System.Runtime.InteropServices;
using ClipSegNative.Backends.Cpu;

namespace ClipSegNative.Benchmarks.Peers;

/// <summary>An engine to be compared.</summary>
/// <param name="Name">As the tables show it; an argument of the child processes.</param>
/// <param name="Ours">Compared with all that are not.</param>
/// <param name="Precision">Of its weights.</param>
/// <param name="Graphs">Graph files it reads; empty for none.</param>
/// <param name="Open">Loads the model on so many threads.</param>
/// <param name="Problem">Why it cannot be had on this machine; null where it can.</param>
sealed record Contender(string Name, bool Ours, Precision Precision, IReadOnlyList<string> Graphs, Func<PeerModel, int, IEngine> Open, Func<string?> Problem)
{
    /// <summary>Ours first, and of these fp32: the plot compares all others with it.</summary>
    public static IReadOnlyList<Contender> All { get; } =
    [
        .. Precisions.OfCpu.Select(Own),
        Peer("ONNX Runtime fp32", Precision.Fp32, [GraphFiles.Vision, GraphFiles.Text, GraphFiles.Decoder], (model, threads) => new OrtEngine(model, threads, "")),
        Peer("ONNX Runtime int8", Precision.Int8, [GraphFiles.VisionInt8, GraphFiles.TextInt8, GraphFiles.DecoderInt8], (model, threads) => new OrtEngine(model, threads, GraphFiles.Int8)),
        Peer("ONNX Runtime, whole graph", Precision.Fp32, [GraphFiles.Whole], (model, threads) => new OrtWholeEngine(model, threads)),
    ];

    /// <summary>With files of packed weights, which change nothing but how a process starts.</summary>
    public static IReadOnlyList<Contender> Packed { get; } = [.. Precisions.OfCpu.Select(precision => Own(precision, packed: true))];

    public static Contender Reference => All[0];

    /// <summary>Whose multiply-add peak bounds it.</summary>
    public Precision Arithmetic => Precision == Precision.F16Weights ? Precision.Fp32 : Precision;

    /// <summary>Where files of packed weights lie; null for a contender that has none.</summary>
    public string? PackedFolder(PeerModel model) => Packed.Contains(this) ? PackedFolderOf(model) : null;

    public static Contender Find(string name) => All.Concat(Packed).First(contender => contender.Name == name);

    static string PackedFolderOf(PeerModel model) => Path.Combine(model.Graphs, "packed");

    static Contender Own(Precision precision) => Own(precision, packed: false);

    static Contender Own(Precision precision, bool packed) => new($"ours {precision.Name()}{(packed ? ", packed file" : "")}", Ours: true, precision, [],
        (model, threads) => new OurEngine(model, new SegmenterOptions { Threads = threads, Precision = precision, PackedWeights = packed ? PackedFolderOf(model) : null }),
        () =>
        {
            using CpuArithmetic arithmetic = CpuArithmetic.Choose(precision, CpuInstructionSets.Best, pages: null, out string? warning);
            return arithmetic.Precision == precision ? null : warning;
        });

    static Contender Peer(string name, Precision precision, string[] graphs, Func<PeerModel, int, IEngine> open) => new(name, Ours: false, precision, graphs, open, () =>
    {
        try { return OrtGraph.Version.Length > 0 ? null : "it has no version"; }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException or TypeInitializationException)
        {
            return $"its native library does not load on {RuntimeInformation.RuntimeIdentifier}: {(e.InnerException ?? e).Message}";
        }
    });
}
