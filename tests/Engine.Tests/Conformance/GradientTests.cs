namespace ClipSegNative.Tests.Conformance;

/// <summary>The reference's gradients, which the backends are held to, are themselves held to finite differences of its forwards.</summary>
public sealed class GradientTests
{
    [Theory, MemberData(nameof(GradientTable.Names), MemberType = typeof(GradientTable))]
    public void Backward_OnReference_AgreesWithDifferences(string name) => GradientTable.Get(name).Check();

    [Fact]
    public void Table_EveryBackward_HasACase() =>
        Assert.Empty(OpTable.Operations.Where(operation => operation.EndsWith("Backward", StringComparison.Ordinal)).Except(GradientTable.All.Select(gradient => gradient.Operation)));
}
