using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace ClipSegNative.Backends.Cpu;

/// <summary>
/// How the gradient of a weight matrix falls into tasks: each takes a range of rows, a group of tiles of outputs and a group of panels of inputs.
/// A small matrix is summed over several ranges of rows apart, as many as its size asks for and never as the threads do: their sums are added in order.
/// </summary>
readonly record struct WeightGradientTasks(int Rows, int Outputs, int Inputs, int TileRows, int Panels, int Ranges, int GroupTiles, int GroupPanels)
{
    /// <summary>Rows whose products are summed in registers: a group's packed panels then fill a quarter of a second-level cache, and its tiles another.</summary>
    public const int Depth = 256;

    /// <summary>A row of a wide matrix is a new stream to the processor, which fetches nothing of it by itself: packing asks for it so many rows before.</summary>
    public const int RowsAhead = 8;

    const int MostGroupFloats = 64 * 1024;

    /// <summary>Tiles times panels that keep many threads busy without ranges.</summary>
    const int ManyProducts = 256;

    const int TasksPerThread = 4;

    public int Tiles => (Outputs + TileRows - 1) / TileRows;

    public int TileGroups => (Tiles + GroupTiles - 1) / GroupTiles;

    /// <summary>One without panels where only the bias has a gradient.</summary>
    public int PanelGroups => Math.Max(1, (Panels + GroupPanels - 1) / GroupPanels);

    public int Count => Ranges * TileGroups * PanelGroups;

    /// <summary>Floats of a range's own sums, weights first and the bias behind them; none where a single range adds to the gradient itself.</summary>
    public long RangeFloats => Ranges == 1 ? 0 : (long)Outputs * (Inputs + 1);

    public static WeightGradientTasks Choose(int rows, int outputs, int inputs, int kernelRows, int panelWidth, int threads)
    {
        int tiles = (outputs + kernelRows - 1) / kernelRows, panels = (inputs + panelWidth - 1) / panelWidth, products = tiles * Math.Max(1, panels);
        int ranges = Math.Clamp(ManyProducts / products, 1, Math.Max(1, rows / (4 * Depth)));
        int groupPanels = Math.Max(1, MostGroupFloats / (Depth * panelWidth));
        int panelGroups = Math.Max(1, (panels + groupPanels - 1) / groupPanels);
        int groupTiles = Math.Clamp(tiles * panelGroups * ranges / (threads == 1 ? 1 : TasksPerThread * threads), 1, MostGroupFloats / (Depth * panelWidth / 2));
        return new WeightGradientTasks(rows, outputs, inputs, (outputs + tiles - 1) / tiles, panels, ranges, groupTiles, groupPanels);
    }

    public int FirstOutput(int tile) => Math.Min(tile * TileRows, Outputs);

    public int FirstRow(int range) => (int)((long)Rows * range / Ranges);
}

/// <summary>
/// dw += dyᵀ · x and db += the column sums of dy, x being neighbourhoods. A task packs blocks of 256 rows of its inputs into panels and of its outputs
/// into tiles, and multiplies every tile by every panel; the microkernel reads the tiles as their transpose.
/// </summary>
readonly unsafe struct WeightGradientWork<TSet, TVector>(
    Neighbourhoods x, Rows dy, Rows dw, float* db, WeightGradientTasks tasks, float* scratch, long scratchPerWorker, float* rangeSums) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    static int PanelWidth => 2 * TSet.Width;

    static long PanelFloats => WeightGradientTasks.Depth * PanelWidth + TSet.Width;

    /// <summary>Floats from one row of a packed tile to the next: whole vectors.</summary>
    static int TilePitch => (TSet.KernelRows + TSet.Width - 1) / TSet.Width * TSet.Width;

    static long TileFloats => WeightGradientTasks.Depth * TilePitch + TSet.Width;

    /// <summary>Floats of scratch: packed panels and packed tiles.</summary>
    public static long ScratchFloats(WeightGradientTasks tasks) => tasks.GroupPanels * PanelFloats + tasks.GroupTiles * TileFloats;

    public void Run(int task, int worker)
    {
        int panelGroup = task % tasks.PanelGroups, tileGroup = task / tasks.PanelGroups % tasks.TileGroups, range = task / tasks.PanelGroups / tasks.TileGroups;
        int firstPanel = panelGroup * tasks.GroupPanels, panels = Math.Min(tasks.GroupPanels, tasks.Panels - firstPanel);
        int firstTile = tileGroup * tasks.GroupTiles, tiles = Math.Min(tasks.GroupTiles, tasks.Tiles - firstTile);
        int output = tasks.FirstOutput(firstTile), outputs = tasks.FirstOutput(firstTile + tiles) - output;
        int column = firstPanel * PanelWidth, columns = Math.Min(panels * PanelWidth, tasks.Inputs - column);
        float* packedPanels = scratch + worker * scratchPerWorker, packedTiles = packedPanels + tasks.GroupPanels * PanelFloats;

        Rows toWeights = dw;
        float* toBias = panelGroup == 0 ? db : null;
        if (tasks.Ranges > 1)
        {
            float* sums = rangeSums + range * tasks.RangeFloats;
            toWeights = new Rows(sums, tasks.Inputs);
            if (toBias is not null) toBias = sums + (long)tasks.Outputs * tasks.Inputs;
            for (int i = 0; i < outputs; i++) new Span<float>(toWeights[output + i] + column, columns).Clear();
            if (toBias is not null) new Span<float>(toBias + output, outputs).Clear();
        }

        int end = tasks.FirstRow(range + 1);
        for (int row = tasks.FirstRow(range); row < end; row += WeightGradientTasks.Depth)
        {
            int rows = Math.Min(WeightGradientTasks.Depth, end - row);
            PackTiles(row, rows, output, tiles, packedTiles);
            if (toBias is not null) AddColumnSums(rows, firstTile, tiles, packedTiles, toBias);
            x.Pack<TSet, TVector>(row, rows, column, columns, packedPanels, PanelFloats);
            Multiply(rows, firstTile, tiles, packedTiles, firstPanel, panels, packedPanels, toWeights);
        }
    }

    /// <summary>
    /// Columns of dy in tiles [tiles][rows][pitch], whole vectors at a time: what follows a tile's last column is never used. Only where it would lie
    /// behind the last element of all is it not read.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void PackTiles(int row, int rows, int output, int tiles, float* packed)
    {
        float* end = dy[tasks.Rows - 1] + tasks.Outputs;
        for (int i = 0; i < rows; i++, packed += TilePitch)
        {
            float* from = dy[row + i] + output, to = packed, ahead = from + WeightGradientTasks.RowsAhead * dy.Pitch;
            bool whole = from + (tiles - 1) * tasks.TileRows + TilePitch <= end;
            for (int tile = 0; tile < tiles; tile++, from += tasks.TileRows, ahead += tasks.TileRows, to += TileFloats)
            {
                if (Sse.IsSupported) Sse.Prefetch0(ahead);
                for (int c = 0; c < TilePitch; c += TSet.Width)
                {
                    TVector value = whole || from + c + TSet.Width <= end
                        ? TSet.Load(from + c) : VectorMath<TSet, TVector>.LoadPartial(from + c, (int)Math.Max(0, end - from - c));
                    TSet.Store(value, to + c);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    void AddColumnSums(int rows, int firstTile, int tiles, float* packed, float* to)
    {
        float* sums = stackalloc float[TilePitch];
        for (int tile = firstTile; tile < firstTile + tiles; tile++, packed += TileFloats)
        {
            for (int c = 0; c < TilePitch; c += TSet.Width)
            {
                TVector sum = TSet.Broadcast(0f);
                for (int i = 0; i < rows; i++) sum = TSet.Add(sum, TSet.Load(packed + i * TilePitch + c));
                TSet.Store(sum, sums + c);
            }
            int first = tasks.FirstOutput(tile), count = tasks.FirstOutput(tile + 1) - first;
            for (int i = 0; i < count; i++) to[first + i] += sums[i];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    void Multiply(int rows, int firstTile, int tiles, float* packedTiles, int firstPanel, int panels, float* packedPanels, Rows to)
    {
        float* product = stackalloc float[TSet.KernelRows * PanelWidth];
        for (int tile = 0; tile < tiles; tile++)
        {
            int output = tasks.FirstOutput(firstTile + tile), count = tasks.FirstOutput(firstTile + tile + 1) - output;
            float* a = packedTiles + tile * TileFloats;
            for (int panel = 0; panel < panels; panel++)
            {
                int column = (firstPanel + panel) * PanelWidth, columns = Math.Min(PanelWidth, tasks.Inputs - column);
                var kernels = columns > TSet.Width ? MicroKernels<TSet, TVector>.Full : MicroKernels<TSet, TVector>.Half;
                kernels[count](rows, a, 1, TilePitch, packedPanels + panel * PanelFloats, product, PanelWidth);
                for (int i = 0; i < count; i++) VectorMath<TSet, TVector>.AddTo(product + i * PanelWidth, to[output + i] + column, columns);
            }
        }
    }
}

/// <summary>Adds the sums of every range to a gradient, range by range; one task an output.</summary>
readonly unsafe struct AddRangesWork<TSet, TVector>(float* rangeSums, WeightGradientTasks tasks, Rows dw, float* db) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    public void Run(int task, int worker)
    {
        for (int range = 0; range < tasks.Ranges; range++)
        {
            float* sums = rangeSums + range * tasks.RangeFloats;
            if (tasks.Inputs > 0) VectorMath<TSet, TVector>.AddTo(sums + (long)task * tasks.Inputs, dw[task], tasks.Inputs);
            if (db is not null) db[task] += sums[(long)tasks.Outputs * tasks.Inputs + task];
        }
    }
}
