using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;

namespace ClipSegNative.Tests.Conformance;

/// <summary>The CPU backends of one test class, by instruction set and threads: "Avx2 x3".</summary>
public sealed class CpuBackends : IDisposable
{
    /// <summary>Names the only instruction set to test, where a case takes long: in an emulator.</summary>
    const string OnlyVariable = "CLIPSEG_TEST_CPU";

    readonly Dictionary<string, IBackend> _backends = [];

    /// <summary>Every instruction set on 1, 2 and 3 threads.</summary>
    internal static IEnumerable<string> Names =>
        from set in Enum.GetValues<CpuInstructionSet>() from threads in Enumerable.Range(1, 3) select $"{set} x{threads}";

    /// <summary>Every instruction set on one thread.</summary>
    public static TheoryData<string> Sets => [.. Enum.GetNames<CpuInstructionSet>()];

    /// <summary>As <see cref="SkipUnlessTested"/>.</summary>
    internal IBackend Get(string name)
    {
        string[] parts = name.Split(" x");
        var set = Enum.Parse<CpuInstructionSet>(parts[0]);
        SkipUnlessTested(set);
        if (!_backends.TryGetValue(name, out IBackend? backend))
            _backends[name] = backend = CpuBackend.Create(set, parts.Length > 1 ? int.Parse(parts[1]) : 1);
        return backend;
    }

    /// <summary>The calling test is reported as skipped where the processor lacks the instruction set, or another is to be tested alone.</summary>
    internal static void SkipUnlessTested(CpuInstructionSet set)
    {
        string? only = Environment.GetEnvironmentVariable(OnlyVariable);
        Assert.SkipUnless(string.IsNullOrEmpty(only) || only == $"{set}", $"{OnlyVariable} asks for {only} alone.");
        Assert.SkipUnless(CpuInstructionSets.IsSupported(set), $"This processor has no {set.Name()}.");
    }

    public void Dispose()
    {
        foreach (IBackend backend in _backends.Values) backend.Dispose();
    }
}
