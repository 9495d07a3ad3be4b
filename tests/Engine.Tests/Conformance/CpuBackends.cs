using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;

namespace ClipSegNative.Tests.Conformance;

/// <summary>The CPU backends of one test class, by instruction set and threads: "Avx2 x3".</summary>
public sealed class CpuBackends : IDisposable
{
    readonly Dictionary<string, IBackend> _backends = [];

    /// <summary>Every instruction set on 1, 2 and 3 threads.</summary>
    internal static IEnumerable<string> Names =>
        from set in Enum.GetValues<CpuInstructionSet>() from threads in Enumerable.Range(1, 3) select $"{set} x{threads}";

    /// <summary>Every instruction set on one thread.</summary>
    public static TheoryData<string> Sets => [.. Enum.GetNames<CpuInstructionSet>()];

    /// <summary>The calling test is reported as skipped where the processor lacks the instruction set.</summary>
    internal IBackend Get(string name)
    {
        string[] parts = name.Split(" x");
        var set = Enum.Parse<CpuInstructionSet>(parts[0]);
        Assert.SkipUnless(CpuInstructionSets.IsSupported(set), $"This processor has no {set.Name()}.");
        if (!_backends.TryGetValue(name, out IBackend? backend))
            _backends[name] = backend = CpuBackend.Create(set, parts.Length > 1 ? int.Parse(parts[1]) : 1);
        return backend;
    }

    public void Dispose()
    {
        foreach (IBackend backend in _backends.Values) backend.Dispose();
    }
}
