using System.Runtime.CompilerServices;

namespace ClipSegNative.Tensors;

/// <summary>Up to four extents, outermost first; rank 0 is a scalar. A value: comparing and passing it allocates nothing.</summary>
readonly struct Shape : IEquatable<Shape>
{
    public const int MaxRank = 4;

    readonly Extents _extents;

    public Shape(params ReadOnlySpan<int> extents)
    {
        if (extents.Length > MaxRank) throw new ArgumentException($"A shape has at most {MaxRank} extents, not {extents.Length}.");
        Rank = extents.Length;
        for (int i = 0; i < extents.Length; i++)
        {
            if (extents[i] < 0) throw new ArgumentException($"Extent {extents[i]} is negative.");
            _extents[i] = extents[i];
        }
    }

    public int Rank { get; }

    public int this[int axis] => axis >= 0 && axis < Rank ? _extents[axis] : throw new ArgumentOutOfRangeException(nameof(axis));

    /// <summary>Product of all extents; 1 for a scalar.</summary>
    public long Elements
    {
        get
        {
            long product = 1;
            for (int i = 0; i < Rank; i++) product = checked(product * _extents[i]);
            return product;
        }
    }

    /// <summary>The innermost extent; 1 for a scalar.</summary>
    public int Columns => Rank == 0 ? 1 : _extents[Rank - 1];

    /// <summary>Product of all extents but the innermost: every shape is also a matrix [Rows, Columns].</summary>
    public int Rows
    {
        get
        {
            int product = 1;
            for (int i = 0; i < Rank - 1; i++) product = checked(product * _extents[i]);
            return product;
        }
    }

    public bool Equals(Shape other)
    {
        if (Rank != other.Rank) return false;
        for (int i = 0; i < Rank; i++)
            if (_extents[i] != other._extents[i]) return false;
        return true;
    }

    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Rank, _extents[0], _extents[1], _extents[2], _extents[3]);

    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary>As weight files and error messages write it: [64,768].</summary>
    public override string ToString()
    {
        var parts = new string[Rank];
        for (int i = 0; i < Rank; i++) parts[i] = _extents[i].ToString();
        return $"[{string.Join(',', parts)}]";
    }

    [InlineArray(MaxRank)]
    struct Extents
    {
        int _first;
    }
}
