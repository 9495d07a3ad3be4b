using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ClipSegNative.Tensors;

namespace ClipSegNative.Weights;

/// <summary>Stored element types to and from float.</summary>
static class FloatConversion
{
    /// <summary>Widens little-endian elements; exact for every F16 and BF16 pattern.</summary>
    /// <returns>False where the type is not a floating-point one.</returns>
    public static bool TryToSingle(ReadOnlySpan<byte> source, DType type, Span<float> destination)
    {
        switch (type)
        {
            case DType.F32:
                source.CopyTo(MemoryMarshal.AsBytes(destination));
                return true;
            case DType.F16:
                HalfFormat.Widen(MemoryMarshal.Cast<byte, Half>(source), destination);
                return true;
            case DType.BF16:
                WidenBrain(MemoryMarshal.Cast<byte, ushort>(source), MemoryMarshal.Cast<float, uint>(destination));
                return true;
            default:
                return false;
        }
    }

    /// <summary>A brain float is the upper half of a float's bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void WidenBrain(ReadOnlySpan<ushort> source, Span<uint> destination)
    {
        int i = 0;
        for (; i <= source.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(source[i..]), out Vector<uint> low, out Vector<uint> high);
            (low << 16).CopyTo(destination[i..]);
            (high << 16).CopyTo(destination[(i + Vector<uint>.Count)..]);
        }
        for (; i < source.Length; i++) destination[i] = (uint)source[i] << 16;
    }
}
