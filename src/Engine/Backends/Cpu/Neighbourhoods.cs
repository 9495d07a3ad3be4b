using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace ClipSegNative.Backends.Cpu;

/// <summary>
/// The matrix whose rows are the neighbourhoods kernel x kernel of the pixels of maps [batch, height, width, channels], channels innermost, zero outside.
/// A plain matrix is its own neighbourhoods: kernel 1, every row a pixel.
/// </summary>
readonly unsafe struct Neighbourhoods(float* x, long pitch, int height, int width, int channels, int kernel)
{
    /// <summary>A row of a wide matrix is a new stream to the processor, which fetches nothing of it by itself: packing asks for it so many rows before.</summary>
    const int RowsAhead = 8;

    public int Columns => kernel * kernel * channels;

    /// <summary>
    /// Copies columns [column, column + count) of rows [first, first + rows) into panels, <paramref name="panelFloats"/> apart: the columns of a tap at a
    /// time, of a few rows, because rows of a wide matrix lie far apart and as much as possible should be read of each.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Pack<TSet, TVector>(int first, int rows, int column, int count, float* panels, long panelFloats)
        where TSet : struct, IVectorSet<TVector>
        where TVector : struct
    {
        const int MostRun = 16;
        int panelWidth = 2 * TSet.Width;
        if (count % panelWidth != 0) new Span<float>(panels + count / panelWidth * panelFloats, rows * panelWidth).Clear();
        for (int start = 0, end; start < count; start = end)
        {
            int tap = (column + start) / channels, channel = (column + start) % channels, down = tap / kernel - kernel / 2, right = tap % kernel - kernel / 2;
            end = Math.Min(count, start + channels - channel);
            for (int row = 0, run; row < rows; row += run)
            {
                int pixel = first + row, atRow = pixel / width % height + down, atColumn = pixel % width + right;
                run = Math.Min(Math.Min(MostRun, rows - row), width + right - atColumn);
                bool outside = atRow < 0 || atRow >= height;
                int before = outside ? run : Math.Clamp(-atColumn, 0, run), after = Math.Clamp(atColumn + run - width, 0, run - before);
                float* from = x + (pixel + (long)down * width + right) * pitch + channel;
                for (int at = start, next; at < end; at = next)
                {
                    next = Math.Min(end, (at / panelWidth + 1) * panelWidth);
                    float* to = panels + at / panelWidth * panelFloats + row * panelWidth + at % panelWidth;
                    Clear(to, before, next - at, panelWidth);
                    Copy<TSet, TVector>(from + before * pitch + at - start, pitch, run - before - after, next - at, to + before * panelWidth);
                    Clear(to + (run - after) * panelWidth, after, next - at, panelWidth);
                }
            }
        }
    }

    static void Clear(float* to, int rows, int count, int panelWidth)
    {
        for (int row = 0; row < rows; row++, to += panelWidth) new Span<float>(to, count).Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Copy<TSet, TVector>(float* from, long pitch, int rows, int count, float* to)
        where TSet : struct, IVectorSet<TVector>
        where TVector : struct
    {
        int whole = count / TSet.Width * TSet.Width;
        for (int row = 0; row < rows; row++, from += pitch, to += 2 * TSet.Width)
        {
            for (int c = 0; c < whole; c += TSet.Width)
            {
                if (Sse.IsSupported) Sse.Prefetch0(from + c + RowsAhead * pitch);
                TSet.Store(TSet.Load(from + c), to + c);
            }
            for (int c = whole; c < count; c++) to[c] = from[c];
        }
    }
}
