using System.Reflection;
using ClipSegNative.Backends;

namespace ClipSegNative.Tests.Conformance;

/// <summary>
/// Every operation of <see cref="IBackend"/> at sizes that are awkward on purpose: one row, one column, one more or less than a vector, a panel,
/// a microkernel; 485 = 22 · 22 + 1 tokens.
/// </summary>
static partial class OpTable
{
    // Lazy: the statics of the other files are set after those of this one.
    static readonly Lazy<Dictionary<string, OpCase>> ByName = new(() => Cases().ToDictionary(op => op.Name));

    public static IReadOnlyCollection<OpCase> All => ByName.Value.Values;

    /// <summary>The interface's own list: what computes, as against what allocates, transfers or waits.</summary>
    public static IReadOnlyList<string> Operations { get; } =
    [
        .. typeof(IBackend).GetMethods(BindingFlags.Public | BindingFlags.Instance)
            .Where(method => method.ReturnType == typeof(void))
            .Where(method => method.Name is not (nameof(IBackend.Upload) or nameof(IBackend.UploadAhead) or nameof(IBackend.UseUploads)
                or nameof(IBackend.Download) or nameof(IBackend.Synchronize)))
            .Select(method => method.Name),
    ];

    public static OpCase Get(string name) => ByName.Value[name];

    /// <summary>The cheapest case of an operation: its first.</summary>
    public static OpCase First(string operation) => All.First(op => op.Operation == operation);

    static IEnumerable<OpCase> Cases() =>
    [
        .. Linears(), .. FusedLinears(), .. Packings(), .. Attentions(), .. Convolutions(), .. Elementwise(), .. Norms(), .. Tokens(), .. GroupNorms(), .. Folds(),
        .. Maps(), .. MatrixGradients(), .. ElementwiseGradients(), .. NormGradients(), .. TokenGradients(), .. MapGradients(), .. LossCases(), .. Optimisers(), .. Contrasts(),
    ];
}
