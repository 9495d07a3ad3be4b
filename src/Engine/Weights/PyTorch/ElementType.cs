using ClipSegNative.Tensors;

namespace ClipSegNative.Weights.PyTorch;

/// <summary>What a storage holds.</summary>
/// <param name="Name">As safetensors spells it; PyTorch's own name where that has none.</param>
/// <param name="Bytes">An element's; 0 where it is not known.</param>
/// <param name="Type">Null for types that are not read.</param>
readonly record struct ElementType(string Name, int Bytes, DType? Type)
{
    /// <param name="storageClass">PyTorch's class, such as FloatStorage.</param>
    public static ElementType Of(string storageClass) => storageClass switch
    {
        "FloatStorage" => new("F32", 4, DType.F32),
        "HalfStorage" => new("F16", 2, DType.F16),
        "BFloat16Storage" => new("BF16", 2, DType.BF16),
        "LongStorage" => new("I64", 8, DType.I64),
        "IntStorage" => new("I32", 4, DType.I32),
        "ByteStorage" => new("U8", 1, DType.U8),
        "DoubleStorage" => new("F64", 8, null),
        "ShortStorage" => new("I16", 2, null),
        "CharStorage" => new("I8", 1, null),
        "BoolStorage" => new("BOOL", 1, null),
        _ => new(storageClass, 0, null),
    };
}
