namespace ClipSegNative.Tensors;

/// <summary>The element types that weight files and tensors hold.</summary>
enum DType
{
    F32,
    F16,
    BF16,
    I32,
    I64,
    U8,
}

static class DTypes
{
    public static int Size(this DType type) => type switch
    {
        DType.F32 or DType.I32 => 4,
        DType.F16 or DType.BF16 => 2,
        DType.I64 => 8,
        DType.U8 => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };
}
