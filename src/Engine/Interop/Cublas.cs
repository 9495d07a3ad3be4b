using System.Runtime.InteropServices;

namespace ClipSegNative.Interop;

/// <summary>cuBLAS (cuBLAS library reference, section 2). Matrices lie column by column; zero is success.</summary>
static unsafe partial class Cublas
{
    const string Library = nameof(CudaLibrary.Cublas);

    // Binds the imports of this assembly to what the search finds.
    static Cublas() => _ = CudaLibraries.Shared;

    // Handles
    [LibraryImport(Library, EntryPoint = "cublasCreate_v2")]
    public static partial int Create(out nint handle);

    [LibraryImport(Library, EntryPoint = "cublasDestroy_v2")]
    public static partial int Destroy(nint handle);

    [LibraryImport(Library, EntryPoint = "cublasSetStream_v2")]
    public static partial int SetStream(CublasHandle handle, CudaStream stream);

    [LibraryImport(Library, EntryPoint = "cublasSetWorkspace_v2")]
    public static partial int SetWorkspace(CublasHandle handle, ulong workspace, nuint bytes);

    [LibraryImport(Library, EntryPoint = "cublasSetMathMode")]
    public static partial int SetMathMode(CublasHandle handle, CublasMath mode);

    [LibraryImport(Library, EntryPoint = "cublasGetStatusName")]
    public static partial byte* GetStatusName(int status);

    [LibraryImport(Library, EntryPoint = "cublasGetStatusString")]
    public static partial byte* GetStatusString(int status);

    // Products
    [LibraryImport(Library, EntryPoint = "cublasGemmEx")]
    public static partial int Gemm(
        CublasHandle handle, CublasOperation transposeA, CublasOperation transposeB, int m, int n, int k, void* alpha, ulong a,
        CudaDataType typeA, int strideA, ulong b, CudaDataType typeB, int strideB, void* beta, ulong c, CudaDataType typeC, int strideC,
        CublasCompute compute, CublasAlgorithm algorithm);

    [LibraryImport(Library, EntryPoint = "cublasGemmStridedBatchedEx")]
    public static partial int GemmStridedBatched(
        CublasHandle handle, CublasOperation transposeA, CublasOperation transposeB, int m, int n, int k, void* alpha, ulong a,
        CudaDataType typeA, int strideA, long betweenA, ulong b, CudaDataType typeB, int strideB, long betweenB, void* beta, ulong c,
        CudaDataType typeC, int strideC, long betweenC, int count, CublasCompute compute, CublasAlgorithm algorithm);
}
