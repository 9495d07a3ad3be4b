using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Transposes 32-bit words, whatever they hold: how rows of weights become panels.</summary>
static unsafe class WordTranspose
{
    /// <summary>Words in a cache line: each is read once.</summary>
    const int Line = 16;

    const int Block = 8;

    /// <param name="from">Rows.</param>
    /// <param name="pitch">From row to row, in words.</param>
    /// <param name="rows">How many.</param>
    /// <param name="columns">Words of each.</param>
    /// <param name="to">Gets column by column.</param>
    /// <param name="toPitch">From column to column, in words.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* from, long pitch, int rows, int columns, float* to, long toPitch)
    {
        for (int column = 0; column < columns; column += Line)
        {
            float* source = from + column, target = to + column * toPitch;
            int count = Math.Min(Line, columns - column), row = 0;
            if (Avx.IsSupported && count == Line)
            {
                for (; row <= rows - Block; row += Block)
                {
                    Transpose(source + row * pitch, pitch, target + row, toPitch);
                    Transpose(source + row * pitch + Block, pitch, target + Block * toPitch + row, toPitch);
                }
            }
            for (; row < rows; row++)
                for (int i = 0; i < count; i++) target[i * toPitch + row] = source[row * pitch + i];
        }
    }

    /// <summary>8 x 8 in registers: pairs of rows, then quads, then halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Transpose(float* from, long pitch, float* to, long toPitch)
    {
        Vector256<float> a = Avx.LoadVector256(from), b = Avx.LoadVector256(from + pitch), c = Avx.LoadVector256(from + 2 * pitch), d = Avx.LoadVector256(from + 3 * pitch);
        from += 4 * pitch;
        Vector256<float> e = Avx.LoadVector256(from), f = Avx.LoadVector256(from + pitch), g = Avx.LoadVector256(from + 2 * pitch), h = Avx.LoadVector256(from + 3 * pitch);
        (a, b) = (Avx.UnpackLow(a, b), Avx.UnpackHigh(a, b));
        (c, d) = (Avx.UnpackLow(c, d), Avx.UnpackHigh(c, d));
        (e, f) = (Avx.UnpackLow(e, f), Avx.UnpackHigh(e, f));
        (g, h) = (Avx.UnpackLow(g, h), Avx.UnpackHigh(g, h));
        const byte Low = 0x44, High = 0xee;
        (a, c) = (Avx.Shuffle(a, c, Low), Avx.Shuffle(a, c, High));
        (b, d) = (Avx.Shuffle(b, d, Low), Avx.Shuffle(b, d, High));
        (e, g) = (Avx.Shuffle(e, g, Low), Avx.Shuffle(e, g, High));
        (f, h) = (Avx.Shuffle(f, h, Low), Avx.Shuffle(f, h, High));
        const byte Lower = 0x20, Upper = 0x31;
        Avx.Store(to, Avx.Permute2x128(a, e, Lower));
        Avx.Store(to + toPitch, Avx.Permute2x128(c, g, Lower));
        Avx.Store(to + 2 * toPitch, Avx.Permute2x128(b, f, Lower));
        Avx.Store(to + 3 * toPitch, Avx.Permute2x128(d, h, Lower));
        to += 4 * toPitch;
        Avx.Store(to, Avx.Permute2x128(a, e, Upper));
        Avx.Store(to + toPitch, Avx.Permute2x128(c, g, Upper));
        Avx.Store(to + 2 * toPitch, Avx.Permute2x128(b, f, Upper));
        Avx.Store(to + 3 * toPitch, Avx.Permute2x128(d, h, Upper));
    }
}
