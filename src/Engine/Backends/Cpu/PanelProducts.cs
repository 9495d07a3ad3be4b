using System.Runtime.CompilerServices;
using ClipSegNative.Backends.Cpu.Assembly;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Some rows of x times panels of weights, tile by tile: all of a matrix product that depends on how its operands are kept.</summary>
unsafe interface IPanelProduct
{
    CpuMatrix Weight { get; }

    /// <summary>c[rows, panel width] = rows of x, from <paramref name="row"/> on, times the panel; behind <paramref name="columns"/> anything may be written.</summary>
    void Tile(int panel, int row, int rows, int columns, float* c, nint cPitch);
}

/// <summary>float32 by float32.</summary>
readonly unsafe struct SingleProduct<TSet, TVector>(float* x, long xPitch, CpuMatrix weight) : IPanelProduct
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    public CpuMatrix Weight => weight;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Tile(int panel, int row, int rows, int columns, float* c, nint cPitch) =>
        (columns > TSet.Width ? MicroKernels<TSet, TVector>.Full : MicroKernels<TSet, TVector>.Half)[rows](
            weight.Inputs, x + row * xPitch, (nint)xPitch, 1, weight.Panel(panel), c, cPitch);
}

/// <summary>bfloat16 by bfloat16, summed in float32: by assembled kernels, or where there are none, slowly by vectors of float32.</summary>
readonly unsafe struct Bf16Product<TSet, TVector>(ushort* x, long xPitch, CpuMatrix weight, TileKernels? kernels) : IPanelProduct
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    public CpuMatrix Weight => weight;

    public void Tile(int panel, int row, int rows, int columns, float* c, nint cPitch)
    {
        ushort* a = x + row * xPitch, b = weight.Panel<ushort>(panel);
        int pairs = weight.Depth / 2, vectors = columns > TSet.Width ? 2 : 1;
        if (kernels is not null) kernels[rows, vectors](a, b, c, pairs, (nint)xPitch * sizeof(ushort), cPitch * sizeof(float));
        else
        {
            for (int i = 0; i < rows; i++) Row(a + i * xPitch, b, pairs, vectors, c + i * cPitch);
        }
    }

    /// <summary>The order of the sums is that of vdpbf16ps: of each pair the second product first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Row(ushort* a, ushort* b, int pairs, int vectors, float* c)
    {
        TVector first = default, second = default;
        for (int pair = 0; pair < pairs; pair++, a += 2, b += 4 * TSet.Width)
        {
            TVector even = TSet.Broadcast(BFloat16.ToSingle(a[0])), odd = TSet.Broadcast(BFloat16.ToSingle(a[1]));
            TSet.LoadBf16Pairs(b, out TVector evens, out TVector odds);
            first = TSet.MultiplyAdd(even, evens, TSet.MultiplyAdd(odd, odds, first));
            if (vectors == 1) continue;
            TSet.LoadBf16Pairs(b + 2 * TSet.Width, out evens, out odds);
            second = TSet.MultiplyAdd(even, evens, TSet.MultiplyAdd(odd, odds, second));
        }
        TSet.Store(first, c);
        if (vectors > 1) TSet.Store(second, c + TSet.Width);
    }
}
