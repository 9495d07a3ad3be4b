using System.Numerics;
using System.Runtime.InteropServices;

namespace ClipSegNative.Training;

/// <summary>The Castagnoli checksum (RFC 3720, appendix B.4), which processors compute themselves.</summary>
static class Crc32C
{
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (ulong eight in MemoryMarshal.Cast<byte, ulong>(bytes)) crc = BitOperations.Crc32C(crc, eight);
        foreach (byte one in bytes[(bytes.Length & ~7)..]) crc = BitOperations.Crc32C(crc, one);
        return ~crc;
    }
}
