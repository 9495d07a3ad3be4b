using ClipSegNative;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.GpuChecks;
using ClipSegNative.Tests.Kernels.Emulation;

// docs/gpu-checks.md says how and on what this runs. --interpret needs no device: it shows that the program works.
const string Usage = "usage: gpu-checks ops|layers|models|bandwidth [f32|tf32|bf16|f16] [NAME] [--interpret]";
bool interpret = args.Contains("--interpret");
string[] words = [.. args.Where(argument => argument != "--interpret")];
string? what = words.ElementAtOrDefault(0), name = words.ElementAtOrDefault(2);
CudaPrecision? precision = words.ElementAtOrDefault(1) switch
{
    null or "f32" => CudaPrecision.Float32,
    "tf32" => CudaPrecision.TensorFloat32,
    "bf16" => CudaPrecision.BFloat16,
    "f16" => CudaPrecision.Float16,
    _ => null,
};
if (what is not ("ops" or "layers" or "models" or "bandwidth") || precision is not { } rounding)
{
    Console.Error.WriteLine(Usage);
    return 2;
}
try
{
    using (CudaBackend backend = Open()) Console.WriteLine($"{backend.Description}, {rounding}");
    if (what == "bandwidth")
    {
        using CudaBackend backend = Open();
        using var bandwidth = new Bandwidth(backend, ordinal: 0, Console.Out);
        bandwidth.Run();
        return 0;
    }
    var checks = new CheckList(Open, rounding, Console.Out);
    if (what == "ops") checks.Operations(name);
    else if (what == "layers") checks.Layers(name);
    else checks.WholeModels();
    Console.WriteLine($"{checks.Count} checks, {checks.Failures} failed");
    return checks is { Count: > 0, Failures: 0 } ? 0 : 1;
}
catch (DeviceException error)
{
    Console.Error.WriteLine($"error: {error.Message}");
    return 4;
}

CudaBackend Open() => interpret ? EmulatedDevice.CreateBackend(rounding) : new CudaBackend(CudaRuntime.Open(ordinal: 0), rounding);
