namespace ClipSegNative.Tests.Conformance;

static partial class OpTable
{
    public static TheoryData<string> Names => [.. All.Select(op => op.Name)];

    public static TheoryData<string> OperationNames => [.. Operations];
}
