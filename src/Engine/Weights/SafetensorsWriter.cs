using System.Buffers;
using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json;
using ClipSegNative.Tensors;

namespace ClipSegNative.Weights;

/// <summary>A tensor to be written; its values are asked for once, when its turn comes.</summary>
/// <param name="Name">As it shall stand in the file.</param>
/// <param name="Shape">At most 2^31 - 1 elements.</param>
/// <param name="Fill">Writes every element, row-major.</param>
/// <param name="Type">F32 or F16; F16 rounds to nearest even.</param>
sealed record WeightToWrite(string Name, Shape Shape, Action<Span<float>> Fill, DType Type = DType.F32)
{
    public WeightToWrite(string name, Shape shape, ReadOnlyMemory<float> values, DType type = DType.F32)
        : this(name, shape, destination => values.Span.CopyTo(destination), type)
    {
        if (values.Length != shape.Elements) throw new ArgumentException($"'{name}' has shape {shape} but {values.Length} values.", nameof(values));
    }

    /// <summary>Instead of filling: where the elements lie, as bytes of the file.</summary>
    public ElementsInPlace? InPlace { get; init; }
}

delegate ReadOnlySpan<byte> ElementsInPlace();

/// <summary>Writes .safetensors files in one pass; holds one tensor at a time.</summary>
static class SafetensorsWriter
{
    const int Alignment = 8;

    /// <summary>Writes all tensors, four-byte types first so that each lies on its own boundary. The file appears whole or not at all.</summary>
    /// <param name="path">The target; an existing file is replaced.</param>
    /// <param name="tensors">In any order.</param>
    /// <param name="metadata">Free strings; <c>format = pt</c>, without which Hugging Face transformers refuses a file, is added.</param>
    /// <exception cref="ArgumentException">A name occurs twice or is reserved, or a type is neither F32 nor F16.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <param name="alignment">Of the first tensor in the file.</param>
    public static void Write(string path, IReadOnlyCollection<WeightToWrite> tensors, IReadOnlyDictionary<string, string>? metadata = null, int alignment = Alignment)
    {
        WeightToWrite[] ordered = [.. tensors.OrderByDescending(tensor => tensor.Type.Size())];
        byte[] header = Header(ordered, metadata, alignment, out long dataBytes);
        AtomicFile.Write(path, stream => WriteAll(stream, header, ordered), expectedBytes: sizeof(ulong) + header.Length + dataBytes);
    }

    static void WriteAll(Stream stream, byte[] header, WeightToWrite[] tensors)
    {
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
        int largest = checked((int)tensors.Where(tensor => tensor.InPlace is null).Select(tensor => tensor.Shape.Elements).DefaultIfEmpty().Max());
        var values = new float[largest];
        Half[] halves = tensors.Any(tensor => tensor.Type == DType.F16) ? new Half[largest] : [];
        foreach (WeightToWrite tensor in tensors)
        {
            if (tensor.InPlace is { } elements)
            {
                stream.Write(elements());
                continue;
            }
            int count = (int)tensor.Shape.Elements;
            Span<float> filled = values.AsSpan(0, count);
            tensor.Fill(filled);
            if (tensor.Type == DType.F16) TensorPrimitives.ConvertToHalf(filled, halves);
            stream.Write(tensor.Type == DType.F16 ? MemoryMarshal.AsBytes(halves.AsSpan(0, count)) : MemoryMarshal.AsBytes(filled));
        }
    }

    static byte[] Header(WeightToWrite[] tensors, IReadOnlyDictionary<string, string>? metadata, int alignment, out long dataBytes)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var names = new HashSet<string> { "__metadata__" };
        long offset = 0;
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            WriteMetadata(json, metadata);
            foreach (WeightToWrite tensor in tensors)
            {
                if (!names.Add(tensor.Name)) throw new ArgumentException($"'{tensor.Name}' occurs twice or is reserved.", nameof(tensors));
                if (tensor.Type is not (DType.F32 or DType.F16))
                    throw new ArgumentException($"'{tensor.Name}': {tensor.Type} is not written.", nameof(tensors));
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.Type.ToString());
                json.WriteStartArray("shape");
                for (int axis = 0; axis < tensor.Shape.Rank; axis++) json.WriteNumberValue(tensor.Shape[axis]);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.Shape.Elements * tensor.Type.Size());
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        dataBytes = offset;
        var header = new byte[(sizeof(ulong) + buffer.WrittenCount + alignment - 1) / alignment * alignment - sizeof(ulong)];
        header.AsSpan().Fill((byte)' ');
        buffer.WrittenSpan.CopyTo(header);
        return header;
    }

    static void WriteMetadata(Utf8JsonWriter json, IReadOnlyDictionary<string, string>? metadata)
    {
        json.WriteStartObject("__metadata__");
        if (metadata is null || !metadata.ContainsKey("format")) json.WriteString("format", "pt");
        foreach ((string key, string value) in metadata ?? new Dictionary<string, string>()) json.WriteString(key, value);
        json.WriteEndObject();
    }
}
