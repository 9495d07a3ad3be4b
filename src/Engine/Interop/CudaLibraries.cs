using System.Runtime.InteropServices;

namespace ClipSegNative.Interop;

/// <summary>What became of the search for one library.</summary>
/// <param name="Library">Which.</param>
/// <param name="Handle">Zero where none could be loaded.</param>
/// <param name="File">What was loaded.</param>
/// <param name="Version">As the library itself says.</param>
/// <param name="Problem">Why it must not be used though it was loaded.</param>
/// <param name="Attempts">Where it was looked for before.</param>
sealed record LibraryFinding(CudaLibrary Library, nint Handle, string? File, Version? Version, string? Problem, IReadOnlyList<LibraryAttempt> Attempts)
{
    public bool IsUsable => Handle != 0 && Problem is null;

    /// <summary>One sentence where it cannot be used: what is wrong and what to do.</summary>
    public string Sentence => IsUsable ? $"{Library.Title()} {Version}, {File}."
        : Problem ?? $"No {Library.Title()} was found: {Library.Remedy()}.";
}

/// <summary>
/// NVIDIA's libraries in this process, each looked for when it is first asked for. They must fit together: none newer than the driver, all of one
/// release, and a cuDNN built for it (<c>libcudnn.so.9</c> is one name for CUDA 12 and 13).
/// </summary>
sealed class CudaLibraries(ILibrarySurroundings surroundings)
{
    readonly Dictionary<CudaLibrary, LibraryFinding> _findings = [];
    readonly Lock _lock = new();

    /// <summary>Those that the imports of this assembly are bound to.</summary>
    public static CudaLibraries Shared { get; } = Bind();

    public LibraryFinding this[CudaLibrary library]
    {
        get
        {
            lock (_lock)
            {
                if (_findings.TryGetValue(library, out LibraryFinding? known)) return known;
                return _findings[library] = Find(library);
            }
        }
    }

    /// <exception cref="DeviceException">It was not found or must not be used; the message says what to do.</exception>
    public nint Require(CudaLibrary library) => this[library] is { IsUsable: true } found ? found.Handle : throw new DeviceException(this[library].Sentence);

    LibraryFinding Find(CudaLibrary library)
    {
        LibraryFinding? driver = library == CudaLibrary.Driver ? null : this[CudaLibrary.Driver];
        int? release = library is CudaLibrary.Driver or CudaLibrary.CublasLt ? null : this[CudaLibrary.CublasLt].Version?.Major;
        int most = driver?.Version?.Major ?? int.MaxValue;
        int[] majors = [.. CudaLibraryNames.Majors.Where(major => release is { } one ? major == one : major <= most)];
        if (library == CudaLibrary.Cudnn)
        {
            _ = this[CudaLibrary.Cublas];
            _ = this[CudaLibrary.Nvrtc];
        }
        (nint handle, string? file, IReadOnlyList<LibraryAttempt> attempts) = new LibrarySearch(surroundings).Find(library, majors);
        if (handle == 0) return new(library, handle, file, null, null, attempts);
        return new(library, handle, file, surroundings.VersionOf(library, handle), library == CudaLibrary.Cudnn ? Mismatch(handle, file, release) : null, attempts);
    }

    string? Mismatch(nint cudnn, string? file, int? release) =>
        release is { } ours && surroundings.CudaMajorOfCudnn(cudnn) is { } theirs && theirs != ours
            ? $"{file} is built for CUDA {theirs}, but cuBLAS is that of CUDA {ours} ({this[CudaLibrary.CublasLt].File}): put the folders of two that fit in {LibrarySearch.Variable}."
            : null;

    static CudaLibraries Bind()
    {
        var libraries = new CudaLibraries(new SystemSurroundings());
        NativeLibrary.SetDllImportResolver(typeof(CudaLibraries).Assembly, (name, _, _) =>
            Enum.TryParse(name, out CudaLibrary library) ? libraries.Require(library) : 0);
        return libraries;
    }
}
