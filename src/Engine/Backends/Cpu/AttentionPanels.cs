using System.Runtime.CompilerServices;

namespace ClipSegNative.Backends.Cpu;

/// <summary>What attention and its gradient share: one head's columns as panels for the microkernel, and the exponentials of a row of scores.</summary>
static unsafe class AttentionPanels<TSet, TVector>
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    static int Width => 2 * TSet.Width;

    /// <summary>To whole panels.</summary>
    public static int RoundUp(int count) => (count + Width - 1) / Width * Width;

    /// <summary>Scores of a query, a vector more than the padded keys: equal strides of a power of two would fall into the same cache sets.</summary>
    public static int ScorePitch(int keys) => RoundUp(keys) + TSet.Width;

    /// <summary>scale · xᵀ in panels [rows / width][columns][width]; rows that pad the last panel are zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PackTransposed(float* x, long pitch, int rows, int columns, float scale, float* packed)
    {
        int width = Width;
        for (int start = 0; start < rows; start += width, packed += columns * width)
        {
            int count = Math.Min(width, rows - start);
            if (count < width) new Span<float>(packed, columns * width).Clear();
            for (int row = 0; row < count; row++)
            {
                float* from = x + (start + row) * pitch, to = packed + row;
                for (int i = 0; i < columns; i++) to[i * width] = from[i] * scale;
            }
        }
    }

    /// <summary>x in panels [columns / width][rows][width]; columns that pad the last panel are zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(float* x, long pitch, int rows, int columns, float* packed)
    {
        int width = Width;
        for (int start = 0; start < columns; start += width)
        {
            int count = Math.Min(width, columns - start);
            for (int row = 0; row < rows; row++, packed += width)
            {
                new ReadOnlySpan<float>(x + row * pitch + start, count).CopyTo(new Span<float>(packed, count));
                new Span<float>(packed + count, width - count).Clear();
            }
        }
    }

    /// <summary>scores = exp(scores - maximum) for the visible keys, 0 for the others; returns their sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Exponentiate(float* scores, int visible, int keys)
    {
        for (int i = visible; i < keys; i++) scores[i] = 0;
        int whole = visible / TSet.Width * TSet.Width, rest = visible - whole;
        TVector last = VectorMath<TSet, TVector>.LoadPartial(scores + whole, rest, float.NegativeInfinity);
        TVector max = last;
        for (int i = 0; i < whole; i += TSet.Width) max = TSet.Max(max, TSet.Load(scores + i));
        max = TSet.Broadcast(TSet.MaxAcross(max));
        TVector sum = TSet.Broadcast(0f);
        for (int i = 0; i < whole; i += TSet.Width)
        {
            TVector e = VectorMath<TSet, TVector>.Exp(TSet.Subtract(TSet.Load(scores + i), max));
            TSet.Store(e, scores + i);
            sum = TSet.Add(sum, e);
        }
        float total = TSet.Sum(sum);
        if (rest > 0)
        {
            VectorMath<TSet, TVector>.StorePartial(VectorMath<TSet, TVector>.Exp(TSet.Subtract(last, max)), scores + whole, rest);
            for (int i = whole; i < visible; i++) total += scores[i];
        }
        return total;
    }
}
