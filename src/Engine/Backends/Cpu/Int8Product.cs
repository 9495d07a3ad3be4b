using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ClipSegNative.Backends.Cpu.Assembly;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Bytes by bytes, summed in int32 and scaled to float32: by assembled kernels, or in 256 bits by AVX-VNNI (quads) or AVX2 (pairs).</summary>
readonly unsafe struct Int8Product<TSet, TVector>(Int8Rows x, CpuMatrix weight, TileKernels? kernels) : IPanelProduct
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    public CpuMatrix Weight => weight;

    public void* Open(int panel, int worker) => weight.Panel<byte>(panel);

    public void Tile(void* weights, int panel, int row, int rows, int columns, float* c, nint cPitch)
    {
        int steps = weight.Depth / weight.Group, vectors = columns > TSet.Width ? 2 : 1;
        if (kernels is not null) kernels[rows, vectors](x[row], weights, c, steps, (nint)x.Pitch, cPitch * sizeof(float));
        else if (weight.Format == WeightFormat.Int8Quads) Blocks<QuadDot>(steps, x[row], rows, columns, (byte*)weights, (int*)c, cPitch);
        else Blocks<PairDot>(steps, x[row], rows, columns, (byte*)weights, (int*)c, cPitch);
        Scale(panel, row, rows, vectors, c, cPitch);
    }

    /// <summary>A tile in blocks of 6 x 16, which is what 16 registers hold.</summary>
    void Blocks<TDot>(int steps, byte* a, int rows, int columns, byte* b, int* c, nint cPitch) where TDot : struct, IByteDot
    {
        int step = weight.PanelWidth * weight.Group;
        for (int column = 0; column < columns; column += Int8MicroKernels<TDot>.Columns)
            for (int row = 0; row < rows; row += Int8MicroKernels<TDot>.MostRows)
            {
                int count = Math.Min(rows - row, Int8MicroKernels<TDot>.MostRows);
                Int8MicroKernels<TDot>.All[count](steps, a + row * x.Pitch, (nint)x.Pitch, b + column * weight.Group, step, c + row * cPitch + column, cPitch);
            }
    }

    /// <summary>From sums of bytes to what they stand for, in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Scale(int panel, int row, int rows, int vectors, float* c, nint cPitch)
    {
        float* scales = weight.Scales + panel * weight.PanelWidth;
        for (int vector = 0; vector < vectors; vector++)
        {
            TVector columnScale = TSet.Load(scales + vector * TSet.Width);
            float* at = c + vector * TSet.Width;
            for (int i = 0; i < rows; i++, at += cPitch)
                TSet.Store(TSet.Multiply(TSet.LoadDifference((int*)at, x.Raises[row + i]), TSet.Multiply(columnScale, TSet.Broadcast(x.Scales[row + i]))), at);
        }
    }
}

/// <summary>One step of a sum of products of bytes, in 256 bits.</summary>
unsafe interface IByteDot
{
    /// <summary>Bytes of weights that a step takes for 8 outputs.</summary>
    static abstract int Bytes { get; }

    static abstract Vector256<int> Load(byte* weights);

    /// <summary>sum + products of the weights with what is broadcast of x.</summary>
    static abstract Vector256<int> MultiplyAdd(Vector256<int> weights, Vector256<int> x, Vector256<int> sum);
}

/// <summary>Pairs of signed bytes, widened to shorts: nothing saturates.</summary>
readonly unsafe struct PairDot : IByteDot
{
    public static int Bytes => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Load(byte* weights) => Avx2.ConvertToVector256Int16((sbyte*)weights).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> MultiplyAdd(Vector256<int> weights, Vector256<int> x, Vector256<int> sum) =>
        Avx2.Add(sum, Avx2.MultiplyAddAdjacent(weights.AsInt16(), x.AsInt16()));
}

/// <summary>Quads of raised bytes with signed ones.</summary>
readonly unsafe struct QuadDot : IByteDot
{
    public static int Bytes => 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Load(byte* weights) => Vector256.Load(weights).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> MultiplyAdd(Vector256<int> weights, Vector256<int> x, Vector256<int> sum) =>
        AvxVnni.MultiplyWideningAndAdd(sum, weights.AsByte(), x.AsSByte());
}
