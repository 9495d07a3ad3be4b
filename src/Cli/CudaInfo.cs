using ClipSegNative.Interop;

namespace ClipSegNative.Cli;

/// <summary>What of CUDA is on this machine.</summary>
/// <param name="Libraries">The driver first; the others are looked for only where there is one.</param>
/// <param name="Devices">None where the driver is missing or refuses.</param>
/// <param name="Problem">Why the driver, though it is there, shows no devices; one sentence.</param>
/// <param name="VisibleDevices"><c>CUDA_VISIBLE_DEVICES</c>, where it is set.</param>
sealed record CudaInfo(IReadOnlyList<CudaLibraryInfo> Libraries, IReadOnlyList<CudaDevice> Devices, string? Problem, string? VisibleDevices)
{
    public const string VisibleVariable = "CUDA_VISIBLE_DEVICES";

    public CudaLibraryInfo Driver => Libraries[0];

    public static CudaInfo Collect(Host host) => Collect(CudaLibraries.Shared, CudaDevice.All, host.Setting(VisibleVariable));

    public static CudaInfo Collect(CudaLibraries libraries, Func<IReadOnlyList<CudaDevice>> devices, string? visible)
    {
        CudaLibrary[] asked = libraries[CudaLibrary.Driver].IsUsable ? Enum.GetValues<CudaLibrary>() : [CudaLibrary.Driver];
        CudaLibraryInfo[] found = [.. asked.Select(library => CudaLibraryInfo.Of(libraries[library]))];
        if (!libraries[CudaLibrary.Driver].IsUsable) return new(found, [], null, visible);
        try { return new(found, devices(), null, visible); }
        catch (DeviceException e) { return new(found, [], e.Message, visible); }
    }
}

/// <param name="Name">As NVIDIA spells it.</param>
/// <param name="File">What was loaded; null where nothing was.</param>
/// <param name="Version">As the library says.</param>
/// <param name="Problem">Null where it can be used; else one sentence with what to do.</param>
/// <param name="Tried">The places that were looked into in vain, in order.</param>
sealed record CudaLibraryInfo(string Name, string? File, string? Version, string? Problem, IReadOnlyList<LibraryAttempt> Tried)
{
    public static CudaLibraryInfo Of(LibraryFinding finding) => new(
        finding.Library.Title(), finding.File, finding.Version?.ToString(), finding.IsUsable ? null : finding.Sentence, finding.Attempts);

    public override string ToString() => Problem ?? $"{Version ?? "version unknown"}, {File}";
}
