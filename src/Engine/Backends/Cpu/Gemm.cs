using System.Runtime.CompilerServices;

namespace ClipSegNative.Backends.Cpu;

/// <summary>What a matrix product does with each result before it is stored: + bias, activation, + residual.</summary>
readonly unsafe struct Epilogue(float* bias, Activation activation, float* residual, long residualPitch)
{
    public readonly float* Bias = bias;
    public readonly Activation Activation = activation;
    public readonly float* Residual = residual;
    public readonly long ResidualPitch = residualPitch;

    public bool IsNothing => Bias is null && Activation == Activation.None && Residual is null;
}

/// <summary>
/// y = epilogue(x · Wᵀ). A task is one weight panel times one block of rows: the block of x stays in the second-level cache while panels go by,
/// consecutive tasks share it.
/// </summary>
readonly unsafe struct GemmWork<TSet, TVector>(float* x, long xPitch, int rows, CpuMatrix weight, Epilogue epilogue, float* y, long yPitch, int blockRows) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    /// <summary>Half of a small second-level cache: the other half is for the weight panel that streams past.</summary>
    const long BlockBytes = 640 << 10;

    public static int PanelWidth => 2 * TSet.Width;

    /// <summary>Rows of a block: a multiple of the kernel's, small enough for the cache and for every thread to get several tasks.</summary>
    public static int ChooseBlock(int rows, int inputs, int panels, int threads)
    {
        int tiles = (rows + TSet.KernelRows - 1) / TSet.KernelRows;
        long byCache = Math.Max(1, BlockBytes / ((long)inputs * sizeof(float) * TSet.KernelRows));
        long byThreads = Math.Max(1, (long)tiles * panels / (4L * threads));
        int blocks = (int)((tiles + Math.Min(byCache, byThreads) - 1) / Math.Min(byCache, byThreads));
        return (tiles + blocks - 1) / blocks * TSet.KernelRows;
    }

    public static int Tasks(int rows, int blockRows, int panels) => (rows + blockRows - 1) / blockRows * panels;

    public void Run(int task, int worker)
    {
        int block = task / weight.Panels, panel = task % weight.Panels;
        int first = block * blockRows, count = Math.Min(blockRows, rows - first);
        int column = panel * PanelWidth, columns = Math.Min(PanelWidth, weight.Outputs - column);
        var shifted = new Epilogue(epilogue.Bias is null ? null : epilogue.Bias + column, epilogue.Activation,
            epilogue.Residual is null ? null : epilogue.Residual + first * epilogue.ResidualPitch + column, epilogue.ResidualPitch);
        Gemm<TSet, TVector>.Panel(x + first * xPitch, xPitch, count, weight.Inputs, weight.Panel(panel), columns, shifted, y + first * yPitch + column, yPitch);
    }
}

/// <summary>Rows times one packed panel.</summary>
static unsafe class Gemm<TSet, TVector>
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    public static void Panel(float* x, long xPitch, int rows, int depth, float* panel, int columns, in Epilogue epilogue, float* y, long yPitch)
    {
        int width = 2 * TSet.Width;
        float* tile = stackalloc float[TSet.KernelRows * width];
        var kernels = columns > TSet.Width ? MicroKernels<TSet, TVector>.Full : MicroKernels<TSet, TVector>.Half;
        bool direct = epilogue.IsNothing && (columns == width || columns == TSet.Width);
        for (int row = 0; row < rows; row += TSet.KernelRows)
        {
            int count = Math.Min(TSet.KernelRows, rows - row);
            if (direct)
            {
                kernels[count](depth, x + row * xPitch, (nint)xPitch, panel, y + row * yPitch, (nint)yPitch);
                continue;
            }
            kernels[count](depth, x + row * xPitch, (nint)xPitch, panel, tile, width);
            float* residual = epilogue.Residual is null ? null : epilogue.Residual + row * epilogue.ResidualPitch;
            Finish(tile, count, columns, epilogue, residual, y + row * yPitch, yPitch);
        }
    }

    /// <summary>The epilogue, while the tile is still in the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Finish(float* tile, int rows, int columns, in Epilogue epilogue, float* residual, float* y, long yPitch)
    {
        float* bias = epilogue.Bias;
        Activation activation = epilogue.Activation;
        for (int row = 0; row < rows; row++, tile += 2 * TSet.Width, y += yPitch)
        {
            for (int column = 0; column < columns; column += TSet.Width)
            {
                int count = columns - column;
                TVector value = TSet.Load(tile + column);
                if (count >= TSet.Width)
                {
                    if (bias is not null) value = TSet.Add(value, TSet.Load(bias + column));
                    value = VectorMath<TSet, TVector>.Activate(value, activation);
                    if (residual is not null) value = TSet.Add(value, TSet.Load(residual + column));
                    TSet.Store(value, y + column);
                }
                else
                {
                    if (bias is not null) value = TSet.Add(value, VectorMath<TSet, TVector>.LoadPartial(bias + column, count));
                    value = VectorMath<TSet, TVector>.Activate(value, activation);
                    if (residual is not null) value = TSet.Add(value, VectorMath<TSet, TVector>.LoadPartial(residual + column, count));
                    VectorMath<TSet, TVector>.StorePartial(value, y + column, count);
                }
            }
            if (residual is not null) residual += epilogue.ResidualPitch;
        }
    }
}
