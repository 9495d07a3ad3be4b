namespace ClipSegNative.Interop;

/// <summary>A place where a library was looked for in vain.</summary>
/// <param name="Place">Which rule led there.</param>
/// <param name="Path">The folder, the file, or a name given to the loader.</param>
/// <param name="Reason">Why it was not used.</param>
sealed record LibraryAttempt(string Place, string Path, string Reason);

/// <summary>
/// Looks for NVIDIA's libraries in this order: the folders in <c>CLIPSEG_CUDA_LIBRARIES</c>; <c>CUDA_HOME</c>, <c>CUDA_PATH</c>, <c>CUDNN_PATH</c>;
/// the system's loader; the wheels of a Python (<c>VIRTUAL_ENV</c>, then those on <c>PATH</c>); <c>/usr/local/cuda*</c> and where containers and
/// WSL mount the driver. Within a place the newest release comes first.
/// </summary>
sealed class LibrarySearch(ILibrarySurroundings surroundings)
{
    public const string Variable = "CLIPSEG_CUDA_LIBRARIES";

    const string Loader = "the loader";

    /// <param name="library">Which.</param>
    /// <param name="majors">The releases of CUDA that will do, best first.</param>
    /// <returns>Handle zero where nothing could be loaded; every place that was tried before says why not.</returns>
    public (nint Handle, string? File, IReadOnlyList<LibraryAttempt> Attempts) Find(CudaLibrary library, IReadOnlyList<int> majors)
    {
        IReadOnlyList<string> names = library.Files(majors, surroundings.IsWindows);
        var attempts = new List<LibraryAttempt>();
        foreach ((string place, string folder) in Places(library))
        {
            string[] files = [.. place == Loader ? names : names.Select(name => Path.Combine(folder, name)).Where(surroundings.FileExists)];
            if (files.Length == 0)
            {
                attempts.Add(new(place, folder, surroundings.FolderExists(folder) ? $"holds none of {string.Join(", ", names)}" : "there is no such folder"));
            }
            foreach (string file in files)
            {
                (nint handle, string reason) = surroundings.Load(file);
                if (handle != 0) return (handle, place == Loader ? surroundings.FileOf(file) ?? file : file, attempts);
                attempts.Add(new(place, file, reason));
            }
        }
        return (0, null, attempts);
    }

    IEnumerable<(string Place, string Folder)> Places(CudaLibrary library)
    {
        foreach (string folder in Split(surroundings.Variable(Variable))) yield return (Variable, folder);
        string[] below = surroundings.IsWindows ? ["bin/x64", "bin"] : ["lib64", "lib", "targets/x86_64-linux/lib", "targets/sbsa-linux/lib"];
        foreach (string variable in (string[])["CUDA_HOME", "CUDA_PATH", "CUDNN_PATH"])
        {
            if (surroundings.Variable(variable) is not { } root) continue;
            foreach (string folder in below) yield return (variable, Path.Combine(root, folder));
        }
        yield return (Loader, "");
        if (library != CudaLibrary.Driver)
        {
            foreach (string folder in Wheels(library)) yield return ("Python wheels", folder);
        }
        if (surroundings.IsWindows) yield break;
        IEnumerable<string> system = library == CudaLibrary.Driver
            ? ["/usr/local/nvidia/lib64", "/usr/lib/wsl/lib"]
            : surroundings.Folders("/usr/local", "cuda*").OrderByDescending(ReleaseOf).Select(folder => $"{folder}/lib64");
        foreach (string folder in system) yield return ("system folders", folder);
    }

    /// <summary>Wheels for CUDA 13 share one folder; older ones have one a library.</summary>
    IEnumerable<string> Wheels(CudaLibrary library)
    {
        string own = library switch { CudaLibrary.Cudnn => "cudnn", CudaLibrary.Nvrtc => "cuda_nvrtc", _ => "cublas" };
        return from packages in PythonPackages()
               from folder in (string[])["cu13", own]
               select Path.Combine(packages, "nvidia", folder, surroundings.IsWindows ? "bin" : "lib") into path
               where surroundings.FolderExists(path)
               select path;
    }

    IEnumerable<string> PythonPackages()
    {
        IEnumerable<string> onPath = Split(surroundings.Variable("PATH"));
        IEnumerable<string> environment = surroundings.Variable("VIRTUAL_ENV") is { } named ? [named] : [];
        if (surroundings.IsWindows)
        {
            // python.exe lies in the environment's root or in its Scripts.
            return environment.Concat(onPath.SelectMany(folder => (string?[])[folder, Path.GetDirectoryName(folder)]).OfType<string>())
                .Select(root => Path.Combine(root, "Lib", "site-packages")).Distinct();
        }
        return (from root in environment.Concat(onPath.Where(folder => Path.GetFileName(folder) == "bin").Select(Path.GetDirectoryName).OfType<string>())
                from python in surroundings.Folders(Path.Combine(root, "lib"), "python3*")
                from packages in (string[])["site-packages", "dist-packages"]
                select Path.Combine(python, packages)).Distinct();
    }

    /// <summary>cuda itself before all: it is a link to the release that was chosen.</summary>
    static Version ReleaseOf(string folder)
    {
        string name = Path.GetFileName(folder);
        if (name == "cuda") return new Version(int.MaxValue, 0);
        string number = name["cuda".Length..].TrimStart('-');
        return Version.TryParse(number.Contains('.') ? number : $"{number}.0", out Version? release) ? release : new Version(0, 0);
    }

    string[] Split(string? list) =>
        list?.Split(surroundings.IsWindows ? ';' : ':', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
