using System.Runtime.CompilerServices;

namespace ClipSegNative.Backends.Cpu;

/// <summary>dx = dy · activation'(x): one pass over rows.</summary>
readonly unsafe struct ActivateBackwardWork<TSet, TVector>(Rows x, Rows dy, Activation activation, Rows dx, int rows, int columns) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int task, int worker)
    {
        int end = Math.Min(rows, (task + 1) * RowTasks.Rows);
        for (int row = task * RowTasks.Rows; row < end; row++)
        {
            float* at = x[row], from = dy[row], to = dx[row];
            int i = 0;
            for (; i <= columns - TSet.Width; i += TSet.Width) TSet.Store(Gradient(TSet.Load(at + i), TSet.Load(from + i)), to + i);
            if (i == columns) continue;
            TVector lastX = VectorMath<TSet, TVector>.LoadPartial(at + i, columns - i), lastDy = VectorMath<TSet, TVector>.LoadPartial(from + i, columns - i);
            VectorMath<TSet, TVector>.StorePartial(Gradient(lastX, lastDy), to + i, columns - i);
        }
    }

    /// <summary>ReLU chooses instead of multiplying: an infinite gradient times 0 would be NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    TVector Gradient(TVector x, TVector dy) =>
        activation == Activation.Relu ? TSet.Gate(x, dy) : TSet.Multiply(dy, VectorMath<TSet, TVector>.Slope(x, activation));
}

/// <summary>How many rows a task sums before sums of tasks are added up: enough to keep those few, few enough to keep every thread busy.</summary>
static class SumTasks
{
    public const int Rows = 64;

    public static int Count(int rows) => (rows + Rows - 1) / Rows;
}

/// <summary>One task sums <see cref="SumTasks.Rows"/> rows of x into its own row of partial sums.</summary>
readonly unsafe struct ColumnSumWork<TSet, TVector>(Rows x, int rows, int columns, Rows partial) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    public void Run(int task, int worker)
    {
        float* sums = partial[task];
        new Span<float>(sums, columns).Clear();
        int end = Math.Min(rows, (task + 1) * SumTasks.Rows);
        for (int row = task * SumTasks.Rows; row < end; row++) VectorMath<TSet, TVector>.AddTo(x[row], sums, columns);
    }
}

/// <summary>
/// With n the normalised row and g = γ·dy: dx = (g - mean of g - n · mean of g·n) / deviation. Partial sums of dGamma, then of dBeta, go into the task's own row.
/// </summary>
readonly unsafe struct LayerNormBackwardWork<TSet, TVector>(
    Rows x, Rows dy, float* gamma, float epsilon, Rows dx, int rows, int columns, Rows partial) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int task, int worker)
    {
        float* dGamma = partial[task], dBeta = dGamma + columns;
        new Span<float>(dGamma, 2 * columns).Clear();
        int end = Math.Min(rows, (task + 1) * SumTasks.Rows), whole = columns / TSet.Width * TSet.Width;
        for (int row = task * SumTasks.Rows; row < end; row++)
        {
            float* at = x[row], from = dy[row], to = dx[row];
            (float mean, float inverse, float shift) = RowMoments.Of<TSet, TVector>(at, columns, epsilon);
            TVector means = TSet.Broadcast(mean), inverses = TSet.Broadcast(inverse), shifts = TSet.Broadcast(shift);
            TVector sum = TSet.Broadcast(0f), product = TSet.Broadcast(0f);
            for (int i = 0; i < whole; i += TSet.Width)
            {
                TVector normal = TSet.MultiplyAdd(TSet.Subtract(TSet.Load(at + i), means), inverses, shifts);
                TVector d = TSet.Load(from + i), g = TSet.Multiply(d, TSet.Load(gamma + i));
                sum = TSet.Add(sum, g);
                product = TSet.MultiplyAdd(g, normal, product);
                TSet.Store(TSet.MultiplyAdd(d, normal, TSet.Load(dGamma + i)), dGamma + i);
                TSet.Store(TSet.Add(d, TSet.Load(dBeta + i)), dBeta + i);
            }
            float along = TSet.Sum(sum), across = TSet.Sum(product);
            for (int i = whole; i < columns; i++)
            {
                float normal = (at[i] - mean) * inverse + shift, g = from[i] * gamma[i];
                along += g;
                across += g * normal;
                dGamma[i] += from[i] * normal;
                dBeta[i] += from[i];
            }
            along /= columns;
            across /= columns;

            TVector alongs = TSet.Broadcast(along), acrosses = TSet.Broadcast(-across);
            for (int i = 0; i < whole; i += TSet.Width)
            {
                TVector normal = TSet.MultiplyAdd(TSet.Subtract(TSet.Load(at + i), means), inverses, shifts);
                TVector g = TSet.Subtract(TSet.Multiply(TSet.Load(from + i), TSet.Load(gamma + i)), alongs);
                TSet.Store(TSet.Multiply(TSet.MultiplyAdd(normal, acrosses, g), inverses), to + i);
            }
            for (int i = whole; i < columns; i++) to[i] = (from[i] * gamma[i] - along - ((at[i] - mean) * inverse + shift) * across) * inverse;
        }
    }
}

/// <summary>One task a batch entry: its rows of dScale and dShift.</summary>
readonly unsafe struct FilmParametersBackwardWork<TSet, TVector>(Rows x, int xRows, Rows dy, Rows dScale, Rows dShift, int tokens, int columns) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    public void Run(int task, int worker)
    {
        float* scales = dScale[task], shifts = dShift[task];
        new Span<float>(scales, columns).Clear();
        new Span<float>(shifts, columns).Clear();
        for (int row = task * tokens; row < (task + 1) * tokens; row++)
        {
            VectorMath<TSet, TVector>.AddProductTo(x[row % xRows], dy[row], scales, columns);
            VectorMath<TSet, TVector>.AddTo(dy[row], shifts, columns);
        }
    }
}

/// <summary>Rows of dx: scale·dy, summed over the batch entries that read the row.</summary>
readonly unsafe struct FilmInputBackwardWork<TSet, TVector>(Rows scale, Rows dy, int dyRows, Rows dx, int rows, int tokens, int columns) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    public void Run(int task, int worker)
    {
        int end = Math.Min(rows, (task + 1) * RowTasks.Rows);
        for (int row = task * RowTasks.Rows; row < end; row++)
        {
            new Span<float>(dx[row], columns).Clear();
            for (int from = row; from < dyRows; from += rows)
                VectorMath<TSet, TVector>.AddProductTo(scale[from / tokens], dy[from], dx[row], columns);
        }
    }
}

/// <summary>One task a range of columns, which takes the rows in their order: rows may meet in one place of the table.</summary>
readonly unsafe struct GatherRowsBackwardWork<TSet, TVector>(Rows dy, int* indices, Rows dTable, int rows, int columns) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    const int Width = 64;

    public static int Tasks(int columns) => (columns + Width - 1) / Width;

    public void Run(int task, int worker)
    {
        int start = task * Width, count = Math.Min(Width, columns - start);
        for (int row = 0; row < rows; row++) VectorMath<TSet, TVector>.AddTo(dy[row] + start, dTable[indices[row]] + start, count);
    }
}
