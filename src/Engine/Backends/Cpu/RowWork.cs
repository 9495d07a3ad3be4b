using System.Runtime.CompilerServices;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Rows of a matrix in memory, as the kernels see a tensor.</summary>
readonly unsafe struct Rows(float* start, long pitch)
{
    public long Pitch => pitch;

    public float* this[long row] => start + row * pitch;

    public Rows From(long row, int column) => new(this[row] + column, pitch);
}

/// <summary>How many rows a task of a row-wise operation takes.</summary>
static class RowTasks
{
    public const int Rows = 16;

    public static int Count(int rows) => (rows + Rows - 1) / Rows;
}

/// <summary>
/// Rows cut into pieces of at most <see cref="Length"/> floats, one a task. The cut depends on the sizes alone, so sums that are taken piece by piece
/// and then over the pieces do not depend on the number of threads.
/// </summary>
readonly record struct Pieces(int Rows, int Columns)
{
    public const int Length = 4096;

    public int PerRow => (Columns + Length - 1) / Length;

    public int Count => Rows * PerRow;

    public (int Row, int Start, int Count) this[int task]
    {
        get
        {
            int start = task % PerRow * Length;
            return (task / PerRow, start, Math.Min(Length, Columns - start));
        }
    }
}

/// <summary>y = x.</summary>
readonly unsafe struct CopyWork(Rows x, Rows y, int rows, int columns) : IParallelWork
{
    public static void Row(float* from, float* to, int columns) => new ReadOnlySpan<float>(from, columns).CopyTo(new Span<float>(to, columns));

    public void Run(int task, int worker)
    {
        int end = Math.Min(rows, (task + 1) * RowTasks.Rows);
        for (int row = task * RowTasks.Rows; row < end; row++) Row(x[row], y[row], columns);
    }
}

/// <summary>y = x + r, activation(x): one pass over rows; r repeats every <paramref name="repeat"/> rows, and is not there when that is 0.</summary>
readonly unsafe struct ElementwiseWork<TSet, TVector>(Rows x, Rows r, int repeat, Activation activation, Rows y, int rows, int columns) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int task, int worker)
    {
        int end = Math.Min(rows, (task + 1) * RowTasks.Rows);
        for (int row = task * RowTasks.Rows; row < end; row++)
        {
            float* from = x[row], added = repeat > 0 ? r[row % repeat] : null, to = y[row];
            int i = 0;
            for (; i <= columns - TSet.Width; i += TSet.Width)
            {
                TVector value = TSet.Load(from + i);
                if (added is not null) value = TSet.Add(value, TSet.Load(added + i));
                TSet.Store(VectorMath<TSet, TVector>.Activate(value, activation), to + i);
            }
            if (i == columns) continue;
            TVector last = VectorMath<TSet, TVector>.LoadPartial(from + i, columns - i);
            if (added is not null) last = TSet.Add(last, VectorMath<TSet, TVector>.LoadPartial(added + i, columns - i));
            VectorMath<TSet, TVector>.StorePartial(VectorMath<TSet, TVector>.Activate(last, activation), to + i, columns - i);
        }
    }
}

/// <summary>(x - <paramref name="Mean"/>) · <paramref name="Inverse"/> + <paramref name="Shift"/> has zero mean and unit variance over a row.</summary>
readonly record struct RowMoments(float Mean, float Inverse, float Shift)
{
    /// <summary>
    /// Two passes, mean then variance: one pass over the squares would cancel where the mean is large. The second pass also sums the differences,
    /// which corrects what the float32 mean was off by.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe RowMoments Of<TSet, TVector>(float* x, int columns, float epsilon)
        where TSet : struct, IVectorSet<TVector>
        where TVector : struct
    {
        int whole = columns / TSet.Width * TSet.Width;
        TVector sum = TSet.Broadcast(0f);
        for (int i = 0; i < whole; i += TSet.Width) sum = TSet.Add(sum, TSet.Load(x + i));
        float mean = TSet.Sum(sum);
        for (int i = whole; i < columns; i++) mean += x[i];
        mean /= columns;

        TVector means = TSet.Broadcast(mean), squares = TSet.Broadcast(0f);
        sum = TSet.Broadcast(0f);
        for (int i = 0; i < whole; i += TSet.Width)
        {
            TVector difference = TSet.Subtract(TSet.Load(x + i), means);
            sum = TSet.Add(sum, difference);
            squares = TSet.MultiplyAdd(difference, difference, squares);
        }
        float offset = TSet.Sum(sum), variance = TSet.Sum(squares);
        for (int i = whole; i < columns; i++)
        {
            float difference = x[i] - mean;
            offset += difference;
            variance += difference * difference;
        }
        offset /= columns;
        float inverse = 1f / MathF.Sqrt(variance / columns - offset * offset + epsilon);
        return new RowMoments(mean, inverse, -offset * inverse);
    }
}

/// <summary>y = γ·x + β of rows brought to zero mean and unit variance.</summary>
readonly unsafe struct LayerNormWork<TSet, TVector>(Rows x, float* gamma, float* beta, float epsilon, Rows y, int rows, int columns) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int task, int worker)
    {
        int end = Math.Min(rows, (task + 1) * RowTasks.Rows), whole = columns / TSet.Width * TSet.Width;
        for (int row = task * RowTasks.Rows; row < end; row++)
        {
            float* from = x[row], to = y[row];
            (float mean, float inverse, float shift) = RowMoments.Of<TSet, TVector>(from, columns, epsilon);
            TVector means = TSet.Broadcast(mean), inverses = TSet.Broadcast(inverse), shifts = TSet.Broadcast(shift);
            for (int i = 0; i < whole; i += TSet.Width)
            {
                TVector normal = TSet.MultiplyAdd(TSet.Subtract(TSet.Load(from + i), means), inverses, shifts);
                TSet.Store(TSet.MultiplyAdd(normal, TSet.Load(gamma + i), TSet.Load(beta + i)), to + i);
            }
            for (int i = whole; i < columns; i++) to[i] = ((from[i] - mean) * inverse + shift) * gamma[i] + beta[i];
        }
    }
}

/// <summary>y[b,t,:] = scale[b,:]·x[b,t,:] + shift[b,:]; one task a row range of y.</summary>
readonly unsafe struct FilmWork<TSet, TVector>(Rows x, int xRows, Rows scale, Rows shift, Rows y, int rows, int tokens, int columns) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int task, int worker)
    {
        int end = Math.Min(rows, (task + 1) * RowTasks.Rows);
        for (int row = task * RowTasks.Rows; row < end; row++)
        {
            float* from = x[row % xRows], times = scale[row / tokens], plus = shift[row / tokens], to = y[row];
            int i = 0;
            for (; i <= columns - TSet.Width; i += TSet.Width)
                TSet.Store(TSet.MultiplyAdd(TSet.Load(from + i), TSet.Load(times + i), TSet.Load(plus + i)), to + i);
            for (; i < columns; i++) to[i] = from[i] * times[i] + plus[i];
        }
    }
}
