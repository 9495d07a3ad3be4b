using System.Runtime.CompilerServices;
using ClipSegNative.Backends.Cpu.Assembly;

namespace ClipSegNative.Backends.Cpu;

/// <summary>
/// Softmax attention of one head of one batch entry over one range of queries. Keys and values are packed into panels once, then each tile of queries
/// holds all of its scores in the first-level cache: two matrix products by the same microkernel with a softmax between, and no running maximum.
/// In bfloat16 q, k, v and the exponentials are rounded once, where they have been packed or computed; sums and softmax stay float32.
/// </summary>
unsafe struct AttentionWork<TSet, TVector> : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    public float* Q, K, V, Y, Scratch;
    public long QPitch, KPitch, VPitch, YPitch, ScratchPerWorker;
    public int Heads, Queries, Keys, HeadSize, QueryRanges;
    public bool Causal;

    /// <summary>To bfloat16, all operands of both products.</summary>
    public bool Rounded;

    /// <summary>That multiply rounded operands; null to have it done in float32.</summary>
    public TileKernels? Kernels;

    static int PanelWidth => 2 * TSet.Width;

    /// <summary>Floats of scratch: packed keys, packed values, scores, results and rounded queries of a tile.</summary>
    public static long ScratchFloats(int keys, int headSize)
    {
        long values = AttentionPanels<TSet, TVector>.RoundUp(headSize);
        return (long)AttentionPanels<TSet, TVector>.RoundUp(keys) * headSize + keys * values
            + TSet.KernelRows * (AttentionPanels<TSet, TVector>.ScorePitch(keys) + 2 * values);
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
        if (Rounded)
        {
            RoundPanels(keys, AttentionPanels<TSet, TVector>.RoundUp(Keys), HeadSize);
            RoundPanels(values, AttentionPanels<TSet, TVector>.RoundUp(HeadSize), Keys);
        }
        Attend(Q + entry * Queries * QPitch + column, first, end, keys, values, scores, Y + entry * Queries * YPitch + column);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    readonly void Attend(float* q, int first, int end, float* keys, float* values, float* scores, float* y)
    {
        int scorePitch = AttentionPanels<TSet, TVector>.ScorePitch(Keys), valueWidth = AttentionPanels<TSet, TVector>.RoundUp(HeadSize);
        float* results = scores + TSet.KernelRows * scorePitch, rounded = results + TSet.KernelRows * valueWidth;
        float* inverseSums = stackalloc float[TSet.KernelRows];
        for (int row = first; row < end; row += TSet.KernelRows)
        {
            int rows = Math.Min(TSet.KernelRows, end - row), next = row + TSet.KernelRows;
            AttentionPanels<TSet, TVector>.Fetch(q + next * QPitch, QPitch, Math.Min(TSet.KernelRows, end - next), HeadSize);
            AttentionPanels<TSet, TVector>.Fetch(y + row * YPitch, YPitch, rows, HeadSize);
            float* queries = q + row * QPitch;
            if (Rounded)
            {
                for (int i = 0; i < rows; i++) new ReadOnlySpan<float>(queries + i * QPitch, HeadSize).CopyTo(new Span<float>(rounded + i * valueWidth, HeadSize));
                queries = rounded;
                RoundRows(rounded, valueWidth, rows, HeadSize);
            }
            Multiply(queries, Rounded ? valueWidth : (nint)QPitch, rows, HeadSize, keys, Keys, scores, scorePitch);
            for (int i = 0; i < rows; i++)
            {
                int visible = Causal ? row + i + 1 + Keys - Queries : Keys;
                inverseSums[i] = 1f / AttentionPanels<TSet, TVector>.Exponentiate(scores + i * scorePitch, visible, Keys, HeadSize);
            }
            if (Rounded) RoundRows(scores, scorePitch, rows, Keys);
            Multiply(scores, scorePitch, rows, Keys, values, HeadSize, results, valueWidth);
            for (int i = 0; i < rows; i++) Scale(results + i * valueWidth, inverseSums[i], y + (row + i) * YPitch, HeadSize);
        }
    }

    /// <summary>c [rows, columns] = a [rows, depth] · the panels, whose last may be one of half a width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    readonly void Multiply(float* a, nint aPitch, int rows, int depth, float* panels, int columns, float* c, nint cPitch)
    {
        for (int column = 0; column < columns; column += PanelWidth, panels += (long)depth * PanelWidth)
        {
            bool whole = columns - column > TSet.Width;
            if (Kernels is { } kernels)
                kernels[rows, whole ? 2 : 1](a, panels, c + column, (depth + 1) / 2, aPitch * sizeof(float), cPitch * sizeof(float));
            else
                (whole ? MicroKernels<TSet, TVector>.Full : MicroKernels<TSet, TVector>.Half)[rows](depth, a, aPitch, 1, panels, c + column, cPitch, null);
        }
    }

    readonly void RoundPanels(float* panels, int columns, int depth)
    {
        if (Kernels is null) AttentionPanels<TSet, TVector>.Round(panels, (long)columns * depth);
        else
        {
            for (int column = 0; column < columns; column += PanelWidth) AttentionPanels<TSet, TVector>.NarrowPanel(panels + (long)column * depth, depth);
        }
    }

    readonly void RoundRows(float* x, int pitch, int rows, int columns)
    {
        for (int row = 0; row < rows; row++, x += pitch)
        {
            if (Kernels is null) AttentionPanels<TSet, TVector>.Round(x, columns);
            else AttentionPanels<TSet, TVector>.Narrow(x, columns);
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
