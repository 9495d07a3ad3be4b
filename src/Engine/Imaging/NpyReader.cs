using System.Buffers.Binary;
using System.Text;
using System.Text.RegularExpressions;

namespace ClipSegNative.Imaging;

/// <summary>A map of one value a pixel, as NumPy wrote it.</summary>
/// <param name="Values">[Height, Width], rows from the top.</param>
/// <param name="Width">Pixels in a row, at least 1.</param>
/// <param name="Height">Rows, at least 1.</param>
/// <param name="IsMask">The file held bool or uint8: all that was not 0 is 1 here.</param>
sealed record NpyMap(float[] Values, int Width, int Height, bool IsMask);

/// <summary>Reads NumPy's .npy files of one map, [height, width] or [1, height, width]: float32, float64, bool and uint8, little-endian, C order.</summary>
static partial class NpyReader
{
    const int PreambleBytes = 8, MaxHeaderBytes = 1 << 16, MaxPixels = 100_000_000;

    /// <param name="path">The file; messages name it as given here.</param>
    /// <exception cref="PictureException">The file is missing, no such map, too large, cut short or too long.</exception>
    public static NpyMap Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            using FileStream file = File.OpenRead(path);
            return Read(file, path);
        }
        catch (EndOfStreamException error)
        {
            throw new PictureException($"{path} is cut short.", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PictureException($"{path} cannot be read: {error.Message}", error);
        }
    }

    static NpyMap Read(FileStream file, string path)
    {
        string header = ReadHeader(file, path);
        string type = Field(TypeField(), header, path);
        if (Field(OrderField(), header, path) == "True") throw new PictureException($"{path} is in Fortran order; write it with numpy.ascontiguousarray.");
        (int height, int width) = Sides(Field(ShapeField(), header, path), path);
        int size = type switch
        {
            "<f4" => sizeof(float),
            "<f8" => sizeof(double),
            "|b1" or "|u1" => sizeof(byte),
            _ => throw new PictureException($"{path} holds values of type '{type}'; float32, float64, bool and uint8 are read."),
        };
        long expected = (long)width * height * size, found = file.Length - file.Position;
        if (found != expected) throw new PictureException($"{path} has {found} bytes of values, but its header says {expected}.");
        return new NpyMap(ReadValues(file, width * height, size), width, height, IsMask: size == sizeof(byte));
    }

    static string ReadHeader(FileStream file, string path)
    {
        Span<byte> preamble = stackalloc byte[PreambleBytes];
        file.ReadExactly(preamble);
        if (!IsMagic(preamble)) throw new PictureException($"{path} is not a .npy file.");
        // Version 1 counts its header in 16 bits, 2 and 3 in 32.
        Span<byte> length = stackalloc byte[preamble[6] == 1 ? sizeof(ushort) : sizeof(uint)];
        file.ReadExactly(length);
        uint bytes = length.Length == sizeof(ushort) ? BinaryPrimitives.ReadUInt16LittleEndian(length) : BinaryPrimitives.ReadUInt32LittleEndian(length);
        if (bytes > MaxHeaderBytes) throw new PictureException($"{path} claims a header of {bytes} bytes.");
        var header = new byte[bytes];
        file.ReadExactly(header);
        return Encoding.Latin1.GetString(header);
    }

    static bool IsMagic(ReadOnlySpan<byte> preamble) => preamble[0] == 0x93 && preamble[1..6].SequenceEqual("NUMPY"u8) && preamble[6] is >= 1 and <= 3;

    static string Field(Regex field, string header, string path) => field.Match(header) is { Success: true } match
        ? match.Groups[1].Value
        : throw new PictureException($"{path} has a header that cannot be read.");

    static (int Height, int Width) Sides(string shape, string path)
    {
        string[] parts = shape.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (parts.Length == 3 && parts[0] == "1") parts = parts[1..];
        if (parts.Length != 2 || !int.TryParse(parts[0], out int height) || !int.TryParse(parts[1], out int width) || height < 1 || width < 1)
            throw new PictureException($"{path} has the shape ({shape}), not (height, width) or (1, height, width).");
        if ((long)height * width > MaxPixels) throw new PictureException($"{path} has {width} x {height} values; at most {MaxPixels} are read.");
        return (height, width);
    }

    static float[] ReadValues(FileStream file, int count, int size)
    {
        var values = new float[count];
        Span<byte> bytes = stackalloc byte[1 << 12];
        for (int done = 0; done < count;)
        {
            int part = Math.Min(count - done, bytes.Length / size);
            Span<byte> read = bytes[..(part * size)];
            file.ReadExactly(read);
            Span<float> to = values.AsSpan(done, part);
            for (int i = 0; i < part; i++)
            {
                to[i] = size switch
                {
                    sizeof(float) => BinaryPrimitives.ReadSingleLittleEndian(read[(i * size)..]),
                    sizeof(double) => (float)BinaryPrimitives.ReadDoubleLittleEndian(read[(i * size)..]),
                    _ => read[i] != 0 ? 1 : 0,
                };
            }
            done += part;
        }
        return values;
    }

    [GeneratedRegex(@"'descr'\s*:\s*'([^']*)'")]
    private static partial Regex TypeField();

    [GeneratedRegex(@"'fortran_order'\s*:\s*(True|False)")]
    private static partial Regex OrderField();

    [GeneratedRegex(@"'shape'\s*:\s*\(([\d\s,]*)\)")]
    private static partial Regex ShapeField();
}
