using System.IO.MemoryMappedFiles;

namespace ClipSegNative.Weights;

/// <summary>A whole, non-empty file mapped for reading: pages are read when touched and shared between processes.</summary>
/// <remarks>The file must not be cut short while it is mapped: the system answers a read past its new end with a fault, not an exception.</remarks>
sealed unsafe class MappedFile : IWeightMemory, IDisposable
{
    readonly MemoryMappedFile _map;
    readonly MemoryMappedViewAccessor _view;
    byte* _first;

    public MappedFile(string path)
    {
        Description = path;
        _map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, mapName: null, capacity: 0, MemoryMappedFileAccess.Read);
        _view = _map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _first);
    }

    public string Description { get; }

    public ReadOnlySpan<byte> Slice(long offset, int length)
    {
        ObjectDisposedException.ThrowIf(_first == null, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        // The view is rounded up to whole pages; callers have checked the range against the file's own length.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, _view.Capacity - length);
        return new ReadOnlySpan<byte>(_first + offset, length);
    }

    public void Dispose()
    {
        if (_first == null) return;
        _first = null;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
    }
}
