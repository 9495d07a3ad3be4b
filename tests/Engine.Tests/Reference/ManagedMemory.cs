using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Reference;

/// <summary>Memory of the reference backend, rounding to float32 or not. What nothing has written is NaN, so that reading it shows.</summary>
sealed class ManagedMemory(long bytes, bool rounds = true) : DeviceMemory(bytes)
{
    public double[] Values { get; private set; } = [.. Enumerable.Repeat(double.NaN, (int)((bytes + sizeof(float) - 1) / sizeof(float)))];

    public bool Rounds { get; } = rounds;

    public override void Dispose() => Values = [];
}

/// <summary>A tensor as the matrix [rows, columns] of doubles; integers are kept as their value.</summary>
readonly struct Matrix
{
    readonly double[] _values;
    readonly bool _rounds;
    readonly long _start;
    readonly int _pitch;

    public Matrix(Tensor tensor)
    {
        var memory = (ManagedMemory)tensor.Storage.Memory!;
        _values = memory.Values;
        _rounds = memory.Rounds;
        _start = tensor.Storage.ByteOffset / sizeof(float) + tensor.Offset;
        _pitch = tensor.Pitch;
    }

    public double this[int row, int column]
    {
        get => _values[_start + (long)row * _pitch + column];
        set => _values[_start + (long)row * _pitch + column] = _rounds ? (float)value : value;
    }

    public Span<double> Row(int row, int columns) => _values.AsSpan((int)(_start + (long)row * _pitch), columns);

    public int[] IntegerRow(int row, int columns) => Array.ConvertAll(Row(row, columns).ToArray(), value => (int)value);
}
