namespace ClipSegNative.Interop;

/// <summary>NVIDIA's libraries, in the order in which they are loaded: cuDNN's own libraries bind to the cuBLAS and NVRTC that are there by then.</summary>
enum CudaLibrary
{
    Driver,
    CublasLt,
    Cublas,
    Nvrtc,
    Cudnn,
}

/// <summary>How files and users call them.</summary>
static class CudaLibraryNames
{
    /// <summary>Releases of CUDA whose libraries are looked for, newest first.</summary>
    public static IReadOnlyList<int> Majors { get; } = [13, 12, 11];

    public static string Title(this CudaLibrary library) => library switch
    {
        CudaLibrary.Driver => "CUDA driver",
        CudaLibrary.CublasLt => "cuBLASLt",
        CudaLibrary.Cublas => "cuBLAS",
        CudaLibrary.Nvrtc => "NVRTC",
        _ => "cuDNN",
    };

    /// <summary>What to do where it was not found.</summary>
    public static string Remedy(this CudaLibrary library) => library switch
    {
        CudaLibrary.Driver => $"install NVIDIA's driver, or name the folder of its library in {LibrarySearch.Variable}",
        CudaLibrary.Cudnn => $"install cuDNN 9 (NVIDIA's package, or pip install nvidia-cudnn-cu13), or name its folder in {LibrarySearch.Variable}",
        _ => $"install the CUDA toolkit (NVIDIA's or your distribution's, or pip install nvidia-cublas), or name its lib folder in {LibrarySearch.Variable}",
    };

    /// <summary>The names under which it may be installed, best first.</summary>
    /// <param name="library">Which.</param>
    /// <param name="majors">The releases of CUDA that will do; the driver and cuDNN have one name for all.</param>
    /// <param name="windows">Else Linux.</param>
    public static IReadOnlyList<string> Files(this CudaLibrary library, IReadOnlyList<int> majors, bool windows) => (library, windows) switch
    {
        (CudaLibrary.Driver, false) => ["libcuda.so.1", "libcuda.so"],
        (CudaLibrary.Driver, true) => ["nvcuda.dll"],
        (CudaLibrary.Cudnn, false) => ["libcudnn.so.9"],
        (CudaLibrary.Cudnn, true) => ["cudnn64_9.dll"],
        // CUDA 11's NVRTC kept the number of a minor release.
        (CudaLibrary.Nvrtc, false) => [.. majors.Select(major => major == 11 ? "libnvrtc.so.11.2" : $"libnvrtc.so.{major}")],
        (CudaLibrary.Nvrtc, true) => [.. majors.Select(major => $"nvrtc64_{(major == 11 ? "112" : $"{major}0")}_0.dll")],
        (_, false) => [.. majors.Select(major => $"lib{Stem(library)}.so.{major}")],
        _ => [.. majors.Select(major => $"{Stem(library)}64_{major}.dll")],
    };

    static string Stem(CudaLibrary library) => library == CudaLibrary.CublasLt ? "cublasLt" : "cublas";
}
