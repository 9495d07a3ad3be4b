namespace ClipSegNative.Interop;

/// <summary>cudnnDataType_t.</summary>
enum CudnnDataType
{
    Float32 = 0,
    Float16 = 2,
    BFloat16 = 9,
}

/// <summary>cudnnTensorFormat_t.</summary>
enum CudnnFormat
{
    ChannelsFirst = 0,
    ChannelsLast = 1,
}

/// <summary>cudnnConvolutionMode_t; what networks call a convolution is the second.</summary>
enum CudnnConvolutionMode
{
    Convolution = 0,
    CrossCorrelation = 1,
}

/// <summary>cudnnMathType_t.</summary>
enum CudnnMath
{
    Default = 0,
    TensorCores = 1,
    TensorCoresAndConversion = 2,
    MultiplyAdd = 3,
}

/// <summary>cudnnConvolution…AlgoPerf_t of all three directions, 48 bytes.</summary>
unsafe struct CudnnPerformance
{
    public int Algorithm;
    public int Status;
    public float Milliseconds;
    public nuint WorkspaceBytes;
    public int Deterministic;
    public CudnnMath Math;
    public fixed int Reserved[3];
}
