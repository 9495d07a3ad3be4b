using System.Runtime.InteropServices;

namespace ClipSegNative.Interop;

/// <summary>cuDNN 9's convolutions through the API that it kept from version 7 (cuDNN API reference, legacy convolution). Zero is success.</summary>
static unsafe partial class Cudnn
{
    const string Library = nameof(CudaLibrary.Cudnn);

    // Binds the imports of this assembly to what the search finds.
    static Cudnn() => _ = CudaLibraries.Shared;

    // Handles and descriptors
    [LibraryImport(Library, EntryPoint = "cudnnCreate")]
    public static partial int Create(out nint handle);

    [LibraryImport(Library, EntryPoint = "cudnnDestroy")]
    public static partial int Destroy(nint handle);

    [LibraryImport(Library, EntryPoint = "cudnnSetStream")]
    public static partial int SetStream(CudnnHandle handle, CudaStream stream);

    [LibraryImport(Library, EntryPoint = "cudnnGetErrorString")]
    public static partial byte* GetErrorString(int status);

    [LibraryImport(Library, EntryPoint = "cudnnGetLastErrorString")]
    public static partial void GetLastErrorString(byte* message, nuint capacity);

    [LibraryImport(Library, EntryPoint = "cudnnCreateTensorDescriptor")]
    public static partial int TensorCreate(out nint tensor);

    [LibraryImport(Library, EntryPoint = "cudnnSetTensor4dDescriptorEx")]
    public static partial int TensorSet(
        CudnnTensor tensor, CudnnDataType type, int batch, int channels, int height, int width, int batchStride, int channelStride,
        int heightStride, int widthStride);

    [LibraryImport(Library, EntryPoint = "cudnnDestroyTensorDescriptor")]
    public static partial int TensorDestroy(nint tensor);

    [LibraryImport(Library, EntryPoint = "cudnnCreateFilterDescriptor")]
    public static partial int FilterCreate(out nint filter);

    [LibraryImport(Library, EntryPoint = "cudnnSetFilter4dDescriptor")]
    public static partial int FilterSet(CudnnFilter filter, CudnnDataType type, CudnnFormat format, int outputs, int inputs, int height, int width);

    [LibraryImport(Library, EntryPoint = "cudnnDestroyFilterDescriptor")]
    public static partial int FilterDestroy(nint filter);

    [LibraryImport(Library, EntryPoint = "cudnnCreateConvolutionDescriptor")]
    public static partial int ConvolutionCreate(out nint convolution);

    [LibraryImport(Library, EntryPoint = "cudnnSetConvolution2dDescriptor")]
    public static partial int ConvolutionSet(
        CudnnConvolution convolution, int padHeight, int padWidth, int strideHeight, int strideWidth, int dilationHeight,
        int dilationWidth, CudnnConvolutionMode mode, CudnnDataType compute);

    [LibraryImport(Library, EntryPoint = "cudnnSetConvolutionMathType")]
    public static partial int ConvolutionSetMath(CudnnConvolution convolution, CudnnMath math);

    [LibraryImport(Library, EntryPoint = "cudnnSetConvolutionGroupCount")]
    public static partial int ConvolutionSetGroups(CudnnConvolution convolution, int groups);

    [LibraryImport(Library, EntryPoint = "cudnnDestroyConvolutionDescriptor")]
    public static partial int ConvolutionDestroy(nint convolution);

    // Forward
    [LibraryImport(Library, EntryPoint = "cudnnGetConvolutionForwardAlgorithm_v7")]
    public static partial int ForwardAlgorithms(
        CudnnHandle handle, CudnnTensor x, CudnnFilter w, CudnnConvolution convolution, CudnnTensor y, int wanted, out int found,
        CudnnPerformance* results);

    [LibraryImport(Library, EntryPoint = "cudnnGetConvolutionForwardWorkspaceSize")]
    public static partial int ForwardWorkspace(
        CudnnHandle handle, CudnnTensor x, CudnnFilter w, CudnnConvolution convolution, CudnnTensor y, int algorithm, out nuint bytes);

    [LibraryImport(Library, EntryPoint = "cudnnConvolutionForward")]
    public static partial int Forward(
        CudnnHandle handle, void* alpha, CudnnTensor tensorX, ulong x, CudnnFilter filterW, ulong w, CudnnConvolution convolution,
        int algorithm, ulong workspace, nuint workspaceBytes, void* beta, CudnnTensor tensorY, ulong y);

    // Gradient of the input
    [LibraryImport(Library, EntryPoint = "cudnnGetConvolutionBackwardDataAlgorithm_v7")]
    public static partial int BackwardDataAlgorithms(
        CudnnHandle handle, CudnnFilter w, CudnnTensor dy, CudnnConvolution convolution, CudnnTensor dx, int wanted, out int found,
        CudnnPerformance* results);

    [LibraryImport(Library, EntryPoint = "cudnnGetConvolutionBackwardDataWorkspaceSize")]
    public static partial int BackwardDataWorkspace(
        CudnnHandle handle, CudnnFilter w, CudnnTensor dy, CudnnConvolution convolution, CudnnTensor dx, int algorithm, out nuint bytes);

    [LibraryImport(Library, EntryPoint = "cudnnConvolutionBackwardData")]
    public static partial int BackwardData(
        CudnnHandle handle, void* alpha, CudnnFilter filterW, ulong w, CudnnTensor tensorDy, ulong dy, CudnnConvolution convolution,
        int algorithm, ulong workspace, nuint workspaceBytes, void* beta, CudnnTensor tensorDx, ulong dx);

    // Gradient of the weights
    [LibraryImport(Library, EntryPoint = "cudnnGetConvolutionBackwardFilterAlgorithm_v7")]
    public static partial int BackwardFilterAlgorithms(
        CudnnHandle handle, CudnnTensor x, CudnnTensor dy, CudnnConvolution convolution, CudnnFilter dw, int wanted, out int found,
        CudnnPerformance* results);

    [LibraryImport(Library, EntryPoint = "cudnnGetConvolutionBackwardFilterWorkspaceSize")]
    public static partial int BackwardFilterWorkspace(
        CudnnHandle handle, CudnnTensor x, CudnnTensor dy, CudnnConvolution convolution, CudnnFilter dw, int algorithm, out nuint bytes);

    [LibraryImport(Library, EntryPoint = "cudnnConvolutionBackwardFilter")]
    public static partial int BackwardFilter(
        CudnnHandle handle, void* alpha, CudnnTensor tensorX, ulong x, CudnnTensor tensorDy, ulong dy, CudnnConvolution convolution,
        int algorithm, ulong workspace, nuint workspaceBytes, void* beta, CudnnFilter filterDw, ulong dw);
}
