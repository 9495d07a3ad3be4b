namespace ClipSegNative.Backends.Cuda;

/// <summary>A row-major matrix of float32 on the device.</summary>
/// <param name="Address">Of its first element; 0 for none.</param>
/// <param name="Pitch">Elements from row to row.</param>
readonly record struct DeviceMatrix(ulong Address, int Pitch);

/// <summary>Result = op(Left) · op(Right) + Bias + Addend: [rows, depth] · [depth, columns].</summary>
readonly record struct MatrixProduct(int Rows, int Columns, int Depth)
{
    public DeviceMatrix Left { get; init; }

    /// <summary>Left lies as [depth, rows].</summary>
    public bool TransposeLeft { get; init; }

    public DeviceMatrix Right { get; init; }

    /// <summary>Right lies as [columns, depth].</summary>
    public bool TransposeRight { get; init; }

    /// <summary>[columns], added to every row; 0 for none.</summary>
    public ulong Bias { get; init; }

    /// <summary>[rows, columns]; may be the result, which is then added to.</summary>
    public DeviceMatrix Addend { get; init; }

    public DeviceMatrix Result { get; init; }

    public CudaPrecision Precision { get; init; }

    /// <summary>What decides how it is best computed: everything but where the operands lie.</summary>
    public ProductKind Kind => new(
        Rows, Columns, Depth, Left.Pitch, TransposeLeft, Right.Pitch, TransposeRight, Bias != 0, Addend.Address == 0 ? 0 : Addend.Pitch, Result.Pitch, Precision);
}

/// <summary>As <see cref="MatrixProduct"/>; an addend of pitch 0 is none.</summary>
readonly record struct ProductKind(
    int Rows, int Columns, int Depth, int LeftPitch, bool TransposeLeft, int RightPitch, bool TransposeRight, bool HasBias, int AddendPitch, int ResultPitch,
    CudaPrecision Precision);
