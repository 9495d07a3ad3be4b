using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ClipSegNative.Interop;

/// <summary>The machine that this process runs on.</summary>
sealed unsafe class SystemSurroundings : ILibrarySurroundings
{
    public bool IsWindows => OperatingSystem.IsWindows();

    public string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    public bool FileExists(string path) => File.Exists(path);

    public bool FolderExists(string folder) => Directory.Exists(folder);

    public IEnumerable<string> Folders(string parent, string pattern)
    {
        try { return [.. Directory.EnumerateDirectories(parent, pattern).Order(StringComparer.Ordinal)]; }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return []; }
    }

    public (nint Handle, string Reason) Load(string path)
    {
        try { return (NativeLibrary.Load(path), ""); }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            // The loader's own words come last; above them stands how to debug a loader.
            string[] lines = e.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return (0, lines.Length == 0 ? "it cannot be loaded" : lines[^1]);
        }
    }

    public string? FileOf(string name)
    {
        // libcuda.so.1 is a link to libcuda.so.580.95.05, under which name the system lists it.
        string stem = name.Contains(".so", StringComparison.Ordinal) ? name[..(name.IndexOf(".so", StringComparison.Ordinal) + ".so".Length)] : name;
        using Process self = Process.GetCurrentProcess();
        return self.Modules.Cast<ProcessModule>().Select(module => module.FileName)
            .FirstOrDefault(file => Path.GetFileName(file).StartsWith(stem, StringComparison.OrdinalIgnoreCase));
    }

    public Version? VersionOf(CudaLibrary library, nint handle)
    {
        int major, minor = 0, patch = 0;
        switch (library)
        {
            case CudaLibrary.Driver:
                if (!NativeLibrary.TryGetExport(handle, "cuDriverGetVersion", out nint driver) || ((delegate* unmanaged<int*, int>)driver)(&major) != 0) return null;
                return new Version(major / 1000, major % 1000 / 10);
            case CudaLibrary.Nvrtc:
                if (!NativeLibrary.TryGetExport(handle, "nvrtcVersion", out nint nvrtc) || ((delegate* unmanaged<int*, int*, int>)nvrtc)(&major, &minor) != 0) return null;
                return new Version(major, minor);
            default:
                string name = library switch { CudaLibrary.CublasLt => "cublasLtGetProperty", CudaLibrary.Cublas => "cublasGetProperty", _ => "cudnnGetProperty" };
                if (!NativeLibrary.TryGetExport(handle, name, out nint export)) return null;
                var property = (delegate* unmanaged<int, int*, int>)export;   // of libraryPropertyType: 0 major, 1 minor, 2 patch
                return property(0, &major) == 0 && property(1, &minor) == 0 && property(2, &patch) == 0 ? new Version(major, minor, patch) : null;
        }
    }

    public int? CudaMajorOfCudnn(nint handle)
    {
        if (!NativeLibrary.TryGetExport(handle, "cudnnGetCudartVersion", out nint export)) return null;
        nuint version = ((delegate* unmanaged<nuint>)export)();
        return version == 0 ? null : (int)(version / 1000);
    }
}
