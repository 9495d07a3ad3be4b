using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using static ClipSegNative.Weights.MessageText;

namespace ClipSegNative.Weights.PyTorch;

/// <summary>Bytes that lie in the file as they are.</summary>
readonly record struct StoredBytes(long Offset, long Length);

/// <summary>
/// The list of contents of a zip archive: where the stored entries lie. Unpacks nothing; names are keys here and never become paths.
/// </summary>
/// <remarks>
/// PKWARE's APPNOTE 6.3.10. Check sums are not compared: PyTorch can be told to leave them out, and a mapped file is not read before it is used.
/// </remarks>
readonly ref struct ZipDirectory
{
    public const int MaxEntries = 100_000;

    const int MaxListBytes = 32 << 20;
    const int MaxCommentBytes = ushort.MaxValue;
    const int EndBytes = 22, End64Bytes = 56, Locator64Bytes = 20, LineBytes = 46, LocalBytes = 30;
    const uint EndMark = 0x06054B50, End64Mark = 0x06064B50, Locator64Mark = 0x07064B50, LineMark = 0x02014B50, LocalMark = 0x04034B50;
    const int EncryptedFlag = 1, LargeSizes = 1;

    readonly IWeightMemory _memory;
    readonly long _fileBytes;

    ZipDirectory(IWeightMemory memory, long fileBytes) => (_memory, _fileBytes) = (memory, fileBytes);

    public static bool Begins(ReadOnlySpan<byte> start) => start.Length >= sizeof(uint) && UInt32(start, 0) == LocalMark;

    /// <summary>Every entry by its name; null for compressed and encrypted ones, which PyTorch does not make of tensors.</summary>
    /// <exception cref="ModelFileException">The archive is cut short, or its list contradicts itself or the file.</exception>
    public static Dictionary<string, StoredBytes?> Read(IWeightMemory memory, long fileBytes) => new ZipDirectory(memory, fileBytes).Entries();

    Dictionary<string, StoredBytes?> Entries()
    {
        (long first, long bytes, long count) = FindList();
        if (first < 0 || bytes < 0 || bytes > _fileBytes || first > _fileBytes - bytes)
            throw Refuse($"says that its list of {bytes} bytes lies at {first}, outside the file");
        if (count is < 0 or > MaxEntries || bytes is > MaxListBytes || count * LineBytes > bytes)
            throw Refuse($"says that it lists {count} entries in {bytes} bytes, at most {MaxEntries} in {MaxListBytes} are read");

        ReadOnlySpan<byte> list = _memory.Slice(first, (int)bytes);
        var entries = new Dictionary<string, StoredBytes?>();
        var taken = new List<(long Begin, long End, string Name)>();
        for (long i = 0; i < count; i++)
        {
            Line line = ReadLine(ref list);
            StoredBytes data = Locate(line, first);
            taken.Add((line.Offset, data.Offset + data.Length, line.Name));
            if (!entries.TryAdd(line.Name, line.IsPlain ? data : null)) throw Refuse($"lists '{Shown(line.Name)}' twice");
        }
        taken.Sort();
        for (int i = 1; i < taken.Count; i++)
            if (taken[i].Begin < taken[i - 1].End) throw Refuse($"keeps '{Shown(taken[i].Name)}' inside '{Shown(taken[i - 1].Name)}'");
        return entries;
    }

    (long First, long Bytes, long Count) FindList()
    {
        int tailBytes = (int)Math.Min(_fileBytes, EndBytes + MaxCommentBytes);
        ReadOnlySpan<byte> tail = _memory.Slice(_fileBytes - tailBytes, tailBytes);
        int at = tailBytes - EndBytes;
        while (at >= 0 && !(UInt32(tail, at) == EndMark && UInt16(tail, at + 20) == tailBytes - EndBytes - at)) at--;   // a comment may follow
        if (at < 0) throw Refuse("has no list of contents at its end");
        (long count, long bytes, long first) = (UInt16(tail, at + 10), UInt32(tail, at + 12), UInt32(tail, at + 16));
        if (count != ushort.MaxValue && bytes != uint.MaxValue && first != uint.MaxValue) return (first, bytes, count);

        // One of the fields is full: the true ones stand in a record of wider fields, which a locator just before this one finds.
        long locator = _fileBytes - tailBytes + at - Locator64Bytes;
        if (locator < End64Bytes || UInt32(_memory.Slice(locator, Locator64Bytes), 0) != Locator64Mark) throw Refuse("has no list of contents at its end");
        long end64 = Int64(_memory.Slice(locator, Locator64Bytes), 8);
        if (end64 < 0 || end64 > locator - End64Bytes || UInt32(_memory.Slice(end64, End64Bytes), 0) != End64Mark)
            throw Refuse($"has no end of its list at {end64}, where it says");
        ReadOnlySpan<byte> end = _memory.Slice(end64, End64Bytes);
        return (Int64(end, 48), Int64(end, 40), Int64(end, 32));
    }

    readonly record struct Line(string Name, bool IsPlain, long Packed, long Unpacked, long Offset);

    /// <summary>Reads one line of the list and steps over it.</summary>
    Line ReadLine(ref ReadOnlySpan<byte> list)
    {
        if (list.Length < LineBytes || UInt32(list, 0) != LineMark) throw Refuse("has a damaged list of contents");
        int nameBytes = UInt16(list, 28), extraBytes = UInt16(list, 30), bytes = LineBytes + nameBytes + extraBytes + UInt16(list, 32);
        if (bytes > list.Length) throw Refuse("has a damaged list of contents");
        ReadOnlySpan<byte> name = list.Slice(LineBytes, nameBytes);
        if (!Utf8.IsValid(name)) throw Refuse("lists a name that is not valid UTF-8");
        ReadOnlySpan<byte> large = FindLargeSizes(list.Slice(LineBytes + nameBytes, extraBytes));
        long unpacked = Size(UInt32(list, 24), ref large), packed = Size(UInt32(list, 20), ref large), offset = Size(UInt32(list, 42), ref large);
        bool plain = UInt16(list, 10) == 0 && (UInt16(list, 8) & EncryptedFlag) == 0;
        list = list[bytes..];
        return new Line(Encoding.UTF8.GetString(name), plain, packed, unpacked, offset);
    }

    /// <summary>Follows a line to the entry's own header, behind which the bytes lie.</summary>
    StoredBytes Locate(Line line, long listStart)
    {
        string name = Shown(line.Name);
        if (line.Offset < 0 || line.Offset > listStart - LocalBytes) throw Refuse($"says that '{name}' lies at {line.Offset}, outside the file");
        ReadOnlySpan<byte> local = _memory.Slice(line.Offset, LocalBytes);
        if (UInt32(local, 0) != LocalMark) throw Refuse($"has no '{name}' at {line.Offset}, where it says");
        int nameBytes = UInt16(local, 26);
        long data = line.Offset + LocalBytes + nameBytes + UInt16(local, 28);
        if (line.Packed < 0 || data > listStart || line.Packed > listStart - data)
            throw Refuse($"says that '{name}' takes {line.Packed} bytes from {data}, outside the file");
        if (!_memory.Slice(line.Offset + LocalBytes, nameBytes).SequenceEqual(Encoding.UTF8.GetBytes(line.Name)))
            throw Refuse($"has another entry than '{name}' at {line.Offset}");
        if (line.IsPlain && line.Packed != line.Unpacked)
            throw Refuse($"says that '{name}' is not compressed, but takes {line.Packed} bytes for {line.Unpacked}");
        return new StoredBytes(data, line.Packed);
    }

    /// <summary>Sizes of 4 GiB and more stand in a field of their own, in the order in which the short ones are full.</summary>
    static long Size(uint size, ref ReadOnlySpan<byte> large)
    {
        if (size != uint.MaxValue || large.Length < sizeof(long)) return size;
        long wide = Int64(large, 0);
        large = large[sizeof(long)..];
        return wide;
    }

    static ReadOnlySpan<byte> FindLargeSizes(ReadOnlySpan<byte> extra)
    {
        while (extra.Length >= 4)
        {
            int bytes = Math.Min(UInt16(extra, 2), extra.Length - 4);
            if (UInt16(extra, 0) == LargeSizes) return extra.Slice(4, bytes);
            extra = extra[(4 + bytes)..];
        }
        return [];
    }

    static int UInt16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    static uint UInt32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    /// <summary>Negative for numbers from 2^63 on, which no file reaches: whoever asks refuses those.</summary>
    static long Int64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);

    ModelFileException Refuse(string problem) => new($"{_memory.Description}: the zip archive {problem}: the file is cut short or damaged, fetch it again.");
}
