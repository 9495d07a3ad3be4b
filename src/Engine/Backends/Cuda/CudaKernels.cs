using System.Reflection;

namespace ClipSegNative.Backends.Cuda;

/// <summary>The PTX that the library carries: one module a source file of src/Kernels. A kernel's name starts with that of its file.</summary>
static class CudaKernels
{
    const string Folder = "kernels/", Extension = ".ptx";

    static readonly Assembly Assembly = typeof(CudaKernels).Assembly;

    public static IReadOnlyList<string> Modules { get; } =
        [.. Assembly.GetManifestResourceNames().Where(name => name.StartsWith(Folder)).Select(name => name[Folder.Length..^Extension.Length]).Order(StringComparer.Ordinal)];

    public static string ModuleOf(string kernel) => kernel[..kernel.IndexOf('_')];

    public static byte[] Ptx(string module)
    {
        using Stream stream = Assembly.GetManifestResourceStream(Folder + module + Extension) ?? throw new ArgumentException($"There is no module {module}.", nameof(module));
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
