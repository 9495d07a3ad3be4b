using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ClipSegNative.Backends.Cpu;

/// <summary>
/// Bytes that stand for floats (Jacob et al. 2018, section 2.1; vector-wise as in Dettmers et al. 2022, section 2.1.1). The weights of one output are
/// scale · w, w from -127 to 127. A token of x is scale · (q - zero), bytes q spread over what lies between its least and its largest value, so that
/// one-sided values, as behind an activation, get all of them. With that a product is scale · scale · (Σ q·w - zero · Σ w).
/// </summary>
static unsafe class Int8
{
    /// <summary>The largest size of a weight.</summary>
    public const int MostWeight = 127;

    /// <summary>Steps between a token's least and largest value: one less than bytes have, so that both ends may be rounded away from zero.</summary>
    public const int Steps = 254;

    /// <summary>
    /// As <see cref="Steps"/>, where products are summed in pairs of 16 bits. Then two adjacent weights may together be <see cref="MostPair"/>, which those
    /// of one output hardly ever exceed: weights that are rounded to fewer steps were measured to cost more than values of x that are.
    /// </summary>
    public const int PairedSteps = 179;

    /// <summary>Before rounding, which may add 1: 182 · (179 + 1) still fits 16 bits.</summary>
    public const int MostPair = 181;

    /// <summary>What signed bytes are raised by to be unsigned ones.</summary>
    public const int Raised = 128;

    /// <summary>Sums of products of so many bytes fit an int32.</summary>
    public const int MostInputs = int.MaxValue / (byte.MaxValue * MostWeight);

    /// <summary>Values of nothing larger are taken for zero, as the steps over that need not be finite.</summary>
    const float Nothing = 1e-30f;

    /// <summary>What to multiply with so that <paramref name="extent"/> becomes <paramref name="steps"/>.</summary>
    public static float Inverse(float extent, int steps) => extent > Nothing ? steps / extent : 0;

    /// <summary>What to multiply bytes with; NaN stays NaN.</summary>
    public static float Scale(float extent, int steps) => extent > Nothing ? extent / steps : extent * 0;

    /// <summary>Signed bytes to unsigned ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Raise(byte* bytes, int count)
    {
        int i = 0;
        for (; i <= count - Vector256<byte>.Count; i += Vector256<byte>.Count) (Vector256.Load(bytes + i) + Vector256.Create((byte)Raised)).Store(bytes + i);
        for (; i < count; i++) bytes[i] += Raised;
    }

    /// <summary>What becomes <see cref="MostWeight"/> of the weights of one output: the largest size, or more where pairs of them would be too large.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Extent(float* weights, int count, bool paired)
    {
        float largest = 0, pair = 0;
        Vector256<float> sizes = default, pairs = default;
        int i = 0;
        for (; i <= count - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var some = Vector256.Load(weights + i);
            sizes = Vector256.Max(sizes, Vector256.Abs(some));
            pairs = Vector256.Max(pairs, Vector256.Abs(some + Vector256.Shuffle(some, Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6))));
        }
        for (int lane = 0; lane < Vector256<float>.Count; lane++) (largest, pair) = (MathF.Max(largest, sizes[lane]), MathF.Max(pair, pairs[lane]));
        for (; i < count; i++)
        {
            largest = MathF.Max(largest, MathF.Abs(weights[i]));
            if (i % 2 != 0) pair = MathF.Max(pair, MathF.Abs(weights[i - 1] + weights[i]));
        }
        return paired ? MathF.Max(largest, pair * ((float)MostWeight / MostPair)) : largest;
    }
}

/// <summary>Writes some rows of a weight matrix [rows, inputs] into their panels as bytes, and their scales and sums behind these; one task a panel.</summary>
readonly unsafe struct PackInt8Work<TSet, TVector>(float* weight, long pitch, int rows, int firstOutput, CpuMatrix matrix) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    [SkipLocalsInit]
    public void Run(int task, int worker)
    {
        var piece = new PanelPiece(task, rows, firstOutput, matrix);
        int width = matrix.PanelWidth, group = matrix.Group, block = PanelPiece.ScratchBytes / width;   // a power of two: whole groups
        bool raised = matrix.Format == WeightFormat.Int8Raised;
        sbyte* bytes = stackalloc sbyte[block * width];
        float* inverses = stackalloc float[width], from = weight + piece.FirstRow * pitch, to = matrix.Panel(piece.Panel) + piece.Place;
        float* scales = matrix.Scales + piece.Panel * width + piece.Place;
        int* sums = matrix.Sums + piece.Panel * width + piece.Place;
        for (int row = 0; row < piece.Rows; row++)
        {
            float extent = Int8.Extent(from + row * pitch, matrix.Inputs, paired: !raised);
            inverses[row] = Int8.Inverse(extent, Int8.MostWeight);
            (scales[row], sums[row]) = (Int8.Scale(extent, Int8.MostWeight), 0);
        }
        for (int start = 0; start < matrix.Inputs; start += block)
        {
            int count = Math.Min(block, matrix.Inputs - start), depth = (count + group - 1) / group * group;
            for (int row = 0; row < piece.Rows; row++)
            {
                sbyte* quantised = bytes + row * block;
                sums[row] += QuantiseRowsWork<TSet, TVector>.Quantise(from + row * pitch + start, count, depth, inverses[row], shift: 0, quantised);
                if (raised) Int8.Raise((byte*)quantised, count);
            }
            WordTranspose.Run((float*)bytes, block / group, piece.Rows, depth / group, to + (long)start / group * width, width);
        }
    }
}

/// <summary>Where the bytes of x lie, and what they stand for: for each row a scale, and what is added to its sums of products.</summary>
/// <param name="values">Beside raised weights signed, beside signed ones unsigned; zeros to a whole group.</param>
/// <param name="pitch">Bytes from row to row.</param>
/// <param name="scales">One a row.</param>
/// <param name="shifts">One a row: times the sum of an output's weights, the zero's share.</param>
/// <param name="raises">One a row: what raised weights have added.</param>
readonly unsafe struct Int8Rows(byte* values, long pitch, float* scales, int* shifts, int* raises)
{
    /// <summary>Floats of memory that a row needs beside its bytes.</summary>
    public const int RowFloats = 3;

    public byte* this[long row] => values + row * pitch;

    public long Pitch => pitch;

    public float* Scales => scales;

    public int* Shifts => shifts;

    public int* Raises => raises;
}

/// <summary>Rows of x as bytes; 16 rows a task. A value that is not finite makes the scale of its row, and so all that is computed from it, NaN.</summary>
readonly unsafe struct QuantiseRowsWork<TSet, TVector>(Rows x, int rows, int columns, CpuMatrix weight, Int8Rows bytes) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    public void Run(int task, int worker)
    {
        bool signed = weight.Format == WeightFormat.Int8Raised;
        int end = Math.Min(rows, (task + 1) * RowTasks.Rows);
        for (int row = task * RowTasks.Rows; row < end; row++)
        {
            (float least, float most) = Ends(x[row], columns, out float poison);
            int steps = signed ? Int8.Steps : Int8.PairedSteps;
            float inverse = Int8.Inverse(most - least, steps);
            int shift = (int)MathF.Round(-least * inverse) - (signed ? Int8.Raised : 0);
            int sum = Quantise(x[row], columns, weight.Depth, inverse, shift, (sbyte*)bytes[row]);
            bytes.Scales[row] = Int8.Scale(most - least, steps) + poison;
            bytes.Shifts[row] = -shift;
            bytes.Raises[row] = signed ? -Int8.Raised * sum : 0;
        }
    }

    /// <summary>The least and the largest value, 0 among them.</summary>
    /// <param name="from">The values.</param>
    /// <param name="count">How many.</param>
    /// <param name="poison">0, or NaN where one is not finite.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static (float Least, float Most) Ends(float* from, int count, out float poison)
    {
        TVector highest = default, lowest = default, zero = default;
        int i = 0;
        for (; i <= count - TSet.Width; i += TSet.Width)
        {
            TVector value = TSet.Load(from + i);
            highest = TSet.Max(highest, value);
            lowest = TSet.Min(lowest, value);
            zero = TSet.MultiplyAdd(value, default, zero);
        }
        float most = TSet.MaxAcross(highest), least = -TSet.MaxAcross(TSet.Subtract(default, lowest));
        poison = TSet.Sum(zero);
        for (; i < count; i++)
        {
            most = MathF.Max(most, from[i]);
            least = MathF.Min(least, from[i]);
            poison += from[i] * 0;
        }
        return (least, most);
    }

    /// <summary>One row, with zeros to <paramref name="depth"/> bytes.</summary>
    /// <returns>The sum of the bytes, taken for signed ones.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Quantise(float* from, int columns, int depth, float inverse, int shift, sbyte* to)
    {
        TVector factor = TSet.Broadcast(inverse), zero = TSet.Broadcast(shift), sums = default;
        int i = 0;
        for (; i <= columns - TSet.Width; i += TSet.Width)
        {
            TVector value = TSet.Add(TSet.Round(TSet.Multiply(TSet.Load(from + i), factor)), zero);
            sums = TSet.Add(sums, value);   // exact: whole numbers below 2^24
            TSet.StoreInt8(value, to + i);
        }
        int sum = (int)TSet.Sum(sums);
        for (; i < depth; i++)
        {
            to[i] = i < columns ? (sbyte)((int)MathF.Round(from[i] * inverse) + shift) : (sbyte)0;
            sum += to[i];
        }
        return sum;
    }
}
