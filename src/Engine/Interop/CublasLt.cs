using System.Runtime.InteropServices;

namespace ClipSegNative.Interop;

/// <summary>
/// cuBLASLt (cuBLAS library reference, section 3): products with an epilogue of bias or activation. Matrices lie column by column; zero is
/// success.
/// </summary>
static unsafe partial class CublasLt
{
    const string Library = nameof(CudaLibrary.CublasLt);

    // Binds the imports of this assembly to what the search finds.
    static CublasLt() => _ = CudaLibraries.Shared;

    // Handles and descriptors
    [LibraryImport(Library, EntryPoint = "cublasLtCreate")]
    public static partial int Create(out nint handle);

    [LibraryImport(Library, EntryPoint = "cublasLtDestroy")]
    public static partial int Destroy(nint handle);

    [LibraryImport(Library, EntryPoint = "cublasLtGetStatusName")]
    public static partial byte* GetStatusName(int status);

    [LibraryImport(Library, EntryPoint = "cublasLtGetStatusString")]
    public static partial byte* GetStatusString(int status);

    [LibraryImport(Library, EntryPoint = "cublasLtMatmulDescCreate")]
    public static partial int ProductCreate(out nint product, CublasCompute compute, CudaDataType scale);

    [LibraryImport(Library, EntryPoint = "cublasLtMatmulDescSetAttribute")]
    public static partial int ProductSetAttribute(CublasLtProduct product, CublasLtProductAttribute attribute, void* value, nuint bytes);

    [LibraryImport(Library, EntryPoint = "cublasLtMatmulDescDestroy")]
    public static partial int ProductDestroy(nint product);

    [LibraryImport(Library, EntryPoint = "cublasLtMatrixLayoutCreate")]
    public static partial int LayoutCreate(out nint layout, CudaDataType type, ulong rows, ulong columns, long stride);

    [LibraryImport(Library, EntryPoint = "cublasLtMatrixLayoutSetAttribute")]
    public static partial int LayoutSetAttribute(CublasLtLayout layout, CublasLtLayoutAttribute attribute, void* value, nuint bytes);

    [LibraryImport(Library, EntryPoint = "cublasLtMatrixLayoutDestroy")]
    public static partial int LayoutDestroy(nint layout);

    [LibraryImport(Library, EntryPoint = "cublasLtMatmulPreferenceCreate")]
    public static partial int PreferenceCreate(out nint preference);

    [LibraryImport(Library, EntryPoint = "cublasLtMatmulPreferenceSetAttribute")]
    public static partial int PreferenceSetAttribute(CublasLtPreference preference, CublasLtPreferenceAttribute attribute, void* value, nuint bytes);

    [LibraryImport(Library, EntryPoint = "cublasLtMatmulPreferenceDestroy")]
    public static partial int PreferenceDestroy(nint preference);

    // Products
    [LibraryImport(Library, EntryPoint = "cublasLtMatmulAlgoGetHeuristic")]
    public static partial int GetHeuristic(
        CublasLtHandle handle, CublasLtProduct product, CublasLtLayout a, CublasLtLayout b, CublasLtLayout c, CublasLtLayout d,
        CublasLtPreference preference, int wanted, CublasLtHeuristic* results, out int found);

    [LibraryImport(Library, EntryPoint = "cublasLtMatmul")]
    public static partial int Multiply(
        CublasLtHandle handle, CublasLtProduct product, void* alpha, ulong a, CublasLtLayout layoutA, ulong b, CublasLtLayout layoutB,
        void* beta, ulong c, CublasLtLayout layoutC, ulong d, CublasLtLayout layoutD, CublasLtAlgorithm* algorithm, ulong workspace,
        nuint workspaceBytes, CudaStream stream);
}
