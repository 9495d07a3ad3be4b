using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ClipSegNative.Backends.Cpu;

/// <summary>
/// c[rows, 16] = a[rows, steps] · b[steps, 16], as <see cref="MicroKernel{TSet, TVector, TRows, TPanel}"/> with bytes: a step takes 4 bytes of each row of a
/// and the group of inputs of each output of b. Pitches of a and steps of b are in bytes, of c in int32.
/// </summary>
static unsafe class Int8MicroKernel<TDot, TRows>
    where TDot : struct, IByteDot
    where TRows : struct, IConstant
{
    const int StepBytes = 4;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(nint steps, byte* a, nint aPitch, byte* b, nint bStep, int* c, nint cPitch)
    {
        Vector256<int> c0 = default, d0 = default;
        Vector256<int> c1 = default, d1 = default;
        Vector256<int> c2 = default, d2 = default;
        Vector256<int> c3 = default, d3 = default;
        Vector256<int> c4 = default, d4 = default;
        Vector256<int> c5 = default, d5 = default;
        byte* r0 = a, r3 = a + 3 * aPitch;
        nint one = aPitch, two = 2 * aPitch;
        for (; steps > 0; steps--)
        {
            Vector256<byte> b0 = Vector256.Load(b), b1 = Vector256.Load(b + Vector256<byte>.Count), x;
            x = Vector256.Create(*(int*)r0).AsByte(); c0 = TDot.MultiplyAdd(b0, x, c0); d0 = TDot.MultiplyAdd(b1, x, d0);
            if (TRows.Value > 1) { x = Vector256.Create(*(int*)(r0 + one)).AsByte(); c1 = TDot.MultiplyAdd(b0, x, c1); d1 = TDot.MultiplyAdd(b1, x, d1); }
            if (TRows.Value > 2) { x = Vector256.Create(*(int*)(r0 + two)).AsByte(); c2 = TDot.MultiplyAdd(b0, x, c2); d2 = TDot.MultiplyAdd(b1, x, d2); }
            if (TRows.Value > 3) { x = Vector256.Create(*(int*)r3).AsByte(); c3 = TDot.MultiplyAdd(b0, x, c3); d3 = TDot.MultiplyAdd(b1, x, d3); }
            if (TRows.Value > 4) { x = Vector256.Create(*(int*)(r3 + one)).AsByte(); c4 = TDot.MultiplyAdd(b0, x, c4); d4 = TDot.MultiplyAdd(b1, x, d4); }
            if (TRows.Value > 5) { x = Vector256.Create(*(int*)(r3 + two)).AsByte(); c5 = TDot.MultiplyAdd(b0, x, c5); d5 = TDot.MultiplyAdd(b1, x, d5); }
            b += bStep;
            r0 += StepBytes;
            if (TRows.Value > 3) r3 += StepBytes;
        }

        c0.Store(c + 0 * cPitch); d0.Store(c + 0 * cPitch + Vector256<int>.Count);
        if (TRows.Value > 1) { c1.Store(c + 1 * cPitch); d1.Store(c + 1 * cPitch + Vector256<int>.Count); }
        if (TRows.Value > 2) { c2.Store(c + 2 * cPitch); d2.Store(c + 2 * cPitch + Vector256<int>.Count); }
        if (TRows.Value > 3) { c3.Store(c + 3 * cPitch); d3.Store(c + 3 * cPitch + Vector256<int>.Count); }
        if (TRows.Value > 4) { c4.Store(c + 4 * cPitch); d4.Store(c + 4 * cPitch + Vector256<int>.Count); }
        if (TRows.Value > 5) { c5.Store(c + 5 * cPitch); d5.Store(c + 5 * cPitch + Vector256<int>.Count); }
    }
}

/// <summary>The kernels by number of rows.</summary>
static unsafe class Int8MicroKernels<TDot> where TDot : struct, IByteDot
{
    public const int MostRows = 6, Columns = 16;

    public static readonly delegate*<nint, byte*, nint, byte*, nint, int*, nint, void>[] All =
    [
        null,
        &Int8MicroKernel<TDot, Const1>.Run,
        &Int8MicroKernel<TDot, Const2>.Run,
        &Int8MicroKernel<TDot, Const3>.Run,
        &Int8MicroKernel<TDot, Const4>.Run,
        &Int8MicroKernel<TDot, Const5>.Run,
        &Int8MicroKernel<TDot, Const6>.Run,
    ];
}
