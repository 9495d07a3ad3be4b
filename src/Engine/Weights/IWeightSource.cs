namespace ClipSegNative.Weights;

/// <summary>Named tensors of a model file or folder. Everything it hands out is valid until it is disposed.</summary>
interface IWeightSource : IDisposable
{
    /// <summary>The path, as error messages name it.</summary>
    string Description { get; }

    /// <summary>Every tensor's name, also of those whose element type is not read.</summary>
    IReadOnlyCollection<string> Names { get; }

    /// <summary>Looks one tensor up; reads none of its data.</summary>
    /// <returns>False where the source has no tensor of that name.</returns>
    /// <exception cref="ModelFileException">The tensor is there but has an element type, rank or size that is not read.</exception>
    /// <exception cref="ObjectDisposedException">The source was disposed.</exception>
    bool TryFind(string name, out WeightEntry entry);
}

/// <summary>Where the bytes of weights lie: a mapped file, or memory for formats that must be unpacked.</summary>
interface IWeightMemory
{
    /// <summary>The path, as error messages name it.</summary>
    string Description { get; }

    /// <summary>Little-endian bytes at an offset, in place.</summary>
    /// <exception cref="ObjectDisposedException">The memory was released.</exception>
    ReadOnlySpan<byte> Slice(long offset, int length);
}
