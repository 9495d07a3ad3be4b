namespace ClipSegNative.Interop;

/// <summary>All that the search for libraries touches of the machine, so that tests can be any machine.</summary>
interface ILibrarySurroundings
{
    /// <summary>Else Linux.</summary>
    bool IsWindows { get; }

    /// <summary>An environment variable; null where it is not set or empty.</summary>
    string? Variable(string name);

    bool FileExists(string path);

    bool FolderExists(string folder);

    /// <summary>The folders in a folder, with their paths, whose names fit a pattern; none where there is no such folder.</summary>
    IEnumerable<string> Folders(string parent, string pattern);

    /// <summary>Loads a library by its path, or by its name alone as the system's loader finds it.</summary>
    /// <returns>Zero, and why, where it cannot be loaded.</returns>
    (nint Handle, string Reason) Load(string path);

    /// <summary>The file of a library that the loader found by its name; null where the system does not tell.</summary>
    string? FileOf(string name);

    /// <summary>What a loaded library says of itself; null where it does not answer.</summary>
    Version? VersionOf(CudaLibrary library, nint handle);

    /// <summary>The release of CUDA that a cuDNN was built for; null where it does not answer.</summary>
    int? CudaMajorOfCudnn(nint handle);
}
