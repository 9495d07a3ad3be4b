namespace ClipSegNative.Backends.Cuda;

/// <summary>What the operands of matrix products and of attention are rounded to; sums, and everything else, are float32.</summary>
enum CudaPrecision
{
    Float32,

    /// <summary>10 bits of mantissa; attention stays in float32.</summary>
    TensorFloat32,

    /// <summary>7 bits of mantissa, the range of float32.</summary>
    BFloat16,

    /// <summary>10 bits of mantissa, nothing beyond 65504.</summary>
    Float16,
}
