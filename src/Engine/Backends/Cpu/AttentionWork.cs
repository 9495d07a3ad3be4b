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

    /// <summary>Floats of scratch: packed keys, packed values, scores and results of a tile.</summary>
    public static long ScratchFloats(int keys, int headSize)
    {
        long values = AttentionPanels<TSet, TVector>.RoundUp(headSize);
        return (long)AttentionPanels<TSet, TVector>.RoundUp(keys) * headSize + keys * values
            + TSet.KernelRows * (AttentionPanels<TSet, TVector>.ScorePitch(keys) + values);
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
        float* values = keys + (long)AttentionPanels<TSet, TVector>.RoundUp(Keys) * HeadSize;
        float* scores = values + (long)Keys * AttentionPanels<TSet, TVector>.RoundUp(HeadSize);
        AttentionPanels<TSet, TVector>.PackTransposed(K + entry * Keys * KPitch + column, KPitch, Keys, HeadSize, keys);
        AttentionPanels<TSet, TVector>.Pack(V + entry * Keys * VPitch + column, VPitch, Keys, HeadSize, values);
        Attend(Q + entry * Queries * QPitch + column, first, end, keys, values, scores, Y + entry * Queries * YPitch + column);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    readonly void Attend(float* q, int first, int end, float* keys, float* values, float* scores, float* y)
    {
        int scorePitch = AttentionPanels<TSet, TVector>.ScorePitch(Keys), valueWidth = AttentionPanels<TSet, TVector>.RoundUp(HeadSize);
        float* results = scores + TSet.KernelRows * scorePitch;
        float* inverseSums = stackalloc float[TSet.KernelRows];
        var full = MicroKernels<TSet, TVector>.Full;
        var half = MicroKernels<TSet, TVector>.Half;
        for (int row = first; row < end; row += TSet.KernelRows)
        {
            int rows = Math.Min(TSet.KernelRows, end - row), next = row + TSet.KernelRows;
            AttentionPanels<TSet, TVector>.Fetch(q + next * QPitch, QPitch, Math.Min(TSet.KernelRows, end - next), HeadSize);
            AttentionPanels<TSet, TVector>.Fetch(y + row * YPitch, YPitch, rows, HeadSize);
            for (int key = 0; key < Keys; key += PanelWidth)
            {
                var kernel = Keys - key > TSet.Width ? full[rows] : half[rows];
                kernel(HeadSize, q + row * QPitch, (nint)QPitch, 1, keys + (long)key * HeadSize, scores + key, scorePitch, null);
            }
            for (int i = 0; i < rows; i++)
            {
                int visible = Causal ? row + i + 1 + Keys - Queries : Keys;
                inverseSums[i] = 1f / AttentionPanels<TSet, TVector>.Exponentiate(scores + i * scorePitch, visible, Keys, HeadSize);
            }
            for (int column = 0; column < HeadSize; column += PanelWidth)
            {
                var kernel = HeadSize - column > TSet.Width ? full[rows] : half[rows];
                kernel(Keys, scores, scorePitch, 1, values + (long)column * Keys, results + column, valueWidth, null);
            }
            for (int i = 0; i < rows; i++) Scale(results + i * valueWidth, inverseSums[i], y + (row + i) * YPitch, HeadSize);
        }
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
