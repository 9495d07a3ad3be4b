namespace ClipSegNative.Imaging;

/// <summary>Limits that keep a hostile file from taking the machine, and whether pictures are turned upright.</summary>
public sealed record ImageReadOptions
{
    internal static readonly ImageReadOptions Default = new();

    /// <summary>Largest encoded size in bytes; nothing beyond it is read. 256 MiB unless set.</summary>
    public long MaxBytes { get; init; } = 256L << 20;

    /// <summary>Largest width times height, read from the header before pixels are allocated. 100,000,000 unless set.</summary>
    public long MaxPixels { get; init; } = 100_000_000;

    /// <summary>Whether pictures are turned upright by their EXIF orientation. PIL's Image.open, the reference, does not: false for parity runs.</summary>
    public bool ApplyOrientation { get; init; } = true;
}
