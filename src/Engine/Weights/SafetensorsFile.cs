using System.Buffers.Binary;
using ClipSegNative.Tensors;
using static ClipSegNative.Weights.MessageText;

namespace ClipSegNative.Weights;

/// <summary>A memory-mapped .safetensors file. Opening reads the header only.</summary>
sealed class SafetensorsFile : IWeightSource
{
    /// <summary>The format's own limit.</summary>
    public const int DefaultMaxHeaderBytes = 100_000_000;

    const int PrefixBytes = sizeof(ulong);

    readonly MappedFile _file;
    readonly Dictionary<string, StoredTensor> _tensors;
    readonly Dictionary<string, string> _metadata;
    readonly long _dataStart;
    bool _disposed;

    /// <param name="path">A .safetensors file.</param>
    /// <param name="maxHeaderBytes">Longer headers are refused before anything of their size is allocated.</param>
    /// <exception cref="ModelFileException">The file cannot be opened or breaks a rule of the format.</exception>
    public SafetensorsFile(string path, int maxHeaderBytes = DefaultMaxHeaderBytes)
    {
        Description = path;
        try
        {
            (int headerBytes, long fileBytes) = MeasureHeader(path, maxHeaderBytes);
            _dataStart = PrefixBytes + headerBytes;
            _file = new MappedFile(path);
            _tensors = SafetensorsHeader.Parse(_file.Slice(PrefixBytes, headerBytes), fileBytes - _dataStart, path, out _metadata);
        }
        catch (Exception e)
        {
            _file?.Dispose();
            if (e is IOException or UnauthorizedAccessException) throw new ModelFileException($"{path}: cannot be read: {e.Message}", e);
            throw;
        }
    }

    public string Description { get; }

    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>The free strings of the header, such as format = pt.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    public bool Contains(string name) => _tensors.ContainsKey(name);

    public bool TryFind(string name, out WeightEntry entry)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        entry = default;
        if (!_tensors.TryGetValue(name, out StoredTensor tensor)) return false;
        if (tensor.Type is not { } type)
            throw new ModelFileException($"{Description}: '{Shown(name)}' holds {Shown(tensor.TypeName)}, which is not read: convert it to F32, F16 or BF16.");
        if (tensor.Extents.Length > Shape.MaxRank) throw Refuse(name, tensor, $"at most {Shape.MaxRank} dimensions are read");
        if (tensor.End - tensor.Begin > int.MaxValue || tensor.Extents.AsSpan().ContainsAnyExceptInRange(0, int.MaxValue))
            throw Refuse(name, tensor, "tensors above 2 GiB are not read");
        entry = new WeightEntry(name, type, ToShape(tensor.Extents), _file, _dataStart + tensor.Begin);
        return true;
    }

    public void Dispose()
    {
        _disposed = true;
        _file.Dispose();
    }

    static (int HeaderBytes, long FileBytes) MeasureHeader(string path, int maxHeaderBytes)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        long fileBytes = stream.Length;
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        if (fileBytes < PrefixBytes || stream.ReadAtLeast(prefix, PrefixBytes, throwOnEndOfStream: false) < PrefixBytes)
            throw new ModelFileException($"{path}: {fileBytes} bytes are too few for a safetensors file: fetch it again.");
        ulong headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerBytes > (ulong)maxHeaderBytes)
            throw new ModelFileException($"{path}: claims a header of {headerBytes} bytes, at most {maxHeaderBytes} are read: is this a safetensors file?");
        if (headerBytes > (ulong)(fileBytes - PrefixBytes))
            throw new ModelFileException($"{path}: claims a header of {headerBytes} bytes but has only {fileBytes}: the file is cut short, fetch it again.");
        return ((int)headerBytes, fileBytes);
    }

    ModelFileException Refuse(string name, StoredTensor tensor, string limit) =>
        new($"{Description}: '{Shown(name)}' has shape [{string.Join(',', tensor.Extents)}], {limit}: is this another model?");

    static Shape ToShape(long[] extents)
    {
        Span<int> sizes = stackalloc int[extents.Length];
        for (int i = 0; i < sizes.Length; i++) sizes[i] = (int)extents[i];
        return new Shape(sizes);
    }
}
