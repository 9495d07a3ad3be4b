using ClipSegNative;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.GpuChecks;
using ClipSegNative.Interop;
using ClipSegNative.Tests.Kernels.Emulation;

// docs/gpu-checks.md says how and on what this runs. --interpret needs no device: it shows that the program works.
const string Usage = """
    usage: gpu-checks ops|models|bandwidth [f32|tf32|bf16|f16] [NAME] [--interpret]
           gpu-checks layers [f32] [NAME] [--interpret]
           gpu-checks timings|parity MODEL_DIR [f32|tf32|bf16|f16] [OUT] [--interpret]
           gpu-checks memory MODEL_DIR
    """;
bool interpret = args.Contains("--interpret");
string[] words = [.. args.Where(argument => argument != "--interpret")];
string? what = words.ElementAtOrDefault(0);
bool ofModel = what is "timings" or "parity" or "memory";
string? folder = ofModel ? words.ElementAtOrDefault(1) : null, word = words.ElementAtOrDefault(ofModel ? 2 : 1), name = words.ElementAtOrDefault(ofModel ? 3 : 2);
CudaPrecision? precision = word switch
{
    null or "f32" => CudaPrecision.Float32,
    "tf32" => CudaPrecision.TensorFloat32,
    "bf16" => CudaPrecision.BFloat16,
    "f16" => CudaPrecision.Float16,
    _ => null,
};
if (what is not ("ops" or "layers" or "models" or "bandwidth" or "timings" or "parity" or "memory") || precision is not { } rounding || (ofModel && folder is null)
    || (what == "layers" && rounding != CudaPrecision.Float32))
{
    Console.Error.WriteLine(Usage);
    return 2;
}
try
{
    if (what == "memory")
    {
        MemoryTable.Print(folder!, Console.Out);
        return 0;
    }
    using (CudaBackend backend = Open()) Console.WriteLine($"{backend.Description}, {rounding}");
    if (what is "ops" or "layers" or "models") return Check(new CheckList(Open, rounding, Console.Out));
    ICudaRuntime runtime = OpenRuntime();
    using var device = new CudaBackend(runtime, rounding);
    if (what == "bandwidth")
    {
        using var bandwidth = new Bandwidth(device, ordinal: 0, Console.Out);
        bandwidth.Run();
        return 0;
    }
    using var model = new ModelFixture(folder!, device);
    if (what == "parity") Parity.Write(model, name ?? $"parity-{word ?? "f32"}.safetensors");
    else
    {
        Effort effort = interpret ? new(LargeBatch: 2, TrainingBatch: 1, Rounds: 1) : new(LargeBatch: 64, TrainingBatch: 8, Rounds: 21);
        Func<CudaEvent>? mark = runtime is CudaRuntime real ? real.Mark : null;
        using var timings = new Timings(model, effort, mark);
        timings.Run(word ?? "f32", Console.Out, name);
    }
    return 0;
}
catch (Exception error) when (error is DeviceException or ModelFileException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"error: {error.Message}");
    return error is DeviceException ? 4 : 3;
}

int Check(CheckList checks)
{
    if (what == "ops") checks.Operations(name);
    else if (what == "layers") checks.Layers(name);
    else checks.WholeModels();
    Console.WriteLine($"{checks.Count} checks, {checks.Failures} failed");
    return checks is { Count: > 0, Failures: 0 } ? 0 : 1;
}

CudaBackend Open() => new(OpenRuntime(), rounding);

ICudaRuntime OpenRuntime() => interpret ? new EmulatedRuntime(EmulatedDevice.Create()) : CudaRuntime.Open(ordinal: 0);
