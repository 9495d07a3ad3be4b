using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ClipSegNative.Tensors;

namespace ClipSegNative.Weights;

/// <summary>One tensor of a weight source. Its spans lie in the source's memory: they must not be used after the source is disposed.</summary>
readonly struct WeightEntry(string name, DType type, Shape shape, IWeightMemory memory, long offset)
{
    /// <summary>As the file spells it, prefix included.</summary>
    public string Name => name;

    public DType Type => type;

    public Shape Shape => shape;

    /// <summary>The stored elements, little-endian, row-major; not necessarily aligned to the element size.</summary>
    /// <exception cref="ObjectDisposedException">The source was disposed.</exception>
    public ReadOnlySpan<byte> Bytes => memory.Slice(offset, checked((int)(shape.Elements * type.Size())));

    /// <summary>The elements as floats without a copy: possible for F32 data on a 4-byte boundary, which the format does not promise.</summary>
    public bool TryView(out ReadOnlySpan<float> values)
    {
        values = default;
        if (type != DType.F32) return false;
        ReadOnlySpan<byte> bytes = Bytes;
        if (!IsAligned(bytes)) return false;
        values = MemoryMarshal.Cast<byte, float>(bytes);
        return true;
    }

    /// <summary>The elements as floats: in place where <see cref="TryView"/> can, else converted into a new array.</summary>
    /// <exception cref="ModelFileException">The elements are integers.</exception>
    public ReadOnlySpan<float> Singles()
    {
        if (TryView(out ReadOnlySpan<float> values)) return values;
        var copy = new float[shape.Elements];
        ToSingle(copy);
        return copy;
    }

    /// <summary>Converts every element; F16 and BF16 are widened exactly.</summary>
    /// <param name="destination">Exactly as long as the shape has elements.</param>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    /// <exception cref="ModelFileException">The elements are integers.</exception>
    public void ToSingle(Span<float> destination)
    {
        if (destination.Length != shape.Elements)
            throw new ArgumentException($"'{name}' has {shape.Elements} elements, the destination {destination.Length}.", nameof(destination));
        if (!FloatConversion.TryToSingle(Bytes, type, destination))
            throw new ModelFileException($"{memory.Description}: '{name}' holds {type}, expected F32, F16 or BF16: is this a file of weights?");
    }

    /// <summary>Some of the outermost extent's slices: a part of a matrix that holds several, one below the other.</summary>
    public WeightEntry Rows(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, shape[0] - first);
        Span<int> extents = stackalloc int[shape.Rank];
        for (int axis = 0; axis < shape.Rank; axis++) extents[axis] = axis == 0 ? count : shape[axis];
        long rowBytes = shape[0] == 0 ? 0 : shape.Elements / shape[0] * type.Size();
        return new WeightEntry(name, type, new Shape(extents), memory, offset + first * rowBytes);
    }

    /// <summary>A matrix with its axes exchanged; its elements are gathered when they are asked for.</summary>
    public WeightEntry Transposed()
    {
        if (shape.Rank != 2) throw new InvalidOperationException($"'{name}' of shape {shape} is no matrix.");
        var turned = new Shape(shape[1], shape[0]);
        return new WeightEntry(name, type, turned, new StridedMemory(memory, offset, type.Size(), turned, [1, shape[1]]), 0);
    }

    static bool IsAligned(ReadOnlySpan<byte> bytes)
    {
        unsafe
        {
            return (nuint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes)) % sizeof(float) == 0;
        }
    }
}
