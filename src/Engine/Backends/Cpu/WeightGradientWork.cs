using System.Runtime.CompilerServices;

namespace ClipSegNative.Backends.Cpu;

/// <summary>
/// How the gradient of a weight matrix falls into tasks: each takes a range of rows, a group of tiles of outputs and a group of panels of inputs.
/// A small matrix is summed over several ranges of rows apart, as many as its size asks for and never as the threads do: their sums are added in order.
/// </summary>
readonly record struct WeightGradientTasks(int Rows, int Outputs, int Inputs, int TileRows, int Panels, int Ranges, int GroupTiles, int GroupPanels)
{
    /// <summary>Rows whose products are summed in registers.</summary>
    public const int Depth = 256;

    /// <summary>A quarter of a second-level cache.</summary>
    const int MostGroupFloats = 64 * 1024;

    /// <summary>A group's panels are packed again for every group of tiles: with so many that costs a few hundredths.</summary>
    const int MostGroupTiles = 16;

    /// <summary>Tiles times panels that keep many threads busy without ranges.</summary>
    const int ManyProducts = 256;

    const int TasksPerThread = 2;

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
        int groupPanels = MostGroupFloats / (Depth * panelWidth), panelGroups = Math.Max(1, (panels + groupPanels - 1) / groupPanels);
        int tileGroups = Math.Clamp(TasksPerThread * threads / (panelGroups * ranges), 1, tiles);
        int groupTiles = Math.Min(MostGroupTiles, (tiles + tileGroups - 1) / tileGroups);
        return new WeightGradientTasks(rows, outputs, inputs, (outputs + tiles - 1) / tiles, panels, ranges, groupTiles, groupPanels);
    }

    public int FirstRow(int range) => (int)((long)Rows * range / Ranges);
}

/// <summary>
/// dw += dyᵀ · x and db += the column sums of dy, x being neighbourhoods. A task packs blocks of rows of its inputs into panels; the microkernel reads
/// dy where it lies, as its transpose.
/// </summary>
readonly unsafe struct WeightGradientWork<TSet, TVector>(
    Neighbourhoods x, Rows dy, Rows dw, float* db, WeightGradientTasks tasks, float* scratch, long scratchPerWorker, float* rangeSums) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    static int PanelWidth => 2 * TSet.Width;

    /// <summary>Floats from one packed panel to the next, a vector more than it holds: a row of all panels would else fall into one cache set.</summary>
    static long PanelFloats => WeightGradientTasks.Depth * PanelWidth + TSet.Width;

    public static long ScratchFloats(WeightGradientTasks tasks) => tasks.GroupPanels * PanelFloats;

    public void Run(int task, int worker)
    {
        int panelGroup = task % tasks.PanelGroups, tileGroup = task / tasks.PanelGroups % tasks.TileGroups, range = task / tasks.PanelGroups / tasks.TileGroups;
        int column = panelGroup * tasks.GroupPanels * PanelWidth, columns = Math.Min(tasks.GroupPanels * PanelWidth, tasks.Inputs - column);
        int output = tileGroup * tasks.GroupTiles * tasks.TileRows, outputs = Math.Min(tasks.GroupTiles * tasks.TileRows, tasks.Outputs - output);
        float* panels = scratch + worker * scratchPerWorker;

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
            if (toBias is not null) AddColumnSums(row, rows, output, outputs, toBias);
            x.Pack<TSet, TVector>(row, rows, column, columns, panels, PanelFloats);
            Multiply(row, rows, output, outputs, column, columns, panels, toWeights);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    void AddColumnSums(int row, int rows, int output, int outputs, float* to)
    {
        float* sums = stackalloc float[outputs];
        new Span<float>(sums, outputs).Clear();
        for (int i = 0; i < rows; i++) VectorMath<TSet, TVector>.AddTo(dy[row + i] + output, sums, outputs);
        VectorMath<TSet, TVector>.AddTo(sums, to + output, outputs);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    void Multiply(int row, int rows, int output, int outputs, int column, int columns, float* panels, Rows to)
    {
        float* product = stackalloc float[TSet.KernelRows * PanelWidth];
        for (int end = output + outputs; output < end; output += tasks.TileRows)
        {
            int count = Math.Min(tasks.TileRows, end - output);
            for (int at = 0; at < columns; at += PanelWidth)
            {
                int width = Math.Min(PanelWidth, columns - at);
                var kernels = width > TSet.Width ? MicroKernels<TSet, TVector>.Full : MicroKernels<TSet, TVector>.Half;
                kernels[count](rows, dy[row] + output, 1, (nint)dy.Pitch, panels + at / PanelWidth * PanelFloats, product, PanelWidth, null);
                for (int i = 0; i < count; i++) VectorMath<TSet, TVector>.AddTo(product + i * PanelWidth, to[output + i] + column + at, width);
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
