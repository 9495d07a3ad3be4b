using System.Buffers.Binary;

namespace ClipSegNative.Imaging;

/// <summary>What the first bytes say a file is, the two kinds of cut-short file that the codec lets through or misnames, and how often a JPEG makes it paint the picture.</summary>
static class PictureFormat
{
    const byte StartOfScan = 0xDA;

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

    /// <summary>How often a JPEG goes over the whole picture: once, or about ten times in a progressive one.</summary>
    public static int JpegScans(ReadOnlySpan<byte> encoded)
    {
        int scans = 0;
        for (int at = 2; at + 4 <= encoded.Length && encoded[at] == 0xFF;)
        {
            bool scan = encoded[at + 1] == StartOfScan;
            at = NextSegment(encoded, at);
            if (!scan) continue;
            scans++;
            // Within a scan, 0xFF is data when 0 follows, and a restart marker belongs to the scan.
            while (at + 1 < encoded.Length && (encoded[at] != 0xFF || encoded[at + 1] is 0 or (>= 0xD0 and <= 0xD7)))
            {
                int marker = encoded[(at + 1)..].IndexOf((byte)0xFF);
                at = marker < 0 ? encoded.Length : at + 1 + marker;
            }
        }
        return scans;
    }

    static bool HasJpegEnd(ReadOnlySpan<byte> encoded)
    {
        // Segment by segment to the first scan: an EXIF thumbnail before it has an end marker of its own.
        for (int at = 2; at + 4 <= encoded.Length; at = NextSegment(encoded, at))
        {
            if (encoded[at] != 0xFF) return true;   // not a marker: leave the verdict to the codec
            if (encoded[at + 1] == StartOfScan) return encoded[at..].IndexOf(JpegEnd) >= 0;
        }
        return false;
    }

    /// <summary>Where the segment that begins with the marker at <paramref name="at"/> ends; may lie behind the file.</summary>
    static int NextSegment(ReadOnlySpan<byte> encoded, int at)
    {
        byte marker = encoded[at + 1];
        if (marker == 0xFF) return at + 1;   // a fill byte
        bool alone = marker is 0x01 or (>= 0xD0 and <= 0xD9);   // a marker without a length
        return at + 2 + (alone ? 0 : BinaryPrimitives.ReadUInt16BigEndian(encoded[(at + 2)..]));
    }
}
