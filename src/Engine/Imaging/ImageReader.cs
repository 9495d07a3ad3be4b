using System.Buffers;
using System.Runtime.InteropServices;
using SkiaSharp;

namespace ClipSegNative.Imaging;

/// <summary>Reads JPEG, PNG, WebP, BMP and GIF (first frame) into RGB, with the pixels PIL's <c>Image.open(...).convert("RGB")</c> gives.</summary>
/// <remarks>
/// Grey is repeated in all channels, alpha is dropped (stored colours stay, also where alpha is 0), CMYK JPEGs are taken as Adobe writes them,
/// 16-bit samples keep their high byte (PIL clips 16-bit grey instead), colour profiles are ignored. The transparent pixels of a GIF are black,
/// since the codec keeps no colour for them. Safe to call from several threads.
/// </remarks>
public static class ImageReader
{
    /// <summary>A progressive JPEG has about ten scans; a file of 100 kB can have the hundred that the codec allows, which took 3 s at 16 megapixels.</summary>
    const long MaxScannedPixels = 2_000_000_000;

    /// <summary>Reads a picture file.</summary>
    /// <param name="path">The file; messages name it as given here.</param>
    /// <param name="options">Limits and orientation; null for the defaults.</param>
    /// <exception cref="PictureException">The file is missing, a folder, no picture, too large, cut short or damaged.</exception>
    public static Picture Read(string path, ImageReadOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path)) throw new PictureException($"{path} is a folder, not a picture.");
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            return Read(file, path, options);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PictureException($"{path} does not exist.", error);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new PictureException($"{path} may not be read by this user.", error);
        }
        catch (IOException error)
        {
            throw new PictureException($"{path} cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Reads a picture from where the stream stands to its end; the stream need not be seekable and stays open.</summary>
    /// <param name="stream">The encoded picture.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="options">Limits and orientation; null for the defaults.</param>
    /// <exception cref="PictureException">The content is no picture, too large, cut short or damaged.</exception>
    /// <exception cref="IOException">The stream itself fails.</exception>
    public static Picture Read(Stream stream, string name, ImageReadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        options ??= ImageReadOptions.Default;
        byte[] buffer = ReadEncoded(stream, name, options.MaxBytes, out int length);
        try
        {
            return Decode(buffer.AsSpan(0, length), name, options);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>As <see cref="Read(Stream, string, ImageReadOptions?)"/> with the default limits, without holding a thread while the stream is waited for; unpacks on the thread pool.</summary>
    internal static async Task<Picture> ReadAsync(Stream stream, string name, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var encoded = new MemoryStream();
        byte[] part = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            // One part beyond the limit is enough for Read to refuse it.
            for (int read = 1; read > 0 && encoded.Length <= ImageReadOptions.Default.MaxBytes; encoded.Write(part, 0, read))
                read = await stream.ReadAsync(part, cancellation).ConfigureAwait(false);
        }
        finally { ArrayPool<byte>.Shared.Return(part); }
        encoded.Position = 0;
        return await Task.Run(() => Read(encoded, name), cancellation).ConfigureAwait(false);
    }

    static byte[] ReadEncoded(Stream stream, string name, long maxBytes, out int length)
    {
        maxBytes = Math.Min(maxBytes, Array.MaxLength - 1);
        long announced = stream.CanSeek ? stream.Length - stream.Position : 0;
        if (announced > maxBytes) throw TooManyBytes(name, maxBytes);

        // One byte more than announced or allowed: a read of 0 then tells the end, a read into it tells "too large".
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(announced, 1 << 16), maxBytes) + 1);
        try
        {
            for (length = 0; ;)
            {
                int read = stream.Read(buffer, length, (int)Math.Min(buffer.Length, maxBytes + 1) - length);
                if (read == 0) return buffer;
                length += read;
                if (length > maxBytes) throw TooManyBytes(name, maxBytes);
                if (length < buffer.Length) continue;
                byte[] larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(2L * length, maxBytes + 1));
                buffer.AsSpan(0, length).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = larger;
            }
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    static unsafe Picture Decode(ReadOnlySpan<byte> encoded, string name, ImageReadOptions options)
    {
        if (encoded.IsEmpty) throw new PictureException($"{name} is empty.");
        string format = PictureFormat.Identify(encoded) ?? throw NotAPicture(encoded, name);
        fixed (byte* start = encoded)
        {
            using var data = SKData.Create((nint)start, encoded.Length);
            using var memory = new SKMemoryStream(data);
            using SKCodec? codec = SKCodec.Create(memory, out SKCodecResult opened);
            if (codec is null) throw Failed(opened, format, "header", encoded, name);

            (int width, int height) = (codec.Info.Width, codec.Info.Height);
            long limit = Math.Min(options.MaxPixels, Array.MaxLength / Picture.Channels);
            if ((long)width * height > limit) throw TooManyPixels(name, width, height, limit);
            if (format == "JPEG" && PictureFormat.JpegScans(encoded) is var scans && (long)scans * width * height > MaxScannedPixels)
                throw new PictureException($"{name} is refused: it paints its {width} x {height} pixels {scans} times, which no camera or editor does.");
            if (PictureFormat.CutShort(format, encoded) is string reason) throw new PictureException($"{name} is cut short: {reason}.");

            SKEncodedOrigin origin = options.ApplyOrientation ? codec.EncodedOrigin : SKEncodedOrigin.TopLeft;
            // No colour space in the target: the codec then leaves the stored values alone, as PIL does.
            var target = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
            void* rgba = NativeMemory.Alloc((nuint)width * 4, (nuint)height);
            try
            {
                SKCodecResult decoded = codec.GetPixels(target, (nint)rgba);
                if (decoded != SKCodecResult.Success) throw Failed(decoded, format, "pixel data", encoded, name);
                byte[] pixels = Orientation.ToUprightRgb((byte*)rgba, width, height, origin);
                return Orientation.SwapsSides(origin) ? new Picture(pixels, height, width, name) : new Picture(pixels, width, height, name);
            }
            finally
            {
                NativeMemory.Free(rgba);
            }
        }
    }

    static PictureException Failed(SKCodecResult result, string format, string part, ReadOnlySpan<byte> encoded, string name) =>
        result == SKCodecResult.IncompleteInput || PictureFormat.CutShort(format, encoded) is not null
            ? new($"{name} is cut short: its {format} {part} ends after {encoded.Length} bytes.")
            : new($"{name} is damaged: its {format} {part} cannot be decoded ({result}).");

    static PictureException NotAPicture(ReadOnlySpan<byte> encoded, string name)
    {
        string hex = Convert.ToHexString(encoded[..Math.Min(4, encoded.Length)]);
        return new($"{name} is not a picture (first bytes: {string.Join(' ', hex.Chunk(2).Select(pair => new string(pair)))}).");
    }

    static PictureException TooManyBytes(string name, long limit)
    {
        string size = limit >= 1 << 20 ? $"{limit / (double)(1 << 20):0.##} MiB" : $"{limit} bytes";
        return new($"{name} is larger than the limit of {size}; raise MaxBytes if that is meant.");
    }

    static PictureException TooManyPixels(string name, int width, int height, long limit)
    {
        string size = limit >= 1_000_000 ? $"{limit / 1e6:0.##} megapixels" : $"{limit} pixels";
        return new($"{name} claims {width} x {height} pixels, more than the limit of {size}; raise MaxPixels if that is meant.");
    }
}
