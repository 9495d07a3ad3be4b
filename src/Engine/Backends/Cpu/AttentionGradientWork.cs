using System.Runtime.CompilerServices;

namespace ClipSegNative.Backends.Cpu;

/// <summary>
/// The gradient of attention, one head of one batch entry a task. Probabilities p are computed again for a block of queries at a time; with
/// dp = dy·vᵀ and D = Σ dy · y (Dao et al. 2022, section 3.1), ds = p · (dp - D) / √d. Each tile of the block gives dq = ds·k; the block gives
/// dk += dsᵀ·q and dv += pᵀ·dy, whose left sides the microkernel reads as transposes.
/// </summary>
unsafe struct AttentionGradientWork<TSet, TVector> : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    public Rows Q, K, V, Y, Dy, Dq, Dk, Dv;
    public float* Scratch;
    public long ScratchPerWorker;
    public int Heads, Queries, Keys, HeadSize;
    public bool Causal;

    static int PanelWidth => 2 * TSet.Width;

    /// <summary>Queries of a block, whole tiles: as many as leave a second-level cache room for their probabilities over 500 keys.</summary>
    static int BlockRows => 96 / TSet.KernelRows * TSet.KernelRows;

    /// <summary>Floats of scratch: kᵀ, vᵀ and k packed; p, ds, and q and dy packed, of a block.</summary>
    public static long ScratchFloats(int keys, int headSize)
    {
        long columns = AttentionPanels<TSet, TVector>.RoundUp(headSize);
        return 2L * AttentionPanels<TSet, TVector>.RoundUp(keys) * headSize + keys * columns
            + 2 * BlockRows * (AttentionPanels<TSet, TVector>.ScorePitch(keys) + columns);
    }

    public void Run(int task, int worker)
    {
        int head = task % Heads, entry = task / Heads, column = head * HeadSize;
        int scorePitch = AttentionPanels<TSet, TVector>.ScorePitch(Keys), columns = AttentionPanels<TSet, TVector>.RoundUp(HeadSize);
        long transposed = (long)AttentionPanels<TSet, TVector>.RoundUp(Keys) * HeadSize;
        float* keysTransposed = Scratch + worker * ScratchPerWorker, valuesTransposed = keysTransposed + transposed, keys = valuesTransposed + transposed;
        float* p = keys + (long)Keys * columns, ds = p + BlockRows * scorePitch, queries = ds + BlockRows * scorePitch, gradients = queries + BlockRows * columns;

        long firstKey = (long)entry * Keys, firstQuery = (long)entry * Queries;
        Rows q = Q.From(firstQuery, column), k = K.From(firstKey, column), v = V.From(firstKey, column), y = Y.From(firstQuery, column);
        Rows dy = Dy.From(firstQuery, column), dq = Dq.From(firstQuery, column), dk = Dk.From(firstKey, column), dv = Dv.From(firstKey, column);
        AttentionPanels<TSet, TVector>.PackTransposed(k[0], k.Pitch, Keys, HeadSize, keysTransposed);
        AttentionPanels<TSet, TVector>.PackTransposed(v[0], v.Pitch, Keys, HeadSize, valuesTransposed);
        AttentionPanels<TSet, TVector>.Pack(k[0], k.Pitch, Keys, HeadSize, keys);
        for (int key = 0; key < Keys; key++)
        {
            new Span<float>(dk[key], HeadSize).Clear();
            new Span<float>(dv[key], HeadSize).Clear();
        }
        for (int first = 0; first < Queries; first += BlockRows)
        {
            int rows = Math.Min(BlockRows, Queries - first);
            for (int tile = 0; tile < rows; tile += TSet.KernelRows)
            {
                int row = first + tile, count = Math.Min(TSet.KernelRows, rows - tile);
                float* tileP = p + tile * scorePitch, tileDs = ds + tile * scorePitch;
                Multiply(q[row], q.Pitch, count, keysTransposed, tileP, scorePitch);
                Multiply(dy[row], dy.Pitch, count, valuesTransposed, tileDs, scorePitch);
                for (int i = 0; i < count; i++)
                {
                    int visible = Causal ? row + i + 1 + Keys - Queries : Keys;
                    float sum = AttentionPanels<TSet, TVector>.Exponentiate(tileP + i * scorePitch, visible, Keys, HeadSize);
                    ToScores(tileP + i * scorePitch, tileDs + i * scorePitch, 1f / sum, Dot(dy[row + i], y[row + i]));
                }
                ToQueries(tileDs, scorePitch, count, keys, dq, row);
            }
            AttentionPanels<TSet, TVector>.Pack(q[first], q.Pitch, rows, HeadSize, queries);
            AttentionPanels<TSet, TVector>.Pack(dy[first], dy.Pitch, rows, HeadSize, gradients);
            AddTransposed(ds, scorePitch, rows, queries, dk);
            AddTransposed(p, scorePitch, rows, gradients, dv);
        }
    }

    /// <summary>scores = x · keysᵀ, for the rows of a tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    readonly void Multiply(float* x, long pitch, int rows, float* transposed, float* scores, int scorePitch)
    {
        for (int key = 0; key < Keys; key += PanelWidth)
        {
            var kernel = (Keys - key > TSet.Width ? MicroKernels<TSet, TVector>.Full : MicroKernels<TSet, TVector>.Half)[rows];
            kernel(HeadSize, x, (nint)pitch, 1, transposed + (long)key * HeadSize, scores + key, scorePitch, null);
        }
    }

    /// <summary>From exponentials and dp to p and ds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    readonly void ToScores(float* p, float* ds, float inverseSum, float mean)
    {
        float scale = 1f / MathF.Sqrt(HeadSize);
        TVector inverseSums = TSet.Broadcast(inverseSum), means = TSet.Broadcast(mean), scales = TSet.Broadcast(scale);
        int i = 0;
        for (; i <= Keys - TSet.Width; i += TSet.Width)
        {
            TVector probability = TSet.Multiply(TSet.Load(p + i), inverseSums);
            TSet.Store(probability, p + i);
            TSet.Store(TSet.Multiply(TSet.Multiply(probability, scales), TSet.Subtract(TSet.Load(ds + i), means)), ds + i);
        }
        for (; i < Keys; i++)
        {
            p[i] *= inverseSum;
            ds[i] = p[i] * scale * (ds[i] - mean);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    readonly float Dot(float* a, float* b)
    {
        TVector sum = TSet.Broadcast(0f);
        int i = 0;
        for (; i <= HeadSize - TSet.Width; i += TSet.Width) sum = TSet.MultiplyAdd(TSet.Load(a + i), TSet.Load(b + i), sum);
        float dot = TSet.Sum(sum);
        for (; i < HeadSize; i++) dot += a[i] * b[i];
        return dot;
    }

    /// <summary>dq = ds · k, for the rows of a tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    readonly void ToQueries(float* ds, int scorePitch, int rows, float* keys, Rows dq, int row)
    {
        float* product = stackalloc float[TSet.KernelRows * PanelWidth];
        for (int column = 0; column < HeadSize; column += PanelWidth)
        {
            int count = Math.Min(PanelWidth, HeadSize - column);
            var kernel = (count > TSet.Width ? MicroKernels<TSet, TVector>.Full : MicroKernels<TSet, TVector>.Half)[rows];
            kernel(Keys, ds, scorePitch, 1, keys + (long)column * Keys, product, PanelWidth, null);
            for (int i = 0; i < rows; i++) new ReadOnlySpan<float>(product + i * PanelWidth, count).CopyTo(new Span<float>(dq[row + i] + column, count));
        }
    }

    /// <summary>y [keys, d] += aᵀ · x, a [rows, keys] being the block's scores and x its packed rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    readonly void AddTransposed(float* a, int scorePitch, int rows, float* packed, Rows y)
    {
        float* product = stackalloc float[TSet.KernelRows * PanelWidth];
        for (int key = 0; key < Keys; key += TSet.KernelRows)
        {
            int count = Math.Min(TSet.KernelRows, Keys - key);
            for (int column = 0; column < HeadSize; column += PanelWidth)
            {
                int columns = Math.Min(PanelWidth, HeadSize - column);
                var kernel = (columns > TSet.Width ? MicroKernels<TSet, TVector>.Full : MicroKernels<TSet, TVector>.Half)[count];
                kernel(rows, a + key, 1, scorePitch, packed + (long)column * rows, product, PanelWidth, null);
                for (int i = 0; i < count; i++) VectorMath<TSet, TVector>.AddTo(product + i * PanelWidth, y[key + i] + column, columns);
            }
        }
    }
}
