using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Layers;

/// <summary>
/// The weights of one model as one device keeps them, in a .safetensors file that is mapped instead of packing them anew. What it hands out lies in the
/// mapping until it is disposed. A file that does not fit is as good as none: what is not found here is packed, and <see cref="Write"/> makes the file anew.
/// </summary>
sealed unsafe class PackedWeights : IDisposable
{
    /// <summary>Bytes: every entry begins on a cache line.</summary>
    const int Alignment = 64;

    const string LayoutKey = "layout", WeightsKey = "weights", ProgramKey = "program";

    readonly string _path;
    readonly Dictionary<string, string> _key;
    readonly SafetensorsFile? _file;

    /// <param name="folder">Made when the file is written.</param>
    /// <param name="model">As for <see cref="WeightFiles.Open"/>.</param>
    /// <param name="layout">The device's; it must not be null.</param>
    public PackedWeights(string folder, string model, string layout)
    {
        string place = Path.GetFullPath(model), digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(place)));
        _path = Path.Combine(folder, $"{Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(place))}-{digest[..8]}-{layout}{WeightFiles.Extension}");
        _key = new()
        {
            ["format"] = "packed",
            [LayoutKey] = layout,
            [WeightsKey] = WeightFiles.Identity(model),
            [ProgramKey] = $"{typeof(PackedWeights).Assembly.GetName().Version}",
        };
        if (!File.Exists(_path)) return;
        try
        {
            _file = new SafetensorsFile(_path);
            string? other = _key.Keys.FirstOrDefault(key => !_file.Metadata.TryGetValue(key, out string? value) || value != _key[key]);
            if (other is null) return;
            Problem = $"{_path}: differs in its '{other}' from what is loaded; made anew.";
            _file.Dispose();
            _file = null;
        }
        catch (ModelFileException error) { Problem = $"{error.Message.TrimEnd('.')}; made anew."; }
    }

    /// <summary>One sentence where there is a file that is not used, or that could not be written; else null.</summary>
    public string? Problem { get; private set; }

    /// <param name="name">As it was written.</param>
    /// <param name="start">On a cache line, for reading only.</param>
    /// <param name="bytes">How many.</param>
    public bool TryFind(string name, out void* start, out long bytes)
    {
        start = null;
        bytes = 0;
        if (_file is null || !_file.TryFind(name, out WeightEntry entry)) return false;
        ReadOnlySpan<byte> stored = entry.Bytes;
        start = Unsafe.AsPointer(ref MemoryMarshal.GetReference(stored));   // in the mapping, which stays where it is
        bytes = stored.Length;
        return (nuint)start % Alignment == 0;
    }

    /// <summary>Makes the file, or notes why it cannot be made.</summary>
    /// <param name="entries">Whole numbers of floats, as bytes.</param>
    public void Write(IEnumerable<(string Name, ElementsInPlace Bytes)> entries)
    {
        var tensors = new List<WeightToWrite>();
        foreach ((string name, ElementsInPlace bytes) in entries)
        {
            int length = bytes().Length, rest = length % Alignment;
            tensors.Add(new WeightToWrite(name, new Shape(length / sizeof(float)), _ => { }) { InPlace = bytes });
            if (rest > 0) tensors.Add(new WeightToWrite($"behind {name}", new Shape((Alignment - rest) / sizeof(float)), zeros => zeros.Clear()));
        }
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            SafetensorsWriter.Write(_path, tensors, _key, Alignment);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Problem = $"{_path}: cannot be written: {error.Message.TrimEnd('.')}; the next start packs the weights again.";
        }
    }

    public void Dispose() => _file?.Dispose();
}
