using ClipSegNative.Backends;

namespace ClipSegNative.Tests.Conformance;

/// <summary>Every backward of <see cref="IBackend"/> beside its forward, at sizes small enough to move every element.</summary>
static partial class GradientTable
{
    // Lazy: the statics of the other files are set after those of this one.
    static readonly Lazy<Dictionary<string, GradientCase>> ByName = new(() => Cases().ToDictionary(gradient => gradient.Name));

    public static IReadOnlyCollection<GradientCase> All => ByName.Value.Values;

    public static TheoryData<string> Names => [.. All.Select(gradient => gradient.Name)];

    public static GradientCase Get(string name) => ByName.Value[name];

    static IEnumerable<GradientCase> Cases() => [.. Matrices(), .. Rows(), .. Maps(), .. Losses(), .. Contrasts()];
}
