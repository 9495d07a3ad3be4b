using ClipSegNative.Interop;

namespace ClipSegNative.Tests.Interop;

/// <summary>A machine with the variables, folders and libraries that a test gives it.</summary>
sealed class FakeMachine : ILibrarySurroundings
{
    public Dictionary<string, string> Variables { get; init; } = [];

    /// <summary>Files by path; the loader finds those whose key is a name alone.</summary>
    public Dictionary<string, FakeLibrary> Libraries { get; init; } = [];

    public bool IsWindows { get; init; }

    /// <summary>What was loaded, in order.</summary>
    public List<string> Loaded { get; } = [];

    public string? Variable(string name) => Variables.GetValueOrDefault(name);

    public bool FileExists(string path) => Libraries.ContainsKey(path) && path.Contains('/');

    public bool FolderExists(string folder) => folder.Length > 0 && Libraries.Keys.Any(file => file.StartsWith($"{folder}/", StringComparison.Ordinal));

    public IEnumerable<string> Folders(string parent, string pattern) => Libraries.Keys
        .Where(file => file.StartsWith($"{parent}/{pattern.TrimEnd('*')}", StringComparison.Ordinal))
        .Select(file => $"{parent}/{file[(parent.Length + 1)..].Split('/')[0]}").Distinct();

    public (nint Handle, string Reason) Load(string path)
    {
        if (!Libraries.TryGetValue(path, out FakeLibrary? library)) return (0, "no such file");
        if (library.Broken is { } reason) return (0, reason);
        Loaded.Add(path);
        return (1 + Libraries.Keys.ToList().IndexOf(path), "");
    }

    public string? FileOf(string name) => Libraries[name].File;

    public Version? VersionOf(CudaLibrary library, nint handle) => Of(handle).Version is { } version ? new Version(version) : null;

    public int? CudaMajorOfCudnn(nint handle) => Of(handle).BuiltFor;

    FakeLibrary Of(nint handle) => Libraries.Values.ElementAt((int)handle - 1);
}

/// <param name="Version">As the library says.</param>
/// <param name="Broken">Why the loader refuses it.</param>
/// <param name="File">Where the loader found it.</param>
/// <param name="BuiltFor">Of a cuDNN: the release of CUDA.</param>
sealed record FakeLibrary(string? Version = null, string? Broken = null, string? File = null, int? BuiltFor = null);
