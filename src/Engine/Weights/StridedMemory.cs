using ClipSegNative.Tensors;

namespace ClipSegNative.Weights;

/// <summary>A view whose elements do not lie in their order, such as a transposed matrix, as if they did: they are gathered when they are asked for.</summary>
/// <param name="inner">Holds the elements.</param>
/// <param name="begin">Byte offset of the first.</param>
/// <param name="elementSize">In bytes.</param>
/// <param name="shape">Without empty extents.</param>
/// <param name="strides">In elements, 0 or more, one an extent; the whole view lies within <paramref name="inner"/> and spans at most 2 GiB.</param>
sealed class StridedMemory(IWeightMemory inner, long begin, int elementSize, Shape shape, long[] strides) : IWeightMemory
{
    public string Description => inner.Description;

    public ReadOnlySpan<byte> Slice(long offset, int length)
    {
        ReadOnlySpan<byte> source = inner.Slice(begin, checked((int)SpanBytes()));
        var gathered = new byte[length];
        Span<int> place = stackalloc int[Shape.MaxRank];
        long remainder = offset / elementSize, at = 0;
        for (int axis = shape.Rank - 1; axis >= 0; axis--)
        {
            (remainder, place[axis]) = (remainder / shape[axis], (int)(remainder % shape[axis]));
            at += place[axis] * strides[axis];
        }
        for (int i = 0; i < length; i += elementSize)
        {
            source.Slice((int)at * elementSize, elementSize).CopyTo(gathered.AsSpan(i));
            at += Step(place);
        }
        return gathered;
    }

    /// <summary>From the first element to the end of the last.</summary>
    long SpanBytes()
    {
        long last = 0;
        for (int axis = 0; axis < shape.Rank; axis++) last += (shape[axis] - 1) * strides[axis];
        return (last + 1) * elementSize;
    }

    /// <summary>To the next place in row-major order; gives how far it lies from the one before.</summary>
    long Step(Span<int> place)
    {
        long distance = 0;
        for (int axis = shape.Rank - 1; axis >= 0; axis--)
        {
            if (++place[axis] < shape[axis]) return distance + strides[axis];
            distance -= (shape[axis] - 1) * strides[axis];
            place[axis] = 0;
        }
        return distance;
    }
}
