using ClipSegNative.Backends;
using ClipSegNative.Backends.Decorators;

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
        if (operation.Write.IsAbsent) return;
        Inner.Upload([value], operation.Write.RowRange(operation.Write.Rows - 1, 1).ColumnRange(operation.Write.Columns / 2, 1));
    }
}
