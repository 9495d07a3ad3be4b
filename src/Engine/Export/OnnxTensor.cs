namespace ClipSegNative.Export;

/// <summary>A constant of an ONNX graph; its elements are made when the file is written, so that a large model is never in memory twice.</summary>
/// <param name="Name">Unique in the graph.</param>
/// <param name="Type">F32, F16, I64 or I8.</param>
/// <param name="Extents">May be empty: a scalar.</param>
/// <param name="Write">Fills exactly the tensor's bytes, little-endian, row-major.</param>
sealed record OnnxTensor(string Name, OnnxType Type, IReadOnlyList<int> Extents, Action<Span<byte>> Write)
{
    public long Bytes => Extents.Aggregate((long)Type.Size(), (product, extent) => product * extent);
}

/// <summary>Element types, with the numbers of ONNX's TensorProto.DataType.</summary>
enum OnnxType
{
    F32 = 1,
    I8 = 3,
    I64 = 7,
    F16 = 10,
}

static class OnnxTypes
{
    public static int Size(this OnnxType type) => type switch { OnnxType.I8 => 1, OnnxType.F16 => 2, OnnxType.F32 => 4, _ => 8 };
}
