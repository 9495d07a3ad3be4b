using System.CommandLine;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Backends.Cpu.Assembly;
using ClipSegNative.Interop;

namespace ClipSegNative.Cli;

/// <summary>info: what this program, machine and model are.</summary>
sealed class InfoCommand : Command
{
    readonly Option<string?> _model = ModelFolder.Option();
    readonly Option<bool> _kernels = new("--cpu-kernels") { Description = "Print the machine code that --precision bf16 and int8 make at run time" };
    readonly Option<bool> _json = new("--json") { Description = "As one JSON object" };

    public InfoCommand(Host host, Option<bool> verbose) : base("info", "Tells about this program, the machine and, if one is named, the model; loads no weights.")
    {
        Options.Add(_model);
        Options.Add(_kernels);
        Options.Add(_json);
        SetAction(parse => (int)Run(parse, host, parse.GetValue(verbose)));
    }

    ExitCode Run(ParseResult parse, Host host, bool verbose)
    {
        if (parse.GetValue(_kernels))
        {
            if (parse.GetValue(_json)) throw new UsageException("--cpu-kernels is text: it does not go with --json.");
            PrintKernels(parse.InvocationConfiguration.Output);
            return ExitCode.Ok;
        }
        string? folder = ModelFolder.Named(parse.GetValue(_model), host) is null ? null : ModelFolder.Find(parse.GetValue(_model), host);
        MachineInfo info = MachineInfo.Collect(folder is null ? null : ModelInfo.Read(folder), OptionValues.Threads(given: null, host), CudaInfo.Collect(host));
        if (parse.GetValue(_json)) Lines.Write(host.Output, info);
        else Print(info, host, parse.InvocationConfiguration.Output, verbose);
        return ExitCode.Ok;
    }

    /// <summary>Assembled anew for this: a processor that cannot run them can show them.</summary>
    static void PrintKernels(TextWriter output)
    {
        foreach (TileKind kind in Enum.GetValues<TileKind>())
        {
            (string name, bool runs) = kind == TileKind.Bf16 ? ("AVX512_BF16", ProcessorFeatures.Avx512Bf16) : ("AVX512_VNNI", ProcessorFeatures.Avx512Vnni);
            output.WriteLine($"; {kind.ToString().ToLowerInvariant()}: {name}, which this processor {(runs ? "has" : "lacks")}; calls as on {TileKernels.Convention}");
            for (int rows = TileAssembler.MostRows; rows > 0; rows--)
                for (int vectors = TileAssembler.MostVectors; vectors > 0; vectors--)
                    output.Write($"\n; {rows} x {16 * vectors}\n{TileKernels.Disassemble(kind, rows, vectors, TileKernels.Convention)}");
            output.WriteLine();
        }
    }

    static void Print(MachineInfo info, Host host, TextWriter output, bool verbose)
    {
        Row("version", info.Version);
        Row("runtime", info.Runtime);
        Row("system", info.System);
        Row("processor", info.Processor);
        Row("features", string.Join(", ", info.Features));
        Row("cores", $"{info.Cores}");
        Row("computes with", $"cpu, {info.CpuPath}, {info.Threads} thread{(info.Threads == 1 ? "" : "s")}");
        foreach (CudaLibraryInfo library in info.Cuda.Libraries)
        {
            Row(library.Name, $"{library}");
            foreach (LibraryAttempt tried in verbose ? library.Tried : []) Row("", $"not {tried.Path} ({tried.Place}): {tried.Reason}");
        }
        foreach (CudaDevice device in info.Cuda.Devices) Row($"CUDA device {device.Ordinal}", $"{device}");
        if (info.Cuda.Problem is { } problem) Row("CUDA devices", problem);
        if (info.Cuda.VisibleDevices is { } visible) Row("CUDA sees", $"{CudaInfo.VisibleVariable}={visible}");
        if (info.Model is not { } model)
        {
            Row("model", $"none: give --model or set {ModelFolder.Variable}; {host.Shipped.Default} is not there");
            return;
        }
        Row("model", model.Folder);
        Row("decoder", $"{model.Decoder}, reduces to {string.Join(", ", model.FeatureWidths.Distinct())}, reads layers {string.Join(", ", model.ExtractLayers)}");
        Row("image tower", model.Vision);
        Row("text tower", model.Text);
        Row("projection", $"{model.ProjectionSize}");
        Row("working size", $"{model.WorkingWidth} x {model.WorkingHeight}");
        Row("parameters", $"{model.Parameters:N0}");
        Row("weights", $"{model.File}, {model.FileBytes / 1e6:0.0} MB, {model.Stored}");
        Row("vocabulary", $"{model.Vocabulary} tokens");
        Row("threshold", FormattableString.Invariant($"{model.Threshold:0.##}{(model.Presence is { } presence ? $", presence {presence:0.###}" : ", no presence threshold")}"));
        if (model.Calibration is { } fitted)
        {
            Row("calibrated", FormattableString.Invariant(
                $"on {fitted.Present} phrases present, {fitted.Absent} absent, {fitted.NearMisses} nearly: mean IoU {fitted.MeanIoU:0.000}, empty {fitted.AbsentEmpty:0.000} and {fitted.NearMissEmpty:0.000}"));
        }

        void Row(string name, string value) => output.WriteLine($"{name,-14} {value}");
    }
}
