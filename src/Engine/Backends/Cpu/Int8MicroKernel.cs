using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ClipSegNative.Backends.Cpu;

/// <summary>
/// c[rows, 16] = a[rows, steps] · b[steps, 16], as <see cref="MicroKernel{TSet, TVector, TRows, TPanel}"/> with bytes: a step takes 4 bytes of each row of a
/// and the group of inputs of each output of b. Pitches of a and steps of b are in bytes, of c in int32.
/// Five rows: with six, one of 12 sums would lie in memory.
/// </summary>
static unsafe class Int8MicroKernel<TDot, TRows>
    where TDot : struct, IByteDot
    where TRows : struct, IConstant
{
    const int StepBytes = 4;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(nint steps, byte* a, nint aPitch, byte* b, nint bStep, int* c, nint cPitch)
    {
        Vector256<byte> b0, b1, x;
        Vector256<int> c0 = default, d0 = default;
        Vector256<int> c1 = default, d1 = default;
        Vector256<int> c2 = default, d2 = default;
        Vector256<int> c3 = default, d3 = default;
        Vector256<int> c4 = default, d4 = default;
        byte* r0 = a, r3 = a + 3 * aPitch;
        nint one = aPitch, two = 2 * aPitch;
        for (; steps >= 4; steps -= 4)
        {
            b0 = Vector256.Load(b); b1 = Vector256.Load(b + Vector256<byte>.Count);
            x = Vector256.Create(*(int*)r0).AsByte(); c0 = TDot.MultiplyAdd(b0, x, c0); d0 = TDot.MultiplyAdd(b1, x, d0);
            if (TRows.Value > 1) { x = Vector256.Create(*(int*)(r0 + one)).AsByte(); c1 = TDot.MultiplyAdd(b0, x, c1); d1 = TDot.MultiplyAdd(b1, x, d1); }
            if (TRows.Value > 2) { x = Vector256.Create(*(int*)(r0 + two)).AsByte(); c2 = TDot.MultiplyAdd(b0, x, c2); d2 = TDot.MultiplyAdd(b1, x, d2); }
            if (TRows.Value > 3) { x = Vector256.Create(*(int*)r3).AsByte(); c3 = TDot.MultiplyAdd(b0, x, c3); d3 = TDot.MultiplyAdd(b1, x, d3); }
            if (TRows.Value > 4) { x = Vector256.Create(*(int*)(r3 + one)).AsByte(); c4 = TDot.MultiplyAdd(b0, x, c4); d4 = TDot.MultiplyAdd(b1, x, d4); }
            b0 = Vector256.Load(b + bStep); b1 = Vector256.Load(b + bStep + Vector256<byte>.Count);
            x = Vector256.Create(*(int*)(r0 + 1 * StepBytes)).AsByte(); c0 = TDot.MultiplyAdd(b0, x, c0); d0 = TDot.MultiplyAdd(b1, x, d0);
            if (TRows.Value > 1) { x = Vector256.Create(*(int*)(r0 + one + 1 * StepBytes)).AsByte(); c1 = TDot.MultiplyAdd(b0, x, c1); d1 = TDot.MultiplyAdd(b1, x, d1); }
            if (TRows.Value > 2) { x = Vector256.Create(*(int*)(r0 + two + 1 * StepBytes)).AsByte(); c2 = TDot.MultiplyAdd(b0, x, c2); d2 = TDot.MultiplyAdd(b1, x, d2); }
            if (TRows.Value > 3) { x = Vector256.Create(*(int*)(r3 + 1 * StepBytes)).AsByte(); c3 = TDot.MultiplyAdd(b0, x, c3); d3 = TDot.MultiplyAdd(b1, x, d3); }
            if (TRows.Value > 4) { x = Vector256.Create(*(int*)(r3 + one + 1 * StepBytes)).AsByte(); c4 = TDot.MultiplyAdd(b0, x, c4); d4 = TDot.MultiplyAdd(b1, x, d4); }
            b0 = Vector256.Load(b + 2 * bStep); b1 = Vector256.Load(b + 2 * bStep + Vector256<byte>.Count);
            x = Vector256.Create(*(int*)(r0 + 2 * StepBytes)).AsByte(); c0 = TDot.MultiplyAdd(b0, x, c0); d0 = TDot.MultiplyAdd(b1, x, d0);
            if (TRows.Value > 1) { x = Vector256.Create(*(int*)(r0 + one + 2 * StepBytes)).AsByte(); c1 = TDot.MultiplyAdd(b0, x, c1); d1 = TDot.MultiplyAdd(b1, x, d1); }
            if (TRows.Value > 2) { x = Vector256.Create(*(int*)(r0 + two + 2 * StepBytes)).AsByte(); c2 = TDot.MultiplyAdd(b0, x, c2); d2 = TDot.MultiplyAdd(b1, x, d2); }
            if (TRows.Value > 3) { x = Vector256.Create(*(int*)(r3 + 2 * StepBytes)).AsByte(); c3 = TDot.MultiplyAdd(b0, x, c3); d3 = TDot.MultiplyAdd(b1, x, d3); }
            if (TRows.Value > 4) { x = Vector256.Create(*(int*)(r3 + one + 2 * StepBytes)).AsByte(); c4 = TDot.MultiplyAdd(b0, x, c4); d4 = TDot.MultiplyAdd(b1, x, d4); }
            b0 = Vector256.Load(b + 3 * bStep); b1 = Vector256.Load(b + 3 * bStep + Vector256<byte>.Count);
            x = Vector256.Create(*(int*)(r0 + 3 * StepBytes)).AsByte(); c0 = TDot.MultiplyAdd(b0, x, c0); d0 = TDot.MultiplyAdd(b1, x, d0);
            if (TRows.Value > 1) { x = Vector256.Create(*(int*)(r0 + one + 3 * StepBytes)).AsByte(); c1 = TDot.MultiplyAdd(b0, x, c1); d1 = TDot.MultiplyAdd(b1, x, d1); }
            if (TRows.Value > 2) { x = Vector256.Create(*(int*)(r0 + two + 3 * StepBytes)).AsByte(); c2 = TDot.MultiplyAdd(b0, x, c2); d2 = TDot.MultiplyAdd(b1, x, d2); }
            if (TRows.Value > 3) { x = Vector256.Create(*(int*)(r3 + 3 * StepBytes)).AsByte(); c3 = TDot.MultiplyAdd(b0, x, c3); d3 = TDot.MultiplyAdd(b1, x, d3); }
            if (TRows.Value > 4) { x = Vector256.Create(*(int*)(r3 + one + 3 * StepBytes)).AsByte(); c4 = TDot.MultiplyAdd(b0, x, c4); d4 = TDot.MultiplyAdd(b1, x, d4); }
            b += 4 * bStep;
            r0 += 4 * StepBytes;
            if (TRows.Value > 3) r3 += 4 * StepBytes;
        }
        for (; steps > 0; steps--)
        {
            b0 = Vector256.Load(b); b1 = Vector256.Load(b + Vector256<byte>.Count);
            x = Vector256.Create(*(int*)r0).AsByte(); c0 = TDot.MultiplyAdd(b0, x, c0); d0 = TDot.MultiplyAdd(b1, x, d0);
            if (TRows.Value > 1) { x = Vector256.Create(*(int*)(r0 + one)).AsByte(); c1 = TDot.MultiplyAdd(b0, x, c1); d1 = TDot.MultiplyAdd(b1, x, d1); }
            if (TRows.Value > 2) { x = Vector256.Create(*(int*)(r0 + two)).AsByte(); c2 = TDot.MultiplyAdd(b0, x, c2); d2 = TDot.MultiplyAdd(b1, x, d2); }
            if (TRows.Value > 3) { x = Vector256.Create(*(int*)r3).AsByte(); c3 = TDot.MultiplyAdd(b0, x, c3); d3 = TDot.MultiplyAdd(b1, x, d3); }
            if (TRows.Value > 4) { x = Vector256.Create(*(int*)(r3 + one)).AsByte(); c4 = TDot.MultiplyAdd(b0, x, c4); d4 = TDot.MultiplyAdd(b1, x, d4); }
            b += bStep;
            r0 += StepBytes;
            if (TRows.Value > 3) r3 += StepBytes;
        }

        c0.Store(c + 0 * cPitch); d0.Store(c + 0 * cPitch + Vector256<int>.Count);
        if (TRows.Value > 1) { c1.Store(c + 1 * cPitch); d1.Store(c + 1 * cPitch + Vector256<int>.Count); }
        if (TRows.Value > 2) { c2.Store(c + 2 * cPitch); d2.Store(c + 2 * cPitch + Vector256<int>.Count); }
        if (TRows.Value > 3) { c3.Store(c + 3 * cPitch); d3.Store(c + 3 * cPitch + Vector256<int>.Count); }
        if (TRows.Value > 4) { c4.Store(c + 4 * cPitch); d4.Store(c + 4 * cPitch + Vector256<int>.Count); }
    }
}

/// <summary>The kernels by number of rows.</summary>
static unsafe class Int8MicroKernels<TDot> where TDot : struct, IByteDot
{
    public const int MostRows = 5, Columns = 16;

    public static readonly delegate*<nint, byte*, nint, byte*, nint, int*, nint, void>[] All =
    [
        null,
        &Int8MicroKernel<TDot, Const1>.Run,
        &Int8MicroKernel<TDot, Const2>.Run,
        &Int8MicroKernel<TDot, Const3>.Run,
        &Int8MicroKernel<TDot, Const4>.Run,
        &Int8MicroKernel<TDot, Const5>.Run,
    ];
}
