using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace ClipSegNative.Training;

/// <summary>
/// Features on the disk, in slots of one size; when all are taken, the one used longest ago is written over. What the file holds is believed only
/// where everything fits: the file's own header names the tower that made the features, and each slot carries its key and checksums.
/// </summary>
/// <remarks>Not thread-safe. A slot: SHA-256 of its key, CRC-32C of its values, CRC-32C of these two, then the values.</remarks>
sealed class FeatureFile : IDisposable
{
    const int SlotHeader = SHA256.HashSizeInBytes + 2 * sizeof(uint);

    /// <summary>Bytes of a slot beside its values.</summary>
    public const int SlotOverhead = SlotHeader;

    static readonly byte[] Magic = "CLIPSEG FEATURES 1\n"u8.ToArray();

    readonly FileStream _file;
    readonly int _headerBytes;
    readonly int _slotBytes;
    readonly int _capacity;
    readonly BoundedCache<string, int> _slots;

    /// <param name="path">Made where it is missing; one that another tower or another version filled is emptied.</param>
    /// <param name="tower">What the features depend on beside their key; any text.</param>
    /// <param name="floats">Values a slot.</param>
    /// <param name="maxBytes">The file's limit; room for less than one slot holds nothing.</param>
    public FeatureFile(string path, string tower, int floats, long maxBytes)
    {
        byte[] header = [.. Magic, .. SHA256.HashData(Encoding.UTF8.GetBytes($"{floats} {tower}"))];
        _headerBytes = header.Length;
        _slotBytes = SlotHeader + floats * sizeof(float);
        _capacity = (int)Math.Clamp((maxBytes - _headerBytes) / _slotBytes, 0, int.MaxValue);
        _slots = new BoundedCache<string, int>(_capacity);
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        Span<byte> found = stackalloc byte[_headerBytes];
        if (_file.ReadAtLeast(found, _headerBytes, throwOnEndOfStream: false) < _headerBytes || !found.SequenceEqual(header))
        {
            _file.SetLength(0);
            RandomAccess.Write(_file.SafeFileHandle, header, 0);
        }
        int slots = (int)Math.Min(_capacity, (_file.Length - _headerBytes) / _slotBytes);   // a last slot that was cut short is dropped
        _file.SetLength(Offset(slots));
        IndexSlots(slots);
    }

    /// <summary>Whether a slot promises these features; reading may still find it damaged.</summary>
    public bool Contains(string key) => _slots.TryGet(Hash(key), out _);

    public bool TryRead(string key, Span<float> destination)
    {
        string hash = Hash(key);
        if (!_slots.TryGet(hash, out int slot)) return false;
        Span<byte> header = stackalloc byte[SlotHeader], values = MemoryMarshal.AsBytes(destination);
        return RandomAccess.Read(_file.SafeFileHandle, header, Offset(slot)) == SlotHeader
            && KeyOf(header) == hash
            && RandomAccess.Read(_file.SafeFileHandle, values, Offset(slot) + SlotHeader) == values.Length
            && Crc32C.Of(values) == BinaryPrimitives.ReadUInt32LittleEndian(header[SHA256.HashSizeInBytes..]);
    }

    public void Write(string key, ReadOnlySpan<float> values)
    {
        if (_capacity == 0) return;
        string hash = Hash(key);
        if (!_slots.TryGet(hash, out int slot))
            slot = _slots.Add(hash, _slots.Count < _capacity ? _slots.Count : _slots.RemoveOldest());
        Span<byte> header = stackalloc byte[SlotHeader];
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values);
        header.Clear();
        RandomAccess.Write(_file.SafeFileHandle, header, Offset(slot));   // the old values are no longer promised while new ones come
        RandomAccess.Write(_file.SafeFileHandle, bytes, Offset(slot) + SlotHeader);
        Convert.FromHexString(hash).CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header[SHA256.HashSizeInBytes..], Crc32C.Of(bytes));
        BinaryPrimitives.WriteUInt32LittleEndian(header[^sizeof(uint)..], Crc32C.Of(header[..^sizeof(uint)]));
        RandomAccess.Write(_file.SafeFileHandle, header, Offset(slot));
    }

    public void Dispose()
    {
        _file.Dispose();
        _slots.Dispose();
    }

    long Offset(int slot) => _headerBytes + (long)slot * _slotBytes;

    /// <summary>Slots that promise nothing go first, so that they are written over first.</summary>
    void IndexSlots(int count)
    {
        string?[] keys = new string?[count];
        Span<byte> header = stackalloc byte[SlotHeader];
        for (int slot = 0; slot < count; slot++)
        {
            RandomAccess.Read(_file.SafeFileHandle, header, Offset(slot));
            keys[slot] = KeyOf(header);
        }
        foreach (int slot in Enumerable.Range(0, count).OrderBy(slot => keys[slot] is not null))
            if (keys[slot] is not { } key || _slots.TryGet(key, out _)) _slots.Add($"empty {slot}", slot);
            else _slots.Add(key, slot);
    }

    /// <summary>Null where the header was not written to its end.</summary>
    static string? KeyOf(ReadOnlySpan<byte> header) => Crc32C.Of(header[..^sizeof(uint)]) == BinaryPrimitives.ReadUInt32LittleEndian(header[^sizeof(uint)..])
        ? Convert.ToHexString(header[..SHA256.HashSizeInBytes])
        : null;

    static string Hash(string key) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
