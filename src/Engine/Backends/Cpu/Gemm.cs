using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace ClipSegNative.Backends.Cpu;

/// <summary>What a matrix product does with each result before it is stored: + bias, activation, + residual.</summary>
readonly unsafe struct Epilogue(float* bias, Activation activation, float* residual, long residualPitch)
{
    public readonly float* Bias = bias;
    public readonly Activation Activation = activation;
    public readonly float* Residual = residual;
    public readonly long ResidualPitch = residualPitch;

    public bool IsNothing => Bias is null && Activation == Activation.None && Residual is null;

    /// <summary>The same, seen from a later row and column.</summary>
    public Epilogue At(long row, int column) =>
        new(Bias is null ? null : Bias + column, Activation, Residual is null ? null : Residual + row * ResidualPitch + column, ResidualPitch);

    /// <summary>What a microkernel can do of it, and what is left to do when that is done.</summary>
    public Epilogue InRegisters(out Epilogue left)
    {
        if (Activation is Activation.None or Activation.Relu)
        {
            left = default;
            return this;
        }
        left = new Epilogue(null, Activation, Residual, ResidualPitch);
        return new Epilogue(Bias, Activation.None, null, 0);
    }
}

/// <summary>How a product falls into tasks: each takes a block of rows and a group of weight panels.</summary>
readonly record struct GemmTasks(int Rows, int Panels, int BlockRows, int GroupPanels)
{
    /// <summary>Weights of at most this size stay in a second-level cache.</summary>
    const long CachedWeightBytes = 1 << 20;

    /// <summary>Rows of x are read again for every panel, at a rate that a third-level cache keeps up with and memory does not.</summary>
    const long MostBlockBytes = 8 << 20;

    /// <summary>Enough for every thread to get several, so that none waits long for the last one.</summary>
    const int TasksPerThread = 4;

    public int Blocks => (Rows + BlockRows - 1) / BlockRows;

    public int Groups => (Panels + GroupPanels - 1) / GroupPanels;

    public int Count => Blocks * Groups;

    /// <summary>
    /// Small weights: few rows times all panels, so that a row of the result is written in one go. Large weights come from memory: one panel times as
    /// many rows as there are, so that it is fetched once.
    /// </summary>
    public static GemmTasks Choose(int rows, CpuMatrix weight, int tileRows, int threads)
    {
        int tiles = (rows + tileRows - 1) / tileRows;
        // Widening costs as much for a few rows as for many.
        bool cached = weight.Bytes <= CachedWeightBytes && tiles >= threads && weight.Format != WeightFormat.F16;
        long byThreads = (long)tiles * (cached ? 1 : weight.Panels) / (TasksPerThread * threads);
        long most = Math.Max(1, Math.Min(byThreads, MostBlockBytes / (weight.PanelBytes / weight.PanelWidth * tileRows)));
        long blocks = (tiles + most - 1) / most;
        return new GemmTasks(rows, weight.Panels, (int)((tiles + blocks - 1) / blocks) * tileRows, cached ? weight.Panels : 1);
    }
}

/// <summary>y = epilogue(x · Wᵀ).</summary>
readonly unsafe struct GemmWork<TSet, TVector, TProduct>(TProduct product, Epilogue epilogue, float* y, long yPitch, GemmTasks tasks, int threads) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
    where TProduct : struct, IPanelProduct
{
    public void Run(int task, int worker)
    {
        CpuMatrix weight = product.Weight;
        int first = task / tasks.Groups * tasks.BlockRows, count = Math.Min(tasks.BlockRows, tasks.Rows - first);
        int panel = task % tasks.Groups * tasks.GroupPanels, end = Math.Min(weight.Panels, panel + tasks.GroupPanels);
        for (; panel < end; panel++)
        {
            int column = panel * weight.PanelWidth, columns = Math.Min(weight.PanelWidth, weight.Outputs - column);
            // Threads take single panels in turn: the one that many ahead is probably this thread's next.
            byte* next = tasks.GroupPanels == 1 && panel + threads < weight.Panels ? weight.Panel<byte>(panel + threads) : null;
            Gemm<TSet, TVector>.Panel(product, product.Open(panel, worker), panel, first, count, columns, epilogue.At(first, column), y + first * yPitch + column, yPitch, next);
        }
    }
}

/// <summary>Rows times one packed panel.</summary>
static unsafe class Gemm<TSet, TVector>
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    /// <param name="product">The operands.</param>
    /// <param name="weights">The panel, opened.</param>
    /// <param name="panel">Which panel.</param>
    /// <param name="first">The first row of x.</param>
    /// <param name="rows">How many rows of it.</param>
    /// <param name="columns">Columns of the panel that are there.</param>
    /// <param name="epilogue">At the panel's first column and the first row.</param>
    /// <param name="y">There as well.</param>
    /// <param name="yPitch">Floats from row to row.</param>
    /// <param name="next">The panel to fetch meanwhile, or null.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    public static void Panel<TProduct>(
        TProduct product, void* weights, int panel, int first, int rows, int columns, in Epilogue epilogue, float* y, long yPitch, byte* next = null)
        where TProduct : struct, IPanelProduct
    {
        int width = 2 * TSet.Width;
        float* tile = stackalloc float[TSet.KernelRows * width];
        Epilogue inside = default, left = epilogue;
        bool whole = columns == width;   // kernels read and write whole panels
        if (TProduct.HasEpilogue && whole) inside = epilogue.InRegisters(out left);
        bool direct = left.IsNothing && whole;
        int most = product.TileRows;
        for (int row = 0; row < rows; row += most)
        {
            int count = Math.Min(most, rows - row);
            if (next is not null) Prefetch(next, product.Weight.PanelBytes, row, count, rows);
            FetchRows(y + row * yPitch, yPitch, count, columns);
            if (epilogue.Residual is not null) FetchRows(epilogue.Residual + row * epilogue.ResidualPitch, epilogue.ResidualPitch, count, columns);
            if (direct)
            {
                product.Tile(weights, panel, first + row, count, columns, inside.At(row, 0), y + row * yPitch, (nint)yPitch);
                continue;
            }
            product.Tile(weights, panel, first + row, count, columns, inside.At(row, 0), tile, width);
            Finish(tile, count, columns, left.At(row, 0), y + row * yPitch, yPitch);
        }
    }

    /// <summary>Fetches the share of the next panel that is due with this tile, so that memory works while the multiply-add units do.</summary>
    static void Prefetch(byte* next, long bytes, int row, int count, int rows)
    {
        if (!Sse.IsSupported) return;
        const int CacheLine = 64;
        byte* end = next + bytes * (row + count) / rows;
        for (byte* line = next + bytes * row / rows / CacheLine * CacheLine; line < end; line += CacheLine) Sse.Prefetch1(line);
    }

    /// <summary>Fetches what the tile will be stored to, or added to it: otherwise stores wait for memory, and all later ones for them.</summary>
    static void FetchRows(float* at, long pitch, int rows, int columns)
    {
        if (!Sse.IsSupported) return;
        for (int row = 0; row < rows; row++, at += pitch)
        {
            Sse.Prefetch0(at);
            Sse.Prefetch0(at + columns - 1);
        }
    }

    /// <summary>
    /// The rest of the epilogue, while the tile is still in the first-level cache: a pass for each part, so that no pass branches on what the others do.
    /// Columns behind the last one are computed along with the rest, but neither read nor written outside the tile.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Finish(float* tile, int rows, int columns, in Epilogue epilogue, float* y, long yPitch)
    {
        int width = 2 * TSet.Width;
        if (epilogue.Bias is not null) AddBias(tile, rows, columns, epilogue.Bias);
        if (epilogue.Activation != Activation.None)
        {
            Activation activation = epilogue.Activation;
            for (float* at = tile; at < tile + rows * width; at += TSet.Width) TSet.Store(VectorMath<TSet, TVector>.Activate(TSet.Load(at), activation), at);
        }
        int whole = columns / TSet.Width * TSet.Width, rest = columns - whole;
        for (int row = 0; row < rows; row++, tile += width, y += yPitch)
        {
            float* added = epilogue.Residual is null ? null : epilogue.Residual + row * epilogue.ResidualPitch;
            for (int column = 0; column < whole; column += TSet.Width)
            {
                TVector value = TSet.Load(tile + column);
                TSet.Store(added is null ? value : TSet.Add(value, TSet.Load(added + column)), y + column);
            }
            if (rest == 0) continue;
            TVector last = TSet.Load(tile + whole);
            if (added is not null) last = TSet.Add(last, VectorMath<TSet, TVector>.LoadPartial(added + whole, rest));
            VectorMath<TSet, TVector>.StorePartial(last, y + whole, rest);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void AddBias(float* tile, int rows, int columns, float* bias)
    {
        for (int column = 0; column < columns; column += TSet.Width)
        {
            int count = columns - column;
            TVector value = count >= TSet.Width ? TSet.Load(bias + column) : VectorMath<TSet, TVector>.LoadPartial(bias + column, count);
            float* at = tile + column;
            for (int row = 0; row < rows; row++, at += 2 * TSet.Width) TSet.Store(TSet.Add(TSet.Load(at), value), at);
        }
    }
}
