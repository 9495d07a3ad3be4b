using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace ClipSegNative.Imaging;

/// <summary>NumPy's .npy format, version 1.0, for float32 in C order, little-endian. The header comes once, the values in any number of parts.</summary>
static class NpyWriter
{
    const int Alignment = 64, PreambleBytes = 10;

    public static void WriteHeader(Stream stream, params ReadOnlySpan<int> shape)
    {
        var extents = new StringBuilder();
        foreach (int extent in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(extent, nameof(shape));
            if (extents.Length > 0) extents.Append(' ');
            extents.Append(extent).Append(',');
        }
        // A Python tuple: (), (5,), (3, 4).
        if (shape.Length > 1) extents.Length--;
        string text = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({extents}), }}";
        int total = (PreambleBytes + text.Length + 1 + Alignment - 1) / Alignment * Alignment;

        Span<byte> preamble = [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0, 0, 0];
        BinaryPrimitives.WriteUInt16LittleEndian(preamble[8..], checked((ushort)(total - PreambleBytes)));
        stream.Write(preamble);
        stream.Write(Encoding.ASCII.GetBytes(text.PadRight(total - PreambleBytes - 1) + '\n'));
    }

    public static void WriteValues(Stream stream, ReadOnlySpan<float> values)
    {
        if (BitConverter.IsLittleEndian)
        {
            // In parts: the byte length of a long span does not fit an int.
            const int Part = 1 << 20;
            for (; values.Length > Part; values = values[Part..]) stream.Write(MemoryMarshal.AsBytes(values[..Part]));
            stream.Write(MemoryMarshal.AsBytes(values));
            return;
        }
        Span<byte> one = stackalloc byte[sizeof(float)];
        foreach (float value in values)
        {
            BinaryPrimitives.WriteSingleLittleEndian(one, value);
            stream.Write(one);
        }
    }

    /// <summary>Header and all values.</summary>
    /// <exception cref="ArgumentException">The shape does not give the number of values.</exception>
    public static void Write(Stream stream, ReadOnlySpan<float> values, params ReadOnlySpan<int> shape)
    {
        long elements = 1;
        foreach (int extent in shape) elements = checked(elements * extent);
        if (elements != values.Length) throw new ArgumentException($"The shape holds {elements} values, not {values.Length}.", nameof(shape));
        WriteHeader(stream, shape);
        WriteValues(stream, values);
    }
}
