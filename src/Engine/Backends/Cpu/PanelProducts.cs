using System.Runtime.CompilerServices;
using ClipSegNative.Backends.Cpu.Assembly;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Some rows of x times panels of weights, tile by tile: all of a matrix product that depends on how its operands are kept.</summary>
unsafe interface IPanelProduct
{
    CpuMatrix Weight { get; }

    /// <summary>Rows of a tile, at most the set's own.</summary>
    int TileRows { get; }

    /// <summary>A panel as <see cref="Tile"/> wants it, by the worker that will ask for its tiles.</summary>
    void* Open(int panel, int worker);

    /// <summary>Whether <see cref="Tile"/> takes an epilogue.</summary>
    static abstract bool HasEpilogue { get; }

    /// <summary>
    /// c[rows, panel width] = epilogue(rows of x, from <paramref name="row"/> on, times the panel); behind <paramref name="columns"/> anything may be written.
    /// </summary>
    void Tile(void* weights, int panel, int row, int rows, int columns, in Epilogue epilogue, float* c, nint cPitch);
}

/// <summary>float32 by float32.</summary>
readonly unsafe struct SingleProduct<TSet, TVector>(float* x, long xPitch, CpuMatrix weight) : IPanelProduct
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    public CpuMatrix Weight => weight;

    public int TileRows => TSet.KernelRows;

    public void* Open(int panel, int worker) => weight.Panel<byte>(panel);

    public static bool HasEpilogue => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Tile(void* weights, int panel, int row, int rows, int columns, in Epilogue epilogue, float* c, nint cPitch)
    {
        fixed (Epilogue* last = &epilogue)
            (columns > TSet.Width ? MicroKernels<TSet, TVector>.Full : MicroKernels<TSet, TVector>.Half)[rows](
                weight.Inputs, x + row * xPitch, (nint)xPitch, 1, (float*)weights, c, cPitch, last);
    }
}

/// <summary>bfloat16 by bfloat16, summed in float32 by assembled kernels.</summary>
readonly unsafe struct Bf16Product<TSet, TVector>(ushort* x, long xPitch, CpuMatrix weight, TileKernels kernels) : IPanelProduct
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    public CpuMatrix Weight => weight;

    public int TileRows => TSet.KernelRows;

    public void* Open(int panel, int worker) => weight.Panel<byte>(panel);

    public static bool HasEpilogue => false;

    public void Tile(void* weights, int panel, int row, int rows, int columns, in Epilogue epilogue, float* c, nint cPitch) =>
        kernels[rows, columns > TSet.Width ? 2 : 1](x + row * xPitch, weights, c, weight.Depth / 2, (nint)xPitch * sizeof(ushort), cPitch * sizeof(float));
}

/// <summary>float32 by weights kept in 16 bits: each task widens its panel, which is then multiplied as any other. With x rounded, bf16 on any processor.</summary>
readonly unsafe struct WidenedProduct<TSet, TVector>(float* x, long xPitch, CpuMatrix weight, float* scratch, long scratchPerWorker) : IPanelProduct
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    public CpuMatrix Weight => weight;

    public int TileRows => TSet.KernelRows;

    public static long ScratchFloats(CpuMatrix weight) => (long)weight.Depth * weight.PanelWidth;

    public void* Open(int panel, int worker)
    {
        float* wide = scratch + worker * scratchPerWorker;
        if (weight.Format == WeightFormat.F16) WidenHalves(weight.Panel<Half>(panel), wide);
        else WidenPairs(weight.Panel<ushort>(panel), wide);
        return wide;
    }

    public static bool HasEpilogue => true;

    public void Tile(void* weights, int panel, int row, int rows, int columns, in Epilogue epilogue, float* c, nint cPitch) =>
        new SingleProduct<TSet, TVector>(x, xPitch, weight).Tile(weights, panel, row, rows, columns, epilogue, c, cPitch);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void WidenHalves(Half* narrow, float* wide)
    {
        long count = ScratchFloats(weight);
        for (long i = 0; i < count; i += TSet.Width) TSet.Store(TSet.LoadHalf(narrow + i), wide + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void WidenPairs(ushort* pairs, float* wide)
    {
        int width = weight.PanelWidth;
        for (int input = 0; input < weight.Depth; input += 2, wide += 2 * width)
            for (int column = 0; column < width; column += TSet.Width, pairs += 2 * TSet.Width)
            {
                TSet.LoadBf16Pairs(pairs, out TVector even, out TVector odd);
                TSet.Store(even, wide + column);
                TSet.Store(odd, wide + width + column);
            }
    }
}
