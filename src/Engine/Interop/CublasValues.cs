namespace ClipSegNative.Interop;

/// <summary>cublasStatus_t, those that are told apart.</summary>
static class CublasStatus
{
    public const int NotSupported = 15;
}

/// <summary>cublasOperation_t.</summary>
enum CublasOperation
{
    None = 0,
    Transpose = 1,
}

/// <summary>cublasComputeType_t.</summary>
enum CublasCompute
{
    Float32 = 68,
    FastFloat16 = 74,
    FastBFloat16 = 75,
    FastTensorFloat32 = 77,
}

/// <summary>cublasMath_t.</summary>
enum CublasMath
{
    Default = 0,
    TensorFloat32 = 3,
}

/// <summary>cublasGemmAlgo_t; the others have meant the same since CUDA 12.</summary>
enum CublasAlgorithm
{
    Default = -1,
}

/// <summary>cublasLtMatmulDescAttributes_t.</summary>
enum CublasLtProductAttribute
{
    TransposeA = 3,
    TransposeB = 4,
    Epilogue = 7,
    BiasPointer = 8,
    AuxiliaryPointer = 11,
    AuxiliaryStride = 12,
    BiasType = 26,
}

/// <summary>cublasLtMatrixLayoutAttribute_t.</summary>
enum CublasLtLayoutAttribute
{
    BatchCount = 5,
    BatchStride = 6,
}

/// <summary>cublasLtMatmulPreferenceAttributes_t.</summary>
enum CublasLtPreferenceAttribute
{
    WorkspaceBytes = 1,
    AlignmentA = 5,
    AlignmentB = 6,
    AlignmentC = 7,
    AlignmentD = 8,
}

/// <summary>cublasLtEpilogue_t. Its GELU is the tanh form, neither CLIP's quick GELU nor the exact one.</summary>
enum CublasLtEpilogue
{
    None = 1,
    Relu = 2,
    Bias = 4,
    ReluBias = 6,
    GeluBias = 36,
    GeluAuxiliaryBias = 164,
    GeluGradientBiasGradient = 208,
    BiasGradientB = 512,
}

/// <summary>cublasLtMatmulAlgo_t, 64 bytes, opaque.</summary>
unsafe struct CublasLtAlgorithm
{
    public fixed ulong Data[8];
}

/// <summary>cublasLtMatmulHeuristicResult_t, 96 bytes.</summary>
unsafe struct CublasLtHeuristic
{
    public CublasLtAlgorithm Algorithm;
    public nuint WorkspaceBytes;
    public int Status;
    public float Waves;
    public fixed int Reserved[4];
}
