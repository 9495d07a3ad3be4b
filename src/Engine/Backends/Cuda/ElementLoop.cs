using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cuda;

/// <summary>A kernel that is there for single floats and for four at once.</summary>
sealed class ElementKernel(string name)
{
    public string Single { get; } = $"{name}_f32";

    public string Fours { get; } = $"{name}_f32x4";
}

/// <summary>
/// How a kernel goes over the elements of some matrices: as one row where all their rows are adjacent, and in units of four floats where every row of
/// each starts at a multiple of four.
/// </summary>
readonly struct ElementLoop
{
    readonly bool _oneRow;
    readonly int _unit;

    /// <param name="shape">Of what is computed.</param>
    /// <param name="sameRows">All matrices have the rows of the shape, so that adjacent ones may become one.</param>
    /// <param name="tensors">All that are read or written at the loop's columns.</param>
    /// <param name="addresses">Theirs.</param>
    public ElementLoop(Shape shape, bool sameRows, scoped ReadOnlySpan<Tensor> tensors, scoped ReadOnlySpan<ulong> addresses)
    {
        _oneRow = sameRows;
        foreach (Tensor tensor in tensors) _oneRow &= tensor.IsContiguous;
        long columns = _oneRow ? shape.Elements : shape.Columns;
        bool fours = columns % 4 == 0;
        for (int i = 0; i < tensors.Length && fours; i++) fours = addresses[i] % 16 == 0 && (_oneRow || tensors[i].Rows <= 1 || tensors[i].Pitch % 4 == 0);
        _unit = fours ? 4 : 1;
        Columns = checked((int)(columns / _unit));
        Count = checked((uint)(shape.Elements / _unit));
    }

    /// <summary>Units in a row.</summary>
    public int Columns { get; }

    /// <summary>Units in all.</summary>
    public uint Count { get; }

    public bool ByFours => _unit == 4;

    /// <summary>Units from row to row.</summary>
    public int Pitch(Tensor tensor) => tensor.Pitch / _unit;

    public int Rows(Tensor tensor) => _oneRow ? 1 : tensor.Rows;
}
