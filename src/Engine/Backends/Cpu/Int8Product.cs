using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ClipSegNative.Backends.Cpu.Assembly;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Bytes by bytes, four inputs at a time, summed in int32 and scaled to float32: by assembled kernels, or in 256 bits by AVX-VNNI or AVX2.</summary>
readonly unsafe struct Int8Product<TSet, TVector>(Int8Rows x, CpuMatrix weight, TileKernels? kernels) : IPanelProduct
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    public CpuMatrix Weight => weight;

    public int TileRows => kernels is null ? Math.Min(TSet.KernelRows, Int8MicroKernels<SignedDot>.MostRows) : TSet.KernelRows;

    public void* Open(int panel, int worker) => weight.Panel<byte>(panel);

    public static bool HasEpilogue => true;

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Tile(void* weights, int panel, int row, int rows, int columns, in Epilogue epilogue, float* c, nint cPitch)
    {
        int steps = weight.Depth / weight.Group, width = weight.PanelWidth;
        int* sums = stackalloc int[TSet.KernelRows * width];
        if (kernels is not null) kernels[rows, columns > TSet.Width ? 2 : 1](x[row], weights, sums, steps, (nint)x.Pitch, width * sizeof(int));
        else if (weight.Format == WeightFormat.Int8Raised) Blocks<RaisedDot>(steps, x[row], rows, columns, (byte*)weights, sums, width);
        else Blocks<SignedDot>(steps, x[row], rows, columns, (byte*)weights, sums, width);
        for (int column = 0; column < columns; column += TSet.Width)
            Finish(sums + column, panel * width + column, row, rows, epilogue.At(0, column), c + column, cPitch);
    }

    /// <summary>A tile in blocks of 5 x 16, for whose sums 16 registers have room.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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

    /// <summary>From a vector's width of sums of bytes to what they stand for, and the epilogue.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Finish(int* sums, int output, int row, int rows, Epilogue epilogue, float* c, nint cPitch)
    {
        TVector scale = TSet.Load(weight.Scales + output), bias = epilogue.Bias is null ? default : TSet.Load(epilogue.Bias);
        TVector floor = TSet.Broadcast(epilogue.Activation == Activation.Relu ? 0 : float.NegativeInfinity);
        for (int i = 0; i < rows; i++, sums += weight.PanelWidth, c += cPitch)
        {
            TVector whole = TSet.LoadWhole(sums, weight.Sums + output, x.Shifts[row + i], x.Raises[row + i]);
            TVector value = TSet.Max(floor, TSet.MultiplyAdd(whole, TSet.Multiply(scale, TSet.Broadcast(x.Scales[row + i])), bias));
            TSet.Store(epilogue.Residual is null ? value : TSet.Add(value, TSet.Load(epilogue.Residual + i * epilogue.ResidualPitch)), c);
        }
    }
}

/// <summary>One step of a sum of products of bytes, in 256 bits: four inputs of 8 outputs.</summary>
interface IByteDot
{
    /// <summary>sum + products of the weights with what is broadcast of x.</summary>
    static abstract Vector256<int> MultiplyAdd(Vector256<byte> weights, Vector256<byte> x, Vector256<int> sum);
}

/// <summary>Signed weights, unsigned x. The sums of adjacent products fit 16 bits because of <see cref="Int8.MostPair"/>.</summary>
readonly struct SignedDot : IByteDot
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> MultiplyAdd(Vector256<byte> weights, Vector256<byte> x, Vector256<int> sum) =>
        Avx2.Add(sum, Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(x, weights.AsSByte()), Vector256<short>.One));
}

/// <summary>Raised weights, signed x.</summary>
readonly struct RaisedDot : IByteDot
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> MultiplyAdd(Vector256<byte> weights, Vector256<byte> x, Vector256<int> sum) =>
        AvxVnni.MultiplyWideningAndAdd(sum, weights, x.AsSByte());
}
