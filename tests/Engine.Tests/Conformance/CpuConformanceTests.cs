using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Backends.Decorators;

namespace ClipSegNative.Tests.Conformance;

/// <summary>The op table on every CPU path.</summary>
public sealed class CpuConformanceTests(CpuBackends backends, ErrorReport report) : IClassFixture<CpuBackends>, IClassFixture<ErrorReport>
{
    public static TheoryData<string, string> AllOnAllPaths => new(from op in OpTable.All from backend in CpuBackends.Names select (op.Name, backend));

    public static TheoryData<string, string> FusedOnAllSets =>
        new(from op in OpTable.All
            where op.Operation is "LinearActivate" or "LinearAdd" or "ConvolutionActivate"
            from set in Enum.GetNames<CpuInstructionSet>()
            select (op.Name, set));

    [Theory, MemberData(nameof(AllOnAllPaths))]
    public void Operation_AnyCpuPath_AgreesWithReference(string name, string path)
    {
        OpCase op = OpTable.Get(name);
        IBackend backend = backends.Get(path);
        Difference difference = Difference.Of(op.Expected, op.Run(backend), op.Tolerance);
        report.Add(op.Regime.Length == 0 ? op.Operation : $"{op.Operation}, {op.Regime}", path.Split(' ')[0], difference);
    }

    [Theory, MemberData(nameof(OpTable.Names), MemberType = typeof(OpTable))]
    public void Operation_ThroughChecks_IsAcceptedAndTheSame(string name)
    {
        OpCase op = OpTable.Get(name);
        IBackend backend = backends.Get($"{CpuInstructionSets.Best} x2");
        Assert.Equal(op.Run(backend), op.Run(backend, new CheckedBackend(backend, finite: true)));
    }

    /// <summary>The interface's body is the specification of a fusion.</summary>
    [Theory, MemberData(nameof(FusedOnAllSets))]
    public void Fusion_AgainstItsBody_Agrees(string name, string set)
    {
        OpCase op = OpTable.Get(name);
        IBackend backend = backends.Get(set);
        Difference.Of(op.Run(backend, new PrimitivesOnly(backend)), op.Run(backend), new Tolerance(3e-7, 3e-7));
    }
}

public sealed class OpTableTests
{
    [Theory, MemberData(nameof(OpTable.OperationNames), MemberType = typeof(OpTable))]
    public void Table_EveryOperation_HasACase(string operation) => Assert.Contains(OpTable.All, op => op.Operation == operation);

    [Fact]
    public void Table_EveryCase_IsAboutAnOperation() => Assert.Empty(OpTable.All.Select(op => op.Operation).Except(OpTable.Operations));
}
