using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Cli.Hub;
using ClipSegNative.Imaging;
using ClipSegNative.Interop;

namespace ClipSegNative.Cli;

[JsonConverter(typeof(HealthJson))]
enum Health
{
    Ok,

    /// <summary>It works, but not as well as it could, or something that not everybody needs is missing.</summary>
    Warn,

    Fail,
}

sealed class HealthJson() : JsonStringEnumConverter<Health>(JsonNamingPolicy.SnakeCaseLower);

/// <summary>One line of doctor.</summary>
/// <param name="Check">What was looked at.</param>
/// <param name="Health">Whether it will do.</param>
/// <param name="Found">What there is.</param>
/// <param name="Advice">What to do, where it will not do.</param>
sealed record DoctorCheck(string Check, Health Health, string Found, string? Advice = null)
{
    const long LeastMemory = 2L << 30;

    public override string ToString() => $"{Health.ToString().ToLowerInvariant(),-5} {Check,-16} {Found}{(Advice is null ? "" : $" -> {Advice}")}";

    public static DoctorCheck Runtime() => new("runtime", Health.Ok, $"{MachineInfo.ProgramVersion} on {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}");

    public static DoctorCheck Processor(CpuInstructionSet best) => best == CpuInstructionSet.Portable && RuntimeInformation.ProcessArchitecture == Architecture.X64
        ? new("processor", Health.Warn, $"{best.Name()}", "without AVX2 it is several times slower; take a newer processor, or let the virtual machine show it")
        : new("processor", Health.Ok, $"{best.Name()}");

    public static DoctorCheck Threads(Host host, int cores)
    {
        try
        {
            int threads = OptionValues.Threads(given: null, host) ?? cores;
            return threads <= cores
                ? new("threads", Health.Ok, $"{threads} of {cores} cores")
                : new("threads", Health.Warn, $"{threads}, but {cores} cores", $"more threads than cores wait for each other; set {OptionValues.ThreadsVariable} to {cores} or less");
        }
        catch (UsageException e) { return new("threads", Health.Fail, e.Message, $"correct or unset {OptionValues.ThreadsVariable}"); }
    }

    /// <param name="bytes">That this process may use.</param>
    public static DoctorCheck Memory(long bytes) => bytes >= LeastMemory
        ? new("memory", Health.Ok, $"{bytes / 1e9:0.0} GB")
        : new("memory", Health.Warn, $"{bytes / 1e9:0.0} GB", $"a published model and its work take up to {LeastMemory / 1e9:0.0} GB; raise the limit, or use a smaller model");

    /// <summary>Reads a picture: the decoder is a native library beside the program.</summary>
    public static DoctorCheck Pictures(Func<Picture> read)
    {
        try
        {
            Picture picture = read();
            return new("pictures", Health.Ok, $"a PNG of {picture.Width} x {picture.Height} was written and read");
        }
        catch (Exception e) when (e is PictureException or DllNotFoundException or TypeInitializationException)
        {
            return new("pictures", Health.Fail, (e.InnerException ?? e).Message.Split('\n')[0],
                "the file libSkiaSharp must lie beside the program: install or publish it again for this system");
        }
    }

    /// <summary>The smallest picture that is one.</summary>
    public static Picture ReadOnePixel()
    {
        using var stream = new MemoryStream();
        PngWriter.Write(stream, PngKind.Grey8, 1, 1, [255]);
        stream.Position = 0;
        return ImageReader.Read(stream, "a picture of one pixel");
    }

    public static IEnumerable<DoctorCheck> Model(string? given, Host host)
    {
        if (ModelFolder.Named(given, host) is null)
            return [new("model", Health.Warn, "none is named", $"{CommandLine.Name} weights pull clipseg-rd64-refined, then --model or {ModelFolder.Variable}")];
        try
        {
            string folder = ModelFolder.Find(given, host);
            ModelInfo model = ModelInfo.Read(folder);
            var opens = new DoctorCheck("model", Health.Ok, $"{model.Folder}: {model.Decoder}, {model.Parameters:N0} parameters");
            if (PulledModel.Read(model.Folder) is not { } pulled) return [opens];
            pulled.Verify(model.Folder, host.Interrupted);
            return [opens, new("model's files", Health.Ok, $"{pulled.Files.Count} files as recorded")];
        }
        // These messages end with what to do.
        catch (ModelFileException e) { return [new("model", Health.Fail, e.Message)]; }
    }

    /// <summary>Nothing of CUDA is needed: what is missing is a warning.</summary>
    public static IEnumerable<DoctorCheck> Cuda(CudaInfo cuda)
    {
        foreach (CudaLibraryInfo library in cuda.Libraries)
            yield return library.Problem is { } problem ? new(library.Name, Health.Warn, problem) : new(library.Name, Health.Ok, $"{library}");
        if (cuda.Problem is { } refusal) yield return new("CUDA devices", Health.Warn, refusal);
        else if (cuda.Driver.Problem is null && cuda.Devices.Count == 0) yield return new("CUDA devices", Health.Warn, "none", $"see what {CudaInfo.VisibleVariable} hides");
        foreach (CudaDevice device in cuda.Devices)
        {
            yield return device.ComputeCapability >= CudaDevice.Least
                ? new($"CUDA device {device.Ordinal}", Health.Ok, $"{device}")
                : new($"CUDA device {device.Ordinal}", Health.Warn, $"{device}", $"the kernels need compute capability {CudaDevice.Least}; use the device cpu");
        }
    }
}
