using System.Buffers.Binary;

namespace ClipSegNative.Imaging;

/// <summary>What the first bytes say a file is, and the two kinds of cut-short file that the codec lets through or misnames.</summary>
static class PictureFormat
{
    static ReadOnlySpan<byte> PngSignature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    static ReadOnlySpan<byte> JpegStart => [0xFF, 0xD8, 0xFF];

    static ReadOnlySpan<byte> JpegEnd => [0xFF, 0xD9];

    /// <summary>JPEG, PNG, WebP, GIF or BMP; null when the bytes are none of them.</summary>
    public static string? Identify(ReadOnlySpan<byte> encoded)
    {
        if (encoded.StartsWith(JpegStart)) return "JPEG";
        if (encoded.StartsWith(PngSignature)) return "PNG";
        if (encoded.StartsWith("RIFF"u8) && encoded.Length >= 12 && encoded[8..].StartsWith("WEBP"u8)) return "WebP";
        if (encoded.StartsWith("GIF87a"u8) || encoded.StartsWith("GIF89a"u8)) return "GIF";
        if (encoded.StartsWith("BM"u8)) return "BMP";
        return null;
    }

    /// <summary>Why the file ends too early, or null. A progressive JPEG without its last scans decodes to a blur that the codec calls a success.</summary>
    public static string? CutShort(string format, ReadOnlySpan<byte> encoded) => format switch
    {
        "JPEG" when !HasJpegEnd(encoded) => "its end marker is missing",
        "WebP" when BinaryPrimitives.ReadUInt32LittleEndian(encoded[4..]) is uint size && size + 8L > encoded.Length =>
            $"its header announces {size + 8L} bytes and {encoded.Length} are there",
        _ => null,
    };

    static bool HasJpegEnd(ReadOnlySpan<byte> encoded)
    {
        const byte StartOfScan = 0xDA;
        int at = 2;
        // Segment by segment to the first scan: an EXIF thumbnail before it has an end marker of its own.
        while (at + 4 <= encoded.Length)
        {
            if (encoded[at] != 0xFF) return true;   // not a marker: leave the verdict to the codec
            byte marker = encoded[at + 1];
            if (marker == StartOfScan) return encoded[at..].IndexOf(JpegEnd) >= 0;
            bool alone = marker is 0xFF or 0x01 or (>= 0xD0 and <= 0xD8);   // fill byte or marker without a length
            at += marker == 0xFF ? 1 : alone ? 2 : 2 + BinaryPrimitives.ReadUInt16BigEndian(encoded[(at + 2)..]);
        }
        return false;
    }
}
