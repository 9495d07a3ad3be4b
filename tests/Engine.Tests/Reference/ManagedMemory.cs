using System.Runtime.InteropServices;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Reference;

/// <summary>Memory of the reference backend. What nothing has written is NaN, so that reading it shows.</summary>
sealed class ManagedMemory : DeviceMemory
{
    public ManagedMemory(long bytes) : base(bytes)
    {
        Values = new float[(bytes + sizeof(float) - 1) / sizeof(float)];
        Array.Fill(Values, float.NaN);
    }

    public float[] Values { get; private set; }

    public override void Dispose() => Values = [];
}

/// <summary>A tensor as the matrix [rows, columns] of doubles; writing rounds to float32.</summary>
readonly struct Matrix
{
    readonly float[] _values;
    readonly long _start;
    readonly int _pitch;

    public Matrix(Tensor tensor)
    {
        _values = ((ManagedMemory)tensor.Storage.Memory!).Values;
        _start = tensor.Storage.ByteOffset / sizeof(float) + tensor.Offset;
        _pitch = tensor.Pitch;
    }

    public double this[int row, int column]
    {
        get => _values[_start + (long)row * _pitch + column];
        set => _values[_start + (long)row * _pitch + column] = (float)value;
    }

    public Span<float> Row(int row, int columns) => _values.AsSpan((int)(_start + (long)row * _pitch), columns);

    public Span<int> IntegerRow(int row, int columns) => MemoryMarshal.Cast<float, int>(Row(row, columns));
}
