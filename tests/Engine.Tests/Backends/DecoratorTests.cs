using System.Reflection;
using ClipSegNative.Backends;
using ClipSegNative.Backends.Decorators;
using ClipSegNative.Backends.Planning;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Conformance;
using ClipSegNative.Tests.Reference;

namespace ClipSegNative.Tests.Backends;

public sealed class DecoratorTests
{
    public static TheoryData<string> Decorators =>
        [.. typeof(BackendDecorator).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(BackendDecorator))).Select(type => type.FullName!)];

    /// <summary>A fused operation that a decorator does not forward would run the interface's body and lose the inner backend's kernel.</summary>
    [Theory, MemberData(nameof(Decorators))]
    public void Decorator_EveryMethod_IsItsOwn(string name)
    {
        Type decorator = typeof(BackendDecorator).Assembly.GetType(name)!;
        InterfaceMapping mapping = decorator.GetInterfaceMap(typeof(IBackend));
        Assert.All(mapping.TargetMethods, method =>
            Assert.True(method.DeclaringType!.IsAssignableTo(typeof(BackendDecorator)), $"{method} is inherited from {method.DeclaringType}."));
    }

    [Theory, MemberData(nameof(OpTable.Names), MemberType = typeof(OpTable))]
    public void Operation_ThroughDecorators_ReachesItsNamesake(string name)
    {
        OpCase op = OpTable.Get(name);
        using var device = new ReferenceBackend();
        using var inner = new RecordingBackend(device, run: false);
        using var middle = new ProfiledBackend(new CheckedBackend(inner, finite: false));
        using var outer = new RecordingBackend(middle, run: true);
        op.Run(device, outer);
        Assert.Contains(op.Operation, inner.Names);
        Assert.Equal(outer.Names, inner.Names);
    }

    [Theory, MemberData(nameof(OpTable.OperationNames), MemberType = typeof(OpTable))]
    public void Operation_Traced_IsCountedAndNotRun(string operation)
    {
        using var device = new ReferenceBackend();
        using var inner = new RecordingBackend(device, run: true);
        using var tracer = new LifetimeTracer(inner, new HashSet<Storage>(), new HashSet<Storage>());
        OpTable.First(operation).Run(device, tracer);
        Assert.Empty(inner.Names);
        Assert.True(tracer.Steps > 0);
    }

    [Fact]
    public void Profile_TwoCallsOfOneShape_AreOneLineWithBothCosts()
    {
        using var device = new ReferenceBackend();
        using var profiled = new ProfiledBackend(device);
        using var space = new OpWorkspace(device, nameof(ProfiledBackend));
        Tensor x = space.Random(5, 12), y = space.Output(5, 7), small = space.Random(1, 12), smallY = space.Output(1, 7);
        PackedMatrix weight = space.Weights(7, 12);
        profiled.Linear(x, weight, default, y);
        profiled.Linear(x, weight, default, y);
        profiled.Linear(small, weight, default, smallY);

        Assert.Equal(2, profiled.Lines.Count);
        ProfileLine line = profiled.Lines.Single(line => line.Calls == 2);
        Assert.Equal("Linear [5,12] -> [5,7]", line.Operation);
        Assert.Equal(2 * 5 * 12 * 7, line.MultiplyAdds);
        profiled.Clear();
        Assert.Empty(profiled.Lines);
    }

    [Fact]
    public void Profile_AttentionAndConvolution_CountsMultiplyAdds()
    {
        using var device = new ReferenceBackend();
        using var profiled = new ProfiledBackend(device);
        using var space = new OpWorkspace(device, nameof(ProfiledBackend));
        Tensor q = space.Random(2, 3, 8), k = space.Random(2, 5, 8), map = space.Random(2, 4, 3, 6);
        profiled.Attention(q, k, k, heads: 2, causal: false, space.Output(2, 3, 8), PrecisionFloor.None);
        profiled.Convolution(map, space.Weights(7, 9 * 6), default, kernel: 3, space.Output(2, 4, 3, 7));
        profiled.Copy(q, space.Output(2, 3, 8));

        Assert.Equal(2 * (2 * 3 * 8) * 5, Line("Attention").MultiplyAdds);
        Assert.Equal(2 * 4 * 3 * (9 * 6) * 7, Line("Convolution").MultiplyAdds);
        Assert.Equal(0, Line("Copy").GigaFlops);

        ProfileLine Line(string operation) => profiled.Lines.Single(line => line.Operation.StartsWith(operation + " ", StringComparison.Ordinal));
    }
}
