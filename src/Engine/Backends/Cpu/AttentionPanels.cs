using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ClipSegNative.Backends.Cpu;

/// <summary>What attention and its gradient share: one head's columns as panels for the microkernel, and the exponentials of a row of scores.</summary>
static unsafe class AttentionPanels<TSet, TVector>
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    const float Log2E = 1.44269504f;

    static int Width => 2 * TSet.Width;

    /// <summary>To whole panels.</summary>
    public static int RoundUp(int count) => (count + Width - 1) / Width * Width;

    /// <summary>Scores of a query, a vector more than the padded keys: equal strides of a power of two would fall into the same cache sets.</summary>
    public static int ScorePitch(int keys) => RoundUp(keys) + TSet.Width;

    /// <summary>Asks for rows that will soon be read or written. They lie pages apart, so the processor does not foresee them.</summary>
    public static void Fetch(float* x, long pitch, int rows, int columns)
    {
        if (!Sse.IsSupported) return;
        const int CacheLine = 16;
        for (int row = 0; row < rows; row++, x += pitch)
            for (int i = 0; i < columns; i += CacheLine) Sse.Prefetch0(x + i);
    }

    /// <summary>xᵀ in panels [rows / width][columns][width]; rows that pad the last panel are zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PackTransposed(float* x, long pitch, int rows, int columns, float* packed)
    {
        int width = Width;
        for (int start = 0; start < rows; start += width, packed += columns * width)
        {
            int count = Math.Min(width, rows - start), row = 0;
            if (start + width < rows) Fetch(x + (start + width) * pitch, pitch, Math.Min(width, rows - start - width), columns);
            if (count < width) new Span<float>(packed, columns * width).Clear();
            for (; row <= count - 4; row += 4)
            {
                float* a = x + (start + row) * pitch, b = a + pitch, c = b + pitch, d = c + pitch, to = packed + row;
                for (int i = 0; i < columns; i++, to += width) Vector128.Create(a[i], b[i], c[i], d[i]).Store(to);
            }
            for (; row < count; row++)
            {
                float* from = x + (start + row) * pitch, to = packed + row;
                for (int i = 0; i < columns; i++) to[i * width] = from[i];
            }
        }
    }

    /// <summary>x in panels [columns / width][rows][width]; columns that pad the last panel are zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(float* x, long pitch, int rows, int columns, float* packed)
    {
        int width = Width, whole = columns / width * width, rest = columns - whole;
        long panel = (long)rows * width;
        for (int row = 0; row < rows; row++, x += pitch, packed += width)
        {
            float* to = packed;
            for (int column = 0; column < whole; column += width, to += panel)
            {
                TSet.Store(TSet.Load(x + column), to);
                TSet.Store(TSet.Load(x + column + TSet.Width), to + TSet.Width);
            }
            if (rest == 0) continue;
            new ReadOnlySpan<float>(x + whole, rest).CopyTo(new Span<float>(to, rest));
            new Span<float>(to + rest, width - rest).Clear();
        }
    }

    /// <summary>x, rounded to bfloat16 in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Round(float* x, long count)
    {
        long i = 0;
        for (; i <= count - TSet.Width; i += TSet.Width) TSet.Store(TSet.RoundBf16(TSet.Load(x + i)), x + i);
        for (; i < count; i++) x[i] = BFloat16.ToSingle(BFloat16.FromSingle(x[i]));
    }

    /// <summary>x as bfloat16 where it lies, with a zero to a whole pair: what is written has been read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Narrow(float* x, int count)
    {
        ushort* to = (ushort*)x;
        int i = 0;
        for (; i <= count - TSet.Width; i += TSet.Width) TSet.StoreBf16(TSet.RoundBf16(TSet.Load(x + i)), to + i);
        for (; i < count; i++) to[i] = BFloat16.FromSingle(x[i]);
        if (count % 2 != 0) to[count] = 0;
    }

    /// <summary>A panel [depth][width] as [depth / 2][width][2 bfloat16] where it lies; zeros fill the last pair.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void NarrowPanel(float* panel, int depth)
    {
        ushort* to = (ushort*)panel;
        for (int step = 0; step < depth; step += 2, panel += 2 * Width, to += 2 * Width)
            for (int i = 0; i < Width; i += TSet.Width)
            {
                TVector odd = step + 1 < depth ? TSet.RoundBf16(TSet.Load(panel + Width + i)) : default;
                TSet.StoreBf16Pairs(TSet.RoundBf16(TSet.Load(panel + i)), odd, to + 2 * i);
            }
    }

    /// <summary>
    /// scores = exp((scores - maximum) / √d) for the visible keys, 0 for the others; returns their sum. A vector behind the visible keys is overwritten.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Exponentiate(float* scores, int visible, int keys, int headSize)
    {
        TSet.Store(TSet.Broadcast(float.NegativeInfinity), scores + visible);
        TVector max = TSet.Load(scores), others = max;
        int i = TSet.Width;
        for (; i <= visible - TSet.Width; i += 2 * TSet.Width)
        {
            max = TSet.Max(max, TSet.Load(scores + i));
            others = TSet.Max(others, TSet.Load(scores + i + TSet.Width));
        }
        if (i < visible) max = TSet.Max(max, TSet.Load(scores + i));
        max = TSet.Broadcast(TSet.MaxAcross(TSet.Max(max, others)));
        TVector sum = TSet.Broadcast(0f), scale = TSet.Broadcast(Log2E / MathF.Sqrt(headSize));
        for (i = 0; i < visible; i += TSet.Width)
        {
            TVector e = VectorMath<TSet, TVector>.Exp2(TSet.Multiply(TSet.Subtract(TSet.Load(scores + i), max), scale));
            TSet.Store(e, scores + i);
            sum = TSet.Add(sum, e);
        }
        for (i = visible; i < keys; i++) scores[i] = 0;
        return TSet.Sum(sum);
    }
}
