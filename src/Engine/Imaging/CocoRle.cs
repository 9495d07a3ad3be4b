using System.Runtime.InteropServices;
using System.Text;

namespace ClipSegNative.Imaging;

/// <summary>
/// COCO's run-length encoding of a mask: lengths of alternating runs down the columns, left to right; the first run is background and may be 0.
/// The compressed string is pycocotools' (maskApi.c): 5 bits a character from '0' on, from the fourth count on as the difference to the count two before.
/// </summary>
public sealed class CocoRle
{
    const int Offset = 48, Continues = 0x20, Negative = 0x10, GroupBits = 5, GroupMask = 0x1F;

    /// <summary>Seven groups hold 35 bits: enough for any difference of two 32-bit counts.</summary>
    const int MaxGroups = 7;

    readonly int[] _counts;

    CocoRle(int[] counts, int width, int height)
    {
        _counts = counts;
        Width = width;
        Height = height;
    }

    /// <summary>Pixels in a row, at least 1.</summary>
    public int Width { get; }

    /// <summary>Rows, at least 1.</summary>
    public int Height { get; }

    /// <summary>The uncompressed runs in pixels: background, found, background and so on. They add up to Width * Height.</summary>
    public ReadOnlySpan<int> Counts => _counts;

    /// <summary>Number of found pixels.</summary>
    public int Area
    {
        get
        {
            int area = 0;
            for (int i = 1; i < _counts.Length; i += 2) area += _counts[i];
            return area;
        }
    }

    /// <summary>Checks and takes uncompressed runs.</summary>
    /// <param name="counts">Runs in pixels, background first.</param>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <exception cref="FormatException">A run is negative, or they do not add up to the picture.</exception>
    public static CocoRle FromCounts(ReadOnlySpan<int> counts, int width, int height)
    {
        RequireSize(width, height);
        long total = 0;
        foreach (int count in counts)
        {
            if (count < 0) throw new FormatException($"The run-length encoding has a run of {count} pixels.");
            total += count;
        }
        if (total != (long)width * height)
            throw new FormatException($"The run-length encoding covers {total} pixels, but the picture has {width} x {height}.");
        return new CocoRle(counts.ToArray(), width, height);
    }

    /// <summary>Reads pycocotools' compressed string.</summary>
    /// <param name="compressed">Characters '0' to 'o'.</param>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <exception cref="FormatException">A character is outside the alphabet, a number does not end, or the runs do not add up to the picture.</exception>
    public static CocoRle Parse(string compressed, int width, int height)
    {
        ArgumentNullException.ThrowIfNull(compressed);
        RequireSize(width, height);
        var counts = new List<int>();
        for (int at = 0; at < compressed.Length;)
        {
            long value = 0;
            for (int group = 0; ; group++)
            {
                if (at == compressed.Length) throw new FormatException("The run-length encoding ends inside a number.");
                int code = compressed[at++] - Offset;
                if (code is < 0 or >= 2 * Continues) throw new FormatException($"The run-length encoding has '{compressed[at - 1]}' at position {at - 1}.");
                if (group == MaxGroups) throw new FormatException($"The run-length encoding has a number of more than 32 bits at position {at - 1}.");
                value |= (long)(code & GroupMask) << (GroupBits * group);
                if ((code & Continues) != 0) continue;
                if ((code & Negative) != 0) value |= -1L << (GroupBits * (group + 1));
                break;
            }
            if (counts.Count > 2) value += counts[^2];
            if (value is < 0 or > int.MaxValue) throw new FormatException($"The run-length encoding has a run of {value} pixels.");
            counts.Add((int)value);
        }
        return FromCounts(CollectionsMarshal.AsSpan(counts), width, height);
    }

    /// <summary>pycocotools' compressed string.</summary>
    public string ToCompressedString()
    {
        var text = new StringBuilder(_counts.Length * 2);
        for (int i = 0; i < _counts.Length; i++)
        {
            int value = i > 2 ? _counts[i] - _counts[i - 2] : _counts[i];
            for (bool more = true; more;)
            {
                int code = value & GroupMask;
                value >>= GroupBits;
                more = value != ((code & Negative) != 0 ? -1 : 0);
                text.Append((char)(Offset + (more ? code | Continues : code)));
            }
        }
        return text.ToString();
    }

    /// <summary>The mask these runs stand for.</summary>
    public Mask ToMask()
    {
        byte[] pixels = new byte[checked(Width * Height)];
        (int x, int y) = (0, 0);
        for (int i = 0; i < _counts.Length; i++)
        {
            for (int left = _counts[i]; left > 0;)
            {
                int run = Math.Min(left, Height - y);
                if ((i & 1) != 0)
                    for (int row = y; row < y + run; row++) pixels[row * Width + x] = 1;
                left -= run;
                y += run;
                if (y == Height) (x, y) = (x + 1, 0);
            }
        }
        return new Mask(pixels, Width, Height);
    }

    internal static CocoRle FromMask(Mask mask)
    {
        const int Strip = 64;   // columns turned at a time: one cache line of each row
        (int width, int height) = (mask.Width, mask.Height);
        ReadOnlySpan<byte> pixels = mask.Pixels;
        byte[] turned = new byte[height * Math.Min(Strip, width)];
        var counts = new List<int>();
        byte current = 0;
        int run = 0;
        for (int left = 0; left < width; left += Strip)
        {
            int columns = Math.Min(Strip, width - left);
            for (int y = 0; y < height; y++)
                for (int x = 0; x < columns; x++) turned[x * height + y] = pixels[y * width + left + x];

            for (ReadOnlySpan<byte> rest = turned.AsSpan(0, columns * height); !rest.IsEmpty;)
            {
                int same = rest.IndexOfAnyExcept(current);
                run += same < 0 ? rest.Length : same;
                if (same < 0) break;
                counts.Add(run);
                (run, current) = (0, (byte)(1 - current));
                rest = rest[same..];
            }
        }
        counts.Add(run);
        return new CocoRle([.. counts], width, height);
    }

    static void RequireSize(int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if ((long)width * height > Array.MaxLength) throw new FormatException($"A mask of {width} x {height} pixels is too large.");
    }
}
