namespace ClipSegNative.Tensors;

/// <summary>
/// A view of rows in a <see cref="Storage"/>: elements of a row are adjacent, rows start <see cref="Pitch"/> elements apart.
/// The pitch lets a backend keep rows off each other's cache sets and lets q, k and v be column ranges of one matrix. The default value means "none".
/// </summary>
readonly struct Tensor
{
    readonly Storage? _storage;

    public Tensor(Storage storage, long offset, Shape shape, int pitch)
    {
        if (pitch < shape.Columns) throw new ArgumentException($"Rows of {shape.Columns} elements cannot start {pitch} apart.");
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (shape.Elements > 0 && offset + (long)(shape.Rows - 1) * pitch + shape.Columns > storage.Elements)
            throw new ArgumentException($"A view {shape} at {offset} ends outside its storage of {storage.Elements} elements.");
        _storage = storage;
        Offset = offset;
        Shape = shape;
        Pitch = pitch;
    }

    public Storage Storage => _storage ?? throw new InvalidOperationException("This tensor is absent.");

    /// <summary>True for the default value: an optional argument that was not given.</summary>
    public bool IsAbsent => _storage is null;

    /// <summary>Index of the first element in the storage.</summary>
    public long Offset { get; }

    public Shape Shape { get; }

    /// <summary>Elements from the start of one row to the start of the next.</summary>
    public int Pitch { get; }

    public int Rows => Shape.Rows;

    public int Columns => Shape.Columns;

    public bool IsContiguous => Pitch == Columns || Rows <= 1;

    /// <summary>Elements from the first to the last, the gaps between rows included.</summary>
    public long Extent => Shape.Elements == 0 ? 0 : (long)(Rows - 1) * Pitch + Columns;

    /// <summary>Rows [first, first + count) of the matrix this tensor is: [count, Columns].</summary>
    public Tensor RowRange(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + count, Rows);
        return new Tensor(Storage, Offset + (long)first * Pitch, new Shape(count, Columns), Pitch);
    }

    /// <summary>Columns [first, first + count) of every row; the outer extents stay.</summary>
    public Tensor ColumnRange(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + count, Columns);
        Span<int> extents = stackalloc int[Shape.Rank];
        for (int i = 0; i < extents.Length - 1; i++) extents[i] = Shape[i];
        extents[^1] = count;
        return new Tensor(Storage, Offset + first, new Shape(extents), Pitch);
    }

    /// <summary>The same elements under other extents. Rows that are not adjacent must keep their length.</summary>
    public Tensor Reshape(params ReadOnlySpan<int> extents)
    {
        var shape = new Shape(extents);
        if (shape.Elements != Shape.Elements || (!IsContiguous && shape.Columns != Columns))
            throw new ArgumentException($"{Shape} with rows {Pitch} apart cannot be seen as {shape}.");
        return new Tensor(Storage, Offset, shape, shape.Columns == Columns ? Pitch : shape.Columns);
    }

    public override string ToString() => IsAbsent ? "absent" : Shape.ToString();
}
