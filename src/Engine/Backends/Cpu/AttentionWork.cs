using System.Runtime.CompilerServices;

namespace ClipSegNative.Backends.Cpu;

/// <summary>
/// Softmax attention of one head of one batch entry over one range of queries. Keys and values are packed into panels once, then each tile of queries
/// holds all of its scores in the first-level cache: two matrix products by the same microkernel with a softmax between, and no running maximum.
/// </summary>
unsafe struct AttentionWork<TSet, TVector> : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    public float* Q, K, V, Y, Scratch;
    public long QPitch, KPitch, VPitch, YPitch, ScratchPerWorker;
    public int Heads, Queries, Keys, HeadSize, QueryRanges;
    public bool Causal;

    static int PanelWidth => 2 * TSet.Width;

    /// <summary>Scores of a query, a vector more than the padded keys: equal strides of a power of two would fall into the same cache sets.</summary>
    static int ScorePitch(int keys) => RoundUp(keys, PanelWidth) + TSet.Width;

    /// <summary>Floats of scratch: packed keys, packed values, scores and results of a tile.</summary>
    public static long ScratchFloats(int keys, int headSize)
    {
        long values = RoundUp(headSize, PanelWidth);
        return (long)RoundUp(keys, PanelWidth) * headSize + keys * values + TSet.KernelRows * (ScorePitch(keys) + values);
    }

    /// <summary>A range of whole tiles, as few as keep every thread busy: each range packs its head's keys and values again.</summary>
    public static int ChooseRanges(int batch, int heads, int queries, int threads)
    {
        int tiles = (queries + TSet.KernelRows - 1) / TSet.KernelRows;
        return Math.Clamp((2 * threads + batch * heads - 1) / (batch * heads), 1, tiles);
    }

    public void Run(int task, int worker)
    {
        int range = task % QueryRanges, head = task / QueryRanges % Heads, entry = task / QueryRanges / Heads;
        int tiles = (Queries + TSet.KernelRows - 1) / TSet.KernelRows;
        int first = (int)((long)tiles * range / QueryRanges) * TSet.KernelRows;
        int end = Math.Min(Queries, (int)((long)tiles * (range + 1) / QueryRanges) * TSet.KernelRows);
        long column = (long)head * HeadSize;
        float* keys = Scratch + worker * ScratchPerWorker;
        float* values = keys + (long)RoundUp(Keys, PanelWidth) * HeadSize;
        float* scores = values + (long)Keys * RoundUp(HeadSize, PanelWidth);
        PackKeys(K + entry * Keys * KPitch + column, keys);
        PackValues(V + entry * Keys * VPitch + column, values);
        Attend(Q + entry * Queries * QPitch + column, first, end, keys, values, scores, Y + entry * Queries * YPitch + column);
    }

    static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;

    /// <summary>kᵀ / √d in panels [keys / width][d][width]; keys that pad the last panel are zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    readonly void PackKeys(float* k, float* packed)
    {
        float scale = 1f / MathF.Sqrt(HeadSize);
        for (int start = 0; start < Keys; start += PanelWidth, packed += HeadSize * PanelWidth)
        {
            int count = Math.Min(PanelWidth, Keys - start);
            if (count < PanelWidth) new Span<float>(packed, HeadSize * PanelWidth).Clear();
            for (int key = 0; key < count; key++)
            {
                float* from = k + (start + key) * KPitch, to = packed + key;
                for (int i = 0; i < HeadSize; i++) to[i * PanelWidth] = from[i] * scale;
            }
        }
    }

    /// <summary>v in panels [d / width][keys][width].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    readonly void PackValues(float* v, float* packed)
    {
        for (int start = 0; start < HeadSize; start += PanelWidth)
        {
            int count = Math.Min(PanelWidth, HeadSize - start);
            for (int key = 0; key < Keys; key++, packed += PanelWidth)
            {
                new ReadOnlySpan<float>(v + key * VPitch + start, count).CopyTo(new Span<float>(packed, count));
                new Span<float>(packed + count, PanelWidth - count).Clear();
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    readonly void Attend(float* q, int first, int end, float* keys, float* values, float* scores, float* y)
    {
        int scorePitch = ScorePitch(Keys), valueWidth = RoundUp(HeadSize, PanelWidth);
        float* results = scores + TSet.KernelRows * scorePitch;
        float* inverseSums = stackalloc float[TSet.KernelRows];
        var full = MicroKernels<TSet, TVector>.Full;
        var half = MicroKernels<TSet, TVector>.Half;
        for (int row = first; row < end; row += TSet.KernelRows)
        {
            int rows = Math.Min(TSet.KernelRows, end - row);
            for (int key = 0; key < Keys; key += PanelWidth)
            {
                var kernel = Keys - key > TSet.Width ? full[rows] : half[rows];
                kernel(HeadSize, q + row * QPitch, (nint)QPitch, keys + (long)key * HeadSize, scores + key, scorePitch);
            }
            for (int i = 0; i < rows; i++)
            {
                int visible = Causal ? row + i + 1 + Keys - Queries : Keys;
                inverseSums[i] = 1f / Exponentiate(scores + i * scorePitch, visible, Keys);
            }
            for (int column = 0; column < HeadSize; column += PanelWidth)
            {
                var kernel = HeadSize - column > TSet.Width ? full[rows] : half[rows];
                kernel(Keys, scores, scorePitch, values + (long)column * Keys, results + column, valueWidth);
            }
            for (int i = 0; i < rows; i++) Scale(results + i * valueWidth, inverseSums[i], y + (row + i) * YPitch, HeadSize);
        }
    }

    /// <summary>scores = exp(scores - maximum) for the visible keys, 0 for the others; returns their sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static float Exponentiate(float* scores, int visible, int keys)
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Scale(float* x, float factor, float* y, int count)
    {
        TVector scale = TSet.Broadcast(factor);
        int i = 0;
        for (; i <= count - TSet.Width; i += TSet.Width) TSet.Store(TSet.Multiply(TSet.Load(x + i), scale), y + i);
        if (i < count) VectorMath<TSet, TVector>.StorePartial(TSet.Multiply(TSet.Load(x + i), scale), y + i, count - i);
    }
}
