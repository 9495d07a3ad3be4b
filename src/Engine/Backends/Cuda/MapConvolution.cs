namespace ClipSegNative.Backends.Cuda;

/// <summary>
/// A square convolution of stride 1 that keeps the size of its maps, zeros around them: Output = Input * Filter. Or, as
/// <see cref="IsWeightGradient"/>, the filter's gradient: Filter = Σ over pixels of Output's gradient times Input's neighbourhood.
/// </summary>
readonly record struct MapConvolution(int Batch, int Height, int Width, int Inputs, int Outputs, int Kernel)
{
    /// <summary>[batch, height, width, inputs], a pixel a row.</summary>
    public DeviceMatrix Input { get; init; }

    /// <summary>[outputs, kernel, kernel, inputs], without gaps; overwritten where it is the gradient.</summary>
    public ulong Filter { get; init; }

    /// <summary>[batch, height, width, outputs], a pixel a row: the result, or its gradient.</summary>
    public DeviceMatrix Output { get; init; }

    public bool IsWeightGradient { get; init; }

    public CudaPrecision Precision { get; init; }

    /// <summary>Of as many bytes as <see cref="ICudaRuntime.Prepare(in MapConvolution)"/> asked for.</summary>
    public ulong Workspace { get; init; }

    /// <summary>What decides how it is best computed: everything but where the operands lie.</summary>
    public ConvolutionKind Kind => new(Batch, Height, Width, Inputs, Outputs, Kernel, Input.Pitch, Output.Pitch, IsWeightGradient, Precision);
}

/// <summary>As <see cref="MapConvolution"/>.</summary>
readonly record struct ConvolutionKind(
    int Batch, int Height, int Width, int Inputs, int Outputs, int Kernel, int InputPitch, int OutputPitch, bool IsWeightGradient, CudaPrecision Precision);
