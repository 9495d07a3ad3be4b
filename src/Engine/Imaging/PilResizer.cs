namespace ClipSegNative.Imaging;

/// <summary>
/// Resizes interleaved 8-bit pictures to the same bits as PIL's <c>Image.resize</c>: horizontal pass first, each pass rounded to 8 bits,
/// a pass left out where the size stays. Keeps its tables and scratch: a call with the sizes of the last one allocates nothing. Not thread-safe.
/// </summary>
/// <param name="vectorised">False takes the scalar path, which gives the same bits; tests compare the two.</param>
sealed class PilResizer(bool vectorised = true)
{
    readonly PilCoefficients _columns = new();
    readonly PilCoefficients _rows = new();
    byte[] _between = [];

    /// <summary>[height, width, channels] -> [outHeight, outWidth, channels]. Any number of channels works; 3 and 4 are the fast ones.</summary>
    /// <exception cref="ArgumentException">A size is below 1, or a span is not as long as its sizes say.</exception>
    public unsafe void Resize(
        ReadOnlySpan<byte> source, int width, int height, int channels, Span<byte> destination, int outWidth, int outHeight, ResizeFilter filter)
    {
        RequireLength(source.Length, width, height, channels, nameof(source));
        RequireLength(destination.Length, outWidth, outHeight, channels, nameof(destination));
        if (width == outWidth && height == outHeight)
        {
            source.CopyTo(destination);
            return;
        }

        _columns.Prepare(width, outWidth, filter);
        _rows.Prepare(height, outHeight, filter);
        int rowBytes = outWidth * channels;
        fixed (byte* from = source, to = destination)
        {
            if (height == outHeight)
            {
                PilPasses.Horizontal(from, width, channels, height, _columns, to, outWidth, vectorised);
            }
            else if (width == outWidth)
            {
                PilPasses.Vertical(from, rowBytes, _rows, to, outHeight, vectorised);
            }
            else
            {
                // Windows only move down: the rows any output needs are those from the first window's start to the last one's end.
                int first = _rows.First[0];
                int needed = _rows.First[outHeight - 1] + _rows.Counts[outHeight - 1] - first;
                if (_between.Length < (long)needed * rowBytes) _between = GC.AllocateUninitializedArray<byte>(checked(needed * rowBytes));
                fixed (byte* between = _between)
                {
                    PilPasses.Horizontal(from + (long)first * width * channels, width, channels, needed, _columns, between, outWidth, vectorised);
                    PilPasses.Vertical(between - (long)first * rowBytes, rowBytes, _rows, to, outHeight, vectorised);
                }
            }
        }
    }

    static void RequireLength(int length, int width, int height, int channels, string name)
    {
        if (width < 1 || height < 1 || channels < 1 || (long)width * height * channels != length)
            throw new ArgumentException($"{width} x {height} pixels of {channels} channels do not fill {length} bytes.", name);
    }
}
