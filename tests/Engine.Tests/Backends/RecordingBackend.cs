using ClipSegNative.Backends;
using ClipSegNative.Backends.Decorators;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Backends;

/// <summary>Notes the names of the operations that reach it, and passes them on only if asked to.</summary>
sealed class RecordingBackend(IBackend inner, bool run) : BackendDecorator(inner)
{
    public List<string> Names { get; } = [];

    protected override bool Before(in Operation operation)
    {
        Names.Add(operation.Name);
        return run;
    }
}

/// <summary>Spoils one element of every result.</summary>
sealed class SpoilingBackend(IBackend inner, float value) : BackendDecorator(inner)
{
    protected override void After(in Operation operation)
    {
        foreach (Tensor write in operation.Writes)
            if (!write.IsAbsent) Inner.Upload([value], write.RowRange(write.Rows - 1, 1).ColumnRange(write.Columns / 2, 1));
    }
}
