using System.ComponentModel;
using System.Diagnostics;

namespace ClipSegNative.Tests.Interop;

/// <summary>A folder with fake_cuda.c, compiled, under the names of NVIDIA's libraries. There is none where there is no C compiler, or not on Linux.</summary>
static class FakeCuda
{
    static readonly string[] Names = ["libcuda.so.1", "libcublasLt.so.13", "libcublas.so.13", "libnvrtc.so.13", "libcudnn.so.9"];

    static readonly Lazy<string?> Made = new(Make);

    /// <summary>The calling test is reported as skipped where there is no compiler.</summary>
    public static string Folder
    {
        get
        {
            Assert.SkipWhen(Made.Value is null, "There is no C compiler (cc) to make the stand-in for NVIDIA's libraries with.");
            return Made.Value!;
        }
    }

    static string? Make()
    {
        if (!OperatingSystem.IsLinux()) return null;
        string folder = Directory.CreateTempSubdirectory("clipseg-fake-cuda-").FullName, library = Path.Combine(folder, "fake.so");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        try
        {
            string source = Path.Combine(AppContext.BaseDirectory, "Interop", "fake_cuda.c");
            using Process compiler = Process.Start(new ProcessStartInfo("cc", ["-shared", "-fPIC", "-O1", "-o", library, source]) { RedirectStandardError = true })!;
            string words = compiler.StandardError.ReadToEnd();
            compiler.WaitForExit();
            if (compiler.ExitCode != 0) throw new InvalidOperationException(words);
        }
        catch (Win32Exception) { return null; }
        foreach (string name in Names) File.CreateSymbolicLink(Path.Combine(folder, name), library);
        return folder;
    }
}
