using System.Diagnostics;
using System.Text.Json;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Cli.Hub;
using ClipSegNative.Interop;
using ClipSegNative.Tests.Interop;

namespace ClipSegNative.Cli.Tests;

public sealed class DoctorTests(TinyModel model) : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Doctor_WithAModel_SaysALineACheckAndExitsWith0()
    {
        CommandResult result = InProcess.Run("doctor", "--model", model.Location).Expect(ExitCode.Ok);
        Assert.All(result.Lines, line => Assert.Matches("^(ok   |warn ) \\S", line));
        foreach (string check in (string[])["runtime", "processor", "threads", "memory", "pictures", "model", "CUDA driver"])
            Assert.Single(result.Lines, line => line[6..].StartsWith($"{check,-17}", StringComparison.Ordinal));
        Assert.Contains($"model            {model.Location}: transformer", result.Text, StringComparison.Ordinal);
        Assert.Empty(result.Error);
    }

    [Fact]
    public void Doctor_NoModel_IsAWarning()
    {
        JsonElement report = Assert.Single(InProcess.Run("doctor", "--json").Expect(ExitCode.Ok).Json);
        Assert.True(report.GetProperty("ok").GetBoolean());
        JsonElement line = Check(report, "model");
        Assert.Equal("warn", line.GetProperty("health").GetString());
        Assert.Contains("weights pull", line.GetProperty("advice").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Doctor_ModelIsNotThere_FailsWith1()
    {
        JsonElement report = Assert.Single(InProcess.Run("doctor", "--json", "--model", _folder["none"]).Expect(ExitCode.Failed).Json);
        Assert.False(report.GetProperty("ok").GetBoolean());
        Assert.Equal("fail", Check(report, "model").GetProperty("health").GetString());
        Assert.Equal("ok", Check(report, "pictures").GetProperty("health").GetString());   // the rest is still said
    }

    [Fact]
    public void Doctor_ThreadsVariableIsNoNumber_Fails()
    {
        CommandResult result = InProcess.Run(["doctor"], variables: new() { [OptionValues.ThreadsVariable] = "many" }).Expect(ExitCode.Failed);
        Assert.Contains("fail  threads", result.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Doctor_PulledModel_ComparesItsSums()
    {
        foreach (string file in Directory.EnumerateFiles(model.Location)) File.Copy(file, _folder[Path.GetFileName(file)]);
        PulledFile[] files = [.. _folder.Files().Select(name => new PulledFile(name, new FileInfo(_folder[name]).Length, PulledModel.Sum(_folder[name], default), Promised: true))];
        new PulledModel("tiny", "here", "main", files).Write(_folder.Location);
        Assert.Contains($"ok    model's files    {files.Length} files as recorded", InProcess.Run("doctor", "--model", _folder.Location).Expect(ExitCode.Ok).Text, StringComparison.Ordinal);
        byte[] weights = File.ReadAllBytes(_folder["model.safetensors"]);
        weights[^1] ^= 1;   // a valid file still, but another one
        File.WriteAllBytes(_folder["model.safetensors"], weights);
        string text = InProcess.Run("doctor", "--model", _folder.Location).Expect(ExitCode.Failed).Text;
        Assert.Contains("model.safetensors: has the SHA-256", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Memory_Little_IsAWarning()
    {
        Assert.Equal(Health.Warn, DoctorCheck.Memory(1 << 30).Health);
        Assert.Equal(Health.Ok, DoctorCheck.Memory(8L << 30).Health);
    }

    [Fact]
    public void Threads_MoreThanCores_IsAWarning()
    {
        var host = new Host(Stream.Null, Stream.Null, TextWriter.Null, default) { Variable = name => name == OptionValues.ThreadsVariable ? "9" : null };
        Assert.Equal(Health.Warn, DoctorCheck.Threads(host, cores: 8).Health);
        Assert.Equal(Health.Ok, DoctorCheck.Threads(host, cores: 9).Health);
    }

    [Fact]
    public void Processor_PortableOnX64_IsAWarning() =>
        Assert.Equal(
            System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64 ? Health.Warn : Health.Ok,
            DoctorCheck.Processor(CpuInstructionSet.Portable).Health);

    [Fact]
    public void Pictures_DecoderIsMissing_FailsWithItsName()
    {
        DoctorCheck check = DoctorCheck.Pictures(() => throw new TypeInitializationException("SKObject", new DllNotFoundException("Unable to load libSkiaSharp\nmore")));
        Assert.Equal((Health.Fail, "Unable to load libSkiaSharp"), (check.Health, check.Found));
        Assert.Contains("libSkiaSharp must lie beside the program", check.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void Cuda_DriverRefuses_IsAWarningWithItsWords()
    {
        var cuda = new CudaInfo([new("CUDA driver", "/usr/lib/libcuda.so.1", "12.4", null, [])], [], "cuInit(0) failed: CUDA_ERROR_NO_DEVICE (100).", null);
        Assert.Equal([Health.Ok, Health.Warn], DoctorCheck.Cuda(cuda).Select(check => check.Health));
        Assert.Contains(DoctorCheck.Cuda(cuda), check => check.Found == cuda.Problem);
        Assert.Contains(DoctorCheck.Cuda(cuda with { Problem = null }), check => check.Advice == "see what CUDA_VISIBLE_DEVICES hides");
    }

    [Fact]
    public async Task InfoAndDoctor_NvidiaLibrariesAreThere_SayFilesVersionsAndDevices()
    {
        string info = await RunAsync(["info"], []), doctor = await RunAsync(["doctor"], new() { ["FAKE_CUDNN_FOR"] = "12" });
        foreach (string file in (string[])["libcuda.so.1", "libcublasLt.so.13", "libcublas.so.13", "libnvrtc.so.13", "libcudnn.so.9"])
            Assert.Contains(Path.Combine(FakeCuda.Folder, file), info, StringComparison.Ordinal);
        Assert.Contains("cuBLASLt       13.1.2, ", info, StringComparison.Ordinal);
        Assert.Contains("CUDA device 0  Fake 3000, compute capability 9.0, 80.0 GB, 132 multiprocessors", info, StringComparison.Ordinal);
        Assert.Contains("ok    CUDA device 0", doctor, StringComparison.Ordinal);
        Assert.Contains("warn  CUDA device 1    Fake 700, compute capability 7.5", doctor, StringComparison.Ordinal);
        Assert.Contains("is built for CUDA 12, but cuBLAS is that of CUDA 13", doctor, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Info_DriverOfCuda11_LooksForNothingNewer()
    {
        string info = await RunAsync(["info", "--verbose"], new() { ["FAKE_CUDA_VERSION"] = "11080" });
        Assert.Contains("CUDA driver    11.8, ", info, StringComparison.Ordinal);
        Assert.Contains("cuBLASLt       No cuBLASLt was found: install", info, StringComparison.Ordinal);
        Assert.Contains($"not {FakeCuda.Folder} ({LibrarySearch.Variable}): holds none of libcublasLt.so.11", info, StringComparison.Ordinal);
    }

    static JsonElement Check(JsonElement report, string name) => report.GetProperty("checks").EnumerateArray().Single(check => check.GetProperty("check").GetString() == name);

    static async Task<string> RunAsync(string[] arguments, Dictionary<string, string> variables)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, RealProgram.Cli), .. arguments]) { RedirectStandardOutput = true };
        start.Environment[LibrarySearch.Variable] = FakeCuda.Folder;
        foreach ((string name, string value) in variables) start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        string text = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        return text;
    }
}
