using System.Buffers.Binary;
using System.Text;

namespace ClipSegNative.Tests.Weights.PyTorch;

/// <summary>One entry; what the archive says of it can be made to lie.</summary>
sealed record ZipEntry(string Name, byte[] Data)
{
    public ushort Method { get; init; }
    public ushort Flags { get; init; }
    public uint? Packed { get; init; }
    public uint? Unpacked { get; init; }
    public uint? Offset { get; init; }
    public string? LocalName { get; init; }
    public byte[] Extra { get; init; } = [];
}

/// <summary>Writes zip archives as PyTorch does: stored entries, no check sums that anybody reads.</summary>
static class ZipFile
{
    public static byte[] Write(params ReadOnlySpan<ZipEntry> entries) => Write(entries, wide: false);

    /// <param name="entries">In their order.</param>
    /// <param name="wide">With the records of the 64-bit format, which the short ones then only point to.</param>
    public static byte[] Write(ReadOnlySpan<ZipEntry> entries, bool wide)
    {
        var file = new List<byte>();
        var list = new List<byte>();
        foreach (ZipEntry entry in entries)
        {
            uint offset = (uint)file.Count;
            byte[] name = Encoding.UTF8.GetBytes(entry.Name), local = Encoding.UTF8.GetBytes(entry.LocalName ?? entry.Name);
            uint packed = entry.Packed ?? (uint)entry.Data.Length, unpacked = entry.Unpacked ?? (uint)entry.Data.Length;
            file.AddRange([.. "PK\u0003\u0004"u8, 0, 0, .. Short(entry.Flags), .. Short(entry.Method), .. new byte[8]]);
            file.AddRange([.. Long(packed), .. Long(unpacked), .. Short((ushort)local.Length), 0, 0, .. local, .. entry.Data]);
            list.AddRange([.. "PK\u0001\u0002"u8, 0, 0, 0, 0, .. Short(entry.Flags), .. Short(entry.Method), .. new byte[8]]);
            list.AddRange([.. Long(packed), .. Long(unpacked), .. Short((ushort)name.Length), .. Short((ushort)entry.Extra.Length), .. new byte[10]]);
            list.AddRange([.. Long(entry.Offset ?? offset), .. name, .. entry.Extra]);
        }
        uint first = (uint)file.Count, end64 = first + (uint)list.Count;
        file.AddRange(list);
        if (wide)
        {
            file.AddRange([.. "PK\u0006\u0006"u8, 44, .. new byte[19], .. Wide(entries.Length), .. Wide(entries.Length), .. Wide(list.Count), .. Wide(first)]);
            file.AddRange([.. "PK\u0006\u0007"u8, 0, 0, 0, 0, .. Wide(end64), 1, 0, 0, 0]);
        }
        byte[] count = wide ? [255, 255] : Short((ushort)entries.Length);
        file.AddRange([.. "PK\u0005\u0006"u8, 0, 0, 0, 0, .. count, .. count, .. Long(wide ? uint.MaxValue : (uint)list.Count), .. Long(wide ? uint.MaxValue : first), 0, 0]);
        return [.. file];
    }

    public static byte[] Wide(long value)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return bytes;
    }

    static byte[] Short(ushort value) => [(byte)value, (byte)(value >> 8)];

    static byte[] Long(uint value) => [(byte)value, (byte)(value >> 8), (byte)(value >> 16), (byte)(value >> 24)];
}
