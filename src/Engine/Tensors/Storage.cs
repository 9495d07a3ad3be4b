namespace ClipSegNative.Tensors;

/// <summary>A block of one device's memory, made and understood by its backend alone; the core only owns, counts and frees it.</summary>
abstract class DeviceMemory(long bytes) : IDisposable
{
    public long Bytes { get; } = bytes;

    public abstract void Dispose();
}

/// <summary>
/// Where a tensor's elements live. An arena hands storages out before it knows where they will lie and binds them once the plan is made,
/// so a tensor made by a layer's constructor stays valid.
/// </summary>
sealed class Storage(DType type, long elements)
{
    public DType Type { get; } = type;

    public long Elements { get; } = elements;

    public long Bytes => Elements * Type.Size();

    /// <summary>Null until bound.</summary>
    public DeviceMemory? Memory { get; private set; }

    /// <summary>Where the first element lies in <see cref="Memory"/>, in bytes.</summary>
    public long ByteOffset { get; private set; }

    public void Bind(DeviceMemory memory, long byteOffset)
    {
        if (byteOffset < 0 || byteOffset + Bytes > memory.Bytes)
            throw new ArgumentException($"{Bytes} bytes at {byteOffset} do not fit in a block of {memory.Bytes}.");
        Memory = memory;
        ByteOffset = byteOffset;
    }
}
