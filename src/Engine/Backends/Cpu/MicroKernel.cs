using System.Runtime.CompilerServices;

namespace ClipSegNative.Backends.Cpu;

/// <summary>A constant as a type: the JIT compiles one microkernel per value and drops the rows that are not there.</summary>
interface IConstant
{
    static abstract int Value { get; }
}

readonly struct Const1 : IConstant { public static int Value => 1; }
readonly struct Const2 : IConstant { public static int Value => 2; }
readonly struct Const3 : IConstant { public static int Value => 3; }
readonly struct Const4 : IConstant { public static int Value => 4; }
readonly struct Const5 : IConstant { public static int Value => 5; }
readonly struct Const6 : IConstant { public static int Value => 6; }
readonly struct Const7 : IConstant { public static int Value => 7; }
readonly struct Const8 : IConstant { public static int Value => 8; }
readonly struct Const9 : IConstant { public static int Value => 9; }
readonly struct Const10 : IConstant { public static int Value => 10; }
readonly struct Const11 : IConstant { public static int Value => 11; }
readonly struct Const12 : IConstant { public static int Value => 12; }
readonly struct Const13 : IConstant { public static int Value => 13; }
readonly struct Const14 : IConstant { public static int Value => 14; }

/// <summary>
/// c[rows, panel] = a[rows, depth] · b[depth, panel], every accumulator a register: 14 x 2 vectors of the 32 AVX-512 registers, 6 x 2 of 16.
/// b is one packed panel, always two vectors wide; with one panel vector only the first half is computed. Strides are in floats: rows of a lie
/// aStride apart, its columns aStep, so that a may be the transpose of what is in memory (aStride 1).
/// What <see cref="Epilogue"/> adds happens in registers, before results are stored: in passes of its own over a tile, it cost products of little depth half of their speed.
/// Four steps of the depth at a time: one at a time, the pointer arithmetic costs 8 % of an encode. Every step is written out, because only named
/// locals stay in registers: an array of accumulators, which a loop would need, lives in memory.
/// </summary>
static unsafe class MicroKernel<TSet, TVector, TRows, TPanel>
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
    where TRows : struct, IConstant
    where TPanel : struct, IConstant
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]   // otherwise it starts unoptimised, with every accumulator in memory
    public static void Run(nint depth, float* a, nint aStride, nint aStep, float* b, float* c, nint cStride, Epilogue* epilogue)
    {
        TVector c0 = default, d0 = default;
        TVector c1 = default, d1 = default;
        TVector c2 = default, d2 = default;
        TVector c3 = default, d3 = default;
        TVector c4 = default, d4 = default;
        TVector c5 = default, d5 = default;
        TVector c6 = default, d6 = default;
        TVector c7 = default, d7 = default;
        TVector c8 = default, d8 = default;
        TVector c9 = default, d9 = default;
        TVector c10 = default, d10 = default;
        TVector c11 = default, d11 = default;
        TVector c12 = default, d12 = default;
        TVector c13 = default, d13 = default;
        // Five row pointers and two offsets address 14 rows.
        nint one = aStride, two = 2 * aStride;
        float* r0 = a, r3 = a + 3 * aStride, r6 = a + 6 * aStride, r9 = a + 9 * aStride, r12 = a + 12 * aStride;
        TVector b0, b1 = default, x;
        for (nint fours = aStep == 1 ? depth / 4 : 0; fours > 0; fours--, depth -= 4)
        {
            b0 = TSet.Load(b + 0 * 2 * TSet.Width); if (TPanel.Value > 1) b1 = TSet.Load(b + 0 * 2 * TSet.Width + TSet.Width);
            x = TSet.Broadcast(r0[0]); c0 = TSet.MultiplyAdd(x, b0, c0); if (TPanel.Value > 1) d0 = TSet.MultiplyAdd(x, b1, d0);
            if (TRows.Value > 1) { x = TSet.Broadcast(r0[one + 0]); c1 = TSet.MultiplyAdd(x, b0, c1); if (TPanel.Value > 1) d1 = TSet.MultiplyAdd(x, b1, d1); }
            if (TRows.Value > 2) { x = TSet.Broadcast(r0[two + 0]); c2 = TSet.MultiplyAdd(x, b0, c2); if (TPanel.Value > 1) d2 = TSet.MultiplyAdd(x, b1, d2); }
            if (TRows.Value > 3) { x = TSet.Broadcast(r3[0]); c3 = TSet.MultiplyAdd(x, b0, c3); if (TPanel.Value > 1) d3 = TSet.MultiplyAdd(x, b1, d3); }
            if (TRows.Value > 4) { x = TSet.Broadcast(r3[one + 0]); c4 = TSet.MultiplyAdd(x, b0, c4); if (TPanel.Value > 1) d4 = TSet.MultiplyAdd(x, b1, d4); }
            if (TRows.Value > 5) { x = TSet.Broadcast(r3[two + 0]); c5 = TSet.MultiplyAdd(x, b0, c5); if (TPanel.Value > 1) d5 = TSet.MultiplyAdd(x, b1, d5); }
            if (TRows.Value > 6) { x = TSet.Broadcast(r6[0]); c6 = TSet.MultiplyAdd(x, b0, c6); if (TPanel.Value > 1) d6 = TSet.MultiplyAdd(x, b1, d6); }
            if (TRows.Value > 7) { x = TSet.Broadcast(r6[one + 0]); c7 = TSet.MultiplyAdd(x, b0, c7); if (TPanel.Value > 1) d7 = TSet.MultiplyAdd(x, b1, d7); }
            if (TRows.Value > 8) { x = TSet.Broadcast(r6[two + 0]); c8 = TSet.MultiplyAdd(x, b0, c8); if (TPanel.Value > 1) d8 = TSet.MultiplyAdd(x, b1, d8); }
            if (TRows.Value > 9) { x = TSet.Broadcast(r9[0]); c9 = TSet.MultiplyAdd(x, b0, c9); if (TPanel.Value > 1) d9 = TSet.MultiplyAdd(x, b1, d9); }
            if (TRows.Value > 10) { x = TSet.Broadcast(r9[one + 0]); c10 = TSet.MultiplyAdd(x, b0, c10); if (TPanel.Value > 1) d10 = TSet.MultiplyAdd(x, b1, d10); }
            if (TRows.Value > 11) { x = TSet.Broadcast(r9[two + 0]); c11 = TSet.MultiplyAdd(x, b0, c11); if (TPanel.Value > 1) d11 = TSet.MultiplyAdd(x, b1, d11); }
            if (TRows.Value > 12) { x = TSet.Broadcast(r12[0]); c12 = TSet.MultiplyAdd(x, b0, c12); if (TPanel.Value > 1) d12 = TSet.MultiplyAdd(x, b1, d12); }
            if (TRows.Value > 13) { x = TSet.Broadcast(r12[one + 0]); c13 = TSet.MultiplyAdd(x, b0, c13); if (TPanel.Value > 1) d13 = TSet.MultiplyAdd(x, b1, d13); }
            b0 = TSet.Load(b + 1 * 2 * TSet.Width); if (TPanel.Value > 1) b1 = TSet.Load(b + 1 * 2 * TSet.Width + TSet.Width);
            x = TSet.Broadcast(r0[1]); c0 = TSet.MultiplyAdd(x, b0, c0); if (TPanel.Value > 1) d0 = TSet.MultiplyAdd(x, b1, d0);
            if (TRows.Value > 1) { x = TSet.Broadcast(r0[one + 1]); c1 = TSet.MultiplyAdd(x, b0, c1); if (TPanel.Value > 1) d1 = TSet.MultiplyAdd(x, b1, d1); }
            if (TRows.Value > 2) { x = TSet.Broadcast(r0[two + 1]); c2 = TSet.MultiplyAdd(x, b0, c2); if (TPanel.Value > 1) d2 = TSet.MultiplyAdd(x, b1, d2); }
            if (TRows.Value > 3) { x = TSet.Broadcast(r3[1]); c3 = TSet.MultiplyAdd(x, b0, c3); if (TPanel.Value > 1) d3 = TSet.MultiplyAdd(x, b1, d3); }
            if (TRows.Value > 4) { x = TSet.Broadcast(r3[one + 1]); c4 = TSet.MultiplyAdd(x, b0, c4); if (TPanel.Value > 1) d4 = TSet.MultiplyAdd(x, b1, d4); }
            if (TRows.Value > 5) { x = TSet.Broadcast(r3[two + 1]); c5 = TSet.MultiplyAdd(x, b0, c5); if (TPanel.Value > 1) d5 = TSet.MultiplyAdd(x, b1, d5); }
            if (TRows.Value > 6) { x = TSet.Broadcast(r6[1]); c6 = TSet.MultiplyAdd(x, b0, c6); if (TPanel.Value > 1) d6 = TSet.MultiplyAdd(x, b1, d6); }
            if (TRows.Value > 7) { x = TSet.Broadcast(r6[one + 1]); c7 = TSet.MultiplyAdd(x, b0, c7); if (TPanel.Value > 1) d7 = TSet.MultiplyAdd(x, b1, d7); }
            if (TRows.Value > 8) { x = TSet.Broadcast(r6[two + 1]); c8 = TSet.MultiplyAdd(x, b0, c8); if (TPanel.Value > 1) d8 = TSet.MultiplyAdd(x, b1, d8); }
            if (TRows.Value > 9) { x = TSet.Broadcast(r9[1]); c9 = TSet.MultiplyAdd(x, b0, c9); if (TPanel.Value > 1) d9 = TSet.MultiplyAdd(x, b1, d9); }
            if (TRows.Value > 10) { x = TSet.Broadcast(r9[one + 1]); c10 = TSet.MultiplyAdd(x, b0, c10); if (TPanel.Value > 1) d10 = TSet.MultiplyAdd(x, b1, d10); }
            if (TRows.Value > 11) { x = TSet.Broadcast(r9[two + 1]); c11 = TSet.MultiplyAdd(x, b0, c11); if (TPanel.Value > 1) d11 = TSet.MultiplyAdd(x, b1, d11); }
            if (TRows.Value > 12) { x = TSet.Broadcast(r12[1]); c12 = TSet.MultiplyAdd(x, b0, c12); if (TPanel.Value > 1) d12 = TSet.MultiplyAdd(x, b1, d12); }
            if (TRows.Value > 13) { x = TSet.Broadcast(r12[one + 1]); c13 = TSet.MultiplyAdd(x, b0, c13); if (TPanel.Value > 1) d13 = TSet.MultiplyAdd(x, b1, d13); }
            b0 = TSet.Load(b + 2 * 2 * TSet.Width); if (TPanel.Value > 1) b1 = TSet.Load(b + 2 * 2 * TSet.Width + TSet.Width);
            x = TSet.Broadcast(r0[2]); c0 = TSet.MultiplyAdd(x, b0, c0); if (TPanel.Value > 1) d0 = TSet.MultiplyAdd(x, b1, d0);
            if (TRows.Value > 1) { x = TSet.Broadcast(r0[one + 2]); c1 = TSet.MultiplyAdd(x, b0, c1); if (TPanel.Value > 1) d1 = TSet.MultiplyAdd(x, b1, d1); }
            if (TRows.Value > 2) { x = TSet.Broadcast(r0[two + 2]); c2 = TSet.MultiplyAdd(x, b0, c2); if (TPanel.Value > 1) d2 = TSet.MultiplyAdd(x, b1, d2); }
            if (TRows.Value > 3) { x = TSet.Broadcast(r3[2]); c3 = TSet.MultiplyAdd(x, b0, c3); if (TPanel.Value > 1) d3 = TSet.MultiplyAdd(x, b1, d3); }
            if (TRows.Value > 4) { x = TSet.Broadcast(r3[one + 2]); c4 = TSet.MultiplyAdd(x, b0, c4); if (TPanel.Value > 1) d4 = TSet.MultiplyAdd(x, b1, d4); }
            if (TRows.Value > 5) { x = TSet.Broadcast(r3[two + 2]); c5 = TSet.MultiplyAdd(x, b0, c5); if (TPanel.Value > 1) d5 = TSet.MultiplyAdd(x, b1, d5); }
            if (TRows.Value > 6) { x = TSet.Broadcast(r6[2]); c6 = TSet.MultiplyAdd(x, b0, c6); if (TPanel.Value > 1) d6 = TSet.MultiplyAdd(x, b1, d6); }
            if (TRows.Value > 7) { x = TSet.Broadcast(r6[one + 2]); c7 = TSet.MultiplyAdd(x, b0, c7); if (TPanel.Value > 1) d7 = TSet.MultiplyAdd(x, b1, d7); }
            if (TRows.Value > 8) { x = TSet.Broadcast(r6[two + 2]); c8 = TSet.MultiplyAdd(x, b0, c8); if (TPanel.Value > 1) d8 = TSet.MultiplyAdd(x, b1, d8); }
            if (TRows.Value > 9) { x = TSet.Broadcast(r9[2]); c9 = TSet.MultiplyAdd(x, b0, c9); if (TPanel.Value > 1) d9 = TSet.MultiplyAdd(x, b1, d9); }
            if (TRows.Value > 10) { x = TSet.Broadcast(r9[one + 2]); c10 = TSet.MultiplyAdd(x, b0, c10); if (TPanel.Value > 1) d10 = TSet.MultiplyAdd(x, b1, d10); }
            if (TRows.Value > 11) { x = TSet.Broadcast(r9[two + 2]); c11 = TSet.MultiplyAdd(x, b0, c11); if (TPanel.Value > 1) d11 = TSet.MultiplyAdd(x, b1, d11); }
            if (TRows.Value > 12) { x = TSet.Broadcast(r12[2]); c12 = TSet.MultiplyAdd(x, b0, c12); if (TPanel.Value > 1) d12 = TSet.MultiplyAdd(x, b1, d12); }
            if (TRows.Value > 13) { x = TSet.Broadcast(r12[one + 2]); c13 = TSet.MultiplyAdd(x, b0, c13); if (TPanel.Value > 1) d13 = TSet.MultiplyAdd(x, b1, d13); }
            b0 = TSet.Load(b + 3 * 2 * TSet.Width); if (TPanel.Value > 1) b1 = TSet.Load(b + 3 * 2 * TSet.Width + TSet.Width);
            x = TSet.Broadcast(r0[3]); c0 = TSet.MultiplyAdd(x, b0, c0); if (TPanel.Value > 1) d0 = TSet.MultiplyAdd(x, b1, d0);
            if (TRows.Value > 1) { x = TSet.Broadcast(r0[one + 3]); c1 = TSet.MultiplyAdd(x, b0, c1); if (TPanel.Value > 1) d1 = TSet.MultiplyAdd(x, b1, d1); }
            if (TRows.Value > 2) { x = TSet.Broadcast(r0[two + 3]); c2 = TSet.MultiplyAdd(x, b0, c2); if (TPanel.Value > 1) d2 = TSet.MultiplyAdd(x, b1, d2); }
            if (TRows.Value > 3) { x = TSet.Broadcast(r3[3]); c3 = TSet.MultiplyAdd(x, b0, c3); if (TPanel.Value > 1) d3 = TSet.MultiplyAdd(x, b1, d3); }
            if (TRows.Value > 4) { x = TSet.Broadcast(r3[one + 3]); c4 = TSet.MultiplyAdd(x, b0, c4); if (TPanel.Value > 1) d4 = TSet.MultiplyAdd(x, b1, d4); }
            if (TRows.Value > 5) { x = TSet.Broadcast(r3[two + 3]); c5 = TSet.MultiplyAdd(x, b0, c5); if (TPanel.Value > 1) d5 = TSet.MultiplyAdd(x, b1, d5); }
            if (TRows.Value > 6) { x = TSet.Broadcast(r6[3]); c6 = TSet.MultiplyAdd(x, b0, c6); if (TPanel.Value > 1) d6 = TSet.MultiplyAdd(x, b1, d6); }
            if (TRows.Value > 7) { x = TSet.Broadcast(r6[one + 3]); c7 = TSet.MultiplyAdd(x, b0, c7); if (TPanel.Value > 1) d7 = TSet.MultiplyAdd(x, b1, d7); }
            if (TRows.Value > 8) { x = TSet.Broadcast(r6[two + 3]); c8 = TSet.MultiplyAdd(x, b0, c8); if (TPanel.Value > 1) d8 = TSet.MultiplyAdd(x, b1, d8); }
            if (TRows.Value > 9) { x = TSet.Broadcast(r9[3]); c9 = TSet.MultiplyAdd(x, b0, c9); if (TPanel.Value > 1) d9 = TSet.MultiplyAdd(x, b1, d9); }
            if (TRows.Value > 10) { x = TSet.Broadcast(r9[one + 3]); c10 = TSet.MultiplyAdd(x, b0, c10); if (TPanel.Value > 1) d10 = TSet.MultiplyAdd(x, b1, d10); }
            if (TRows.Value > 11) { x = TSet.Broadcast(r9[two + 3]); c11 = TSet.MultiplyAdd(x, b0, c11); if (TPanel.Value > 1) d11 = TSet.MultiplyAdd(x, b1, d11); }
            if (TRows.Value > 12) { x = TSet.Broadcast(r12[3]); c12 = TSet.MultiplyAdd(x, b0, c12); if (TPanel.Value > 1) d12 = TSet.MultiplyAdd(x, b1, d12); }
            if (TRows.Value > 13) { x = TSet.Broadcast(r12[one + 3]); c13 = TSet.MultiplyAdd(x, b0, c13); if (TPanel.Value > 1) d13 = TSet.MultiplyAdd(x, b1, d13); }
            b += 4 * 2 * TSet.Width;
            r0 += 4;
            if (TRows.Value > 3) r3 += 4;
            if (TRows.Value > 6) r6 += 4;
            if (TRows.Value > 9) r9 += 4;
            if (TRows.Value > 12) r12 += 4;
        }
        for (; depth > 0; depth--)
        {
            b0 = TSet.Load(b + 0 * 2 * TSet.Width); if (TPanel.Value > 1) b1 = TSet.Load(b + 0 * 2 * TSet.Width + TSet.Width);
            x = TSet.Broadcast(r0[0]); c0 = TSet.MultiplyAdd(x, b0, c0); if (TPanel.Value > 1) d0 = TSet.MultiplyAdd(x, b1, d0);
            if (TRows.Value > 1) { x = TSet.Broadcast(r0[one + 0]); c1 = TSet.MultiplyAdd(x, b0, c1); if (TPanel.Value > 1) d1 = TSet.MultiplyAdd(x, b1, d1); }
            if (TRows.Value > 2) { x = TSet.Broadcast(r0[two + 0]); c2 = TSet.MultiplyAdd(x, b0, c2); if (TPanel.Value > 1) d2 = TSet.MultiplyAdd(x, b1, d2); }
            if (TRows.Value > 3) { x = TSet.Broadcast(r3[0]); c3 = TSet.MultiplyAdd(x, b0, c3); if (TPanel.Value > 1) d3 = TSet.MultiplyAdd(x, b1, d3); }
            if (TRows.Value > 4) { x = TSet.Broadcast(r3[one + 0]); c4 = TSet.MultiplyAdd(x, b0, c4); if (TPanel.Value > 1) d4 = TSet.MultiplyAdd(x, b1, d4); }
            if (TRows.Value > 5) { x = TSet.Broadcast(r3[two + 0]); c5 = TSet.MultiplyAdd(x, b0, c5); if (TPanel.Value > 1) d5 = TSet.MultiplyAdd(x, b1, d5); }
            if (TRows.Value > 6) { x = TSet.Broadcast(r6[0]); c6 = TSet.MultiplyAdd(x, b0, c6); if (TPanel.Value > 1) d6 = TSet.MultiplyAdd(x, b1, d6); }
            if (TRows.Value > 7) { x = TSet.Broadcast(r6[one + 0]); c7 = TSet.MultiplyAdd(x, b0, c7); if (TPanel.Value > 1) d7 = TSet.MultiplyAdd(x, b1, d7); }
            if (TRows.Value > 8) { x = TSet.Broadcast(r6[two + 0]); c8 = TSet.MultiplyAdd(x, b0, c8); if (TPanel.Value > 1) d8 = TSet.MultiplyAdd(x, b1, d8); }
            if (TRows.Value > 9) { x = TSet.Broadcast(r9[0]); c9 = TSet.MultiplyAdd(x, b0, c9); if (TPanel.Value > 1) d9 = TSet.MultiplyAdd(x, b1, d9); }
            if (TRows.Value > 10) { x = TSet.Broadcast(r9[one + 0]); c10 = TSet.MultiplyAdd(x, b0, c10); if (TPanel.Value > 1) d10 = TSet.MultiplyAdd(x, b1, d10); }
            if (TRows.Value > 11) { x = TSet.Broadcast(r9[two + 0]); c11 = TSet.MultiplyAdd(x, b0, c11); if (TPanel.Value > 1) d11 = TSet.MultiplyAdd(x, b1, d11); }
            if (TRows.Value > 12) { x = TSet.Broadcast(r12[0]); c12 = TSet.MultiplyAdd(x, b0, c12); if (TPanel.Value > 1) d12 = TSet.MultiplyAdd(x, b1, d12); }
            if (TRows.Value > 13) { x = TSet.Broadcast(r12[one + 0]); c13 = TSet.MultiplyAdd(x, b0, c13); if (TPanel.Value > 1) d13 = TSet.MultiplyAdd(x, b1, d13); }
            b += 1 * 2 * TSet.Width;
            r0 += aStep;
            if (TRows.Value > 3) r3 += aStep;
            if (TRows.Value > 6) r6 += aStep;
            if (TRows.Value > 9) r9 += aStep;
            if (TRows.Value > 12) r12 += aStep;
        }

        if (epilogue is not null)
        {
            if (epilogue->Bias is not null)
            {
                b0 = TSet.Load(epilogue->Bias); if (TPanel.Value > 1) b1 = TSet.Load(epilogue->Bias + TSet.Width);
                c0 = TSet.Add(c0, b0); if (TPanel.Value > 1) d0 = TSet.Add(d0, b1);
                if (TRows.Value > 1) { c1 = TSet.Add(c1, b0); if (TPanel.Value > 1) d1 = TSet.Add(d1, b1); }
                if (TRows.Value > 2) { c2 = TSet.Add(c2, b0); if (TPanel.Value > 1) d2 = TSet.Add(d2, b1); }
                if (TRows.Value > 3) { c3 = TSet.Add(c3, b0); if (TPanel.Value > 1) d3 = TSet.Add(d3, b1); }
                if (TRows.Value > 4) { c4 = TSet.Add(c4, b0); if (TPanel.Value > 1) d4 = TSet.Add(d4, b1); }
                if (TRows.Value > 5) { c5 = TSet.Add(c5, b0); if (TPanel.Value > 1) d5 = TSet.Add(d5, b1); }
                if (TRows.Value > 6) { c6 = TSet.Add(c6, b0); if (TPanel.Value > 1) d6 = TSet.Add(d6, b1); }
                if (TRows.Value > 7) { c7 = TSet.Add(c7, b0); if (TPanel.Value > 1) d7 = TSet.Add(d7, b1); }
                if (TRows.Value > 8) { c8 = TSet.Add(c8, b0); if (TPanel.Value > 1) d8 = TSet.Add(d8, b1); }
                if (TRows.Value > 9) { c9 = TSet.Add(c9, b0); if (TPanel.Value > 1) d9 = TSet.Add(d9, b1); }
                if (TRows.Value > 10) { c10 = TSet.Add(c10, b0); if (TPanel.Value > 1) d10 = TSet.Add(d10, b1); }
                if (TRows.Value > 11) { c11 = TSet.Add(c11, b0); if (TPanel.Value > 1) d11 = TSet.Add(d11, b1); }
                if (TRows.Value > 12) { c12 = TSet.Add(c12, b0); if (TPanel.Value > 1) d12 = TSet.Add(d12, b1); }
                if (TRows.Value > 13) { c13 = TSet.Add(c13, b0); if (TPanel.Value > 1) d13 = TSet.Add(d13, b1); }
            }
            if (epilogue->Activation == Activation.Relu)
            {
                x = default;
                c0 = TSet.Max(x, c0); if (TPanel.Value > 1) d0 = TSet.Max(x, d0);
                if (TRows.Value > 1) { c1 = TSet.Max(x, c1); if (TPanel.Value > 1) d1 = TSet.Max(x, d1); }
                if (TRows.Value > 2) { c2 = TSet.Max(x, c2); if (TPanel.Value > 1) d2 = TSet.Max(x, d2); }
                if (TRows.Value > 3) { c3 = TSet.Max(x, c3); if (TPanel.Value > 1) d3 = TSet.Max(x, d3); }
                if (TRows.Value > 4) { c4 = TSet.Max(x, c4); if (TPanel.Value > 1) d4 = TSet.Max(x, d4); }
                if (TRows.Value > 5) { c5 = TSet.Max(x, c5); if (TPanel.Value > 1) d5 = TSet.Max(x, d5); }
                if (TRows.Value > 6) { c6 = TSet.Max(x, c6); if (TPanel.Value > 1) d6 = TSet.Max(x, d6); }
                if (TRows.Value > 7) { c7 = TSet.Max(x, c7); if (TPanel.Value > 1) d7 = TSet.Max(x, d7); }
                if (TRows.Value > 8) { c8 = TSet.Max(x, c8); if (TPanel.Value > 1) d8 = TSet.Max(x, d8); }
                if (TRows.Value > 9) { c9 = TSet.Max(x, c9); if (TPanel.Value > 1) d9 = TSet.Max(x, d9); }
                if (TRows.Value > 10) { c10 = TSet.Max(x, c10); if (TPanel.Value > 1) d10 = TSet.Max(x, d10); }
                if (TRows.Value > 11) { c11 = TSet.Max(x, c11); if (TPanel.Value > 1) d11 = TSet.Max(x, d11); }
                if (TRows.Value > 12) { c12 = TSet.Max(x, c12); if (TPanel.Value > 1) d12 = TSet.Max(x, d12); }
                if (TRows.Value > 13) { c13 = TSet.Max(x, c13); if (TPanel.Value > 1) d13 = TSet.Max(x, d13); }
            }
            if (epilogue->Residual is not null)
            {
                r0 = epilogue->Residual;
                one = (nint)epilogue->ResidualPitch;
                c0 = TSet.Add(c0, TSet.Load(r0 + 0 * one)); if (TPanel.Value > 1) d0 = TSet.Add(d0, TSet.Load(r0 + 0 * one + TSet.Width));
                if (TRows.Value > 1) { c1 = TSet.Add(c1, TSet.Load(r0 + 1 * one)); if (TPanel.Value > 1) d1 = TSet.Add(d1, TSet.Load(r0 + 1 * one + TSet.Width)); }
                if (TRows.Value > 2) { c2 = TSet.Add(c2, TSet.Load(r0 + 2 * one)); if (TPanel.Value > 1) d2 = TSet.Add(d2, TSet.Load(r0 + 2 * one + TSet.Width)); }
                if (TRows.Value > 3) { c3 = TSet.Add(c3, TSet.Load(r0 + 3 * one)); if (TPanel.Value > 1) d3 = TSet.Add(d3, TSet.Load(r0 + 3 * one + TSet.Width)); }
                if (TRows.Value > 4) { c4 = TSet.Add(c4, TSet.Load(r0 + 4 * one)); if (TPanel.Value > 1) d4 = TSet.Add(d4, TSet.Load(r0 + 4 * one + TSet.Width)); }
                if (TRows.Value > 5) { c5 = TSet.Add(c5, TSet.Load(r0 + 5 * one)); if (TPanel.Value > 1) d5 = TSet.Add(d5, TSet.Load(r0 + 5 * one + TSet.Width)); }
                if (TRows.Value > 6) { c6 = TSet.Add(c6, TSet.Load(r0 + 6 * one)); if (TPanel.Value > 1) d6 = TSet.Add(d6, TSet.Load(r0 + 6 * one + TSet.Width)); }
                if (TRows.Value > 7) { c7 = TSet.Add(c7, TSet.Load(r0 + 7 * one)); if (TPanel.Value > 1) d7 = TSet.Add(d7, TSet.Load(r0 + 7 * one + TSet.Width)); }
                if (TRows.Value > 8) { c8 = TSet.Add(c8, TSet.Load(r0 + 8 * one)); if (TPanel.Value > 1) d8 = TSet.Add(d8, TSet.Load(r0 + 8 * one + TSet.Width)); }
                if (TRows.Value > 9) { c9 = TSet.Add(c9, TSet.Load(r0 + 9 * one)); if (TPanel.Value > 1) d9 = TSet.Add(d9, TSet.Load(r0 + 9 * one + TSet.Width)); }
                if (TRows.Value > 10) { c10 = TSet.Add(c10, TSet.Load(r0 + 10 * one)); if (TPanel.Value > 1) d10 = TSet.Add(d10, TSet.Load(r0 + 10 * one + TSet.Width)); }
                if (TRows.Value > 11) { c11 = TSet.Add(c11, TSet.Load(r0 + 11 * one)); if (TPanel.Value > 1) d11 = TSet.Add(d11, TSet.Load(r0 + 11 * one + TSet.Width)); }
                if (TRows.Value > 12) { c12 = TSet.Add(c12, TSet.Load(r0 + 12 * one)); if (TPanel.Value > 1) d12 = TSet.Add(d12, TSet.Load(r0 + 12 * one + TSet.Width)); }
                if (TRows.Value > 13) { c13 = TSet.Add(c13, TSet.Load(r0 + 13 * one)); if (TPanel.Value > 1) d13 = TSet.Add(d13, TSet.Load(r0 + 13 * one + TSet.Width)); }
            }
        }

        TSet.Store(c0, c + 0 * cStride); if (TPanel.Value > 1) TSet.Store(d0, c + 0 * cStride + TSet.Width);
        if (TRows.Value > 1) { TSet.Store(c1, c + 1 * cStride); if (TPanel.Value > 1) TSet.Store(d1, c + 1 * cStride + TSet.Width); }
        if (TRows.Value > 2) { TSet.Store(c2, c + 2 * cStride); if (TPanel.Value > 1) TSet.Store(d2, c + 2 * cStride + TSet.Width); }
        if (TRows.Value > 3) { TSet.Store(c3, c + 3 * cStride); if (TPanel.Value > 1) TSet.Store(d3, c + 3 * cStride + TSet.Width); }
        if (TRows.Value > 4) { TSet.Store(c4, c + 4 * cStride); if (TPanel.Value > 1) TSet.Store(d4, c + 4 * cStride + TSet.Width); }
        if (TRows.Value > 5) { TSet.Store(c5, c + 5 * cStride); if (TPanel.Value > 1) TSet.Store(d5, c + 5 * cStride + TSet.Width); }
        if (TRows.Value > 6) { TSet.Store(c6, c + 6 * cStride); if (TPanel.Value > 1) TSet.Store(d6, c + 6 * cStride + TSet.Width); }
        if (TRows.Value > 7) { TSet.Store(c7, c + 7 * cStride); if (TPanel.Value > 1) TSet.Store(d7, c + 7 * cStride + TSet.Width); }
        if (TRows.Value > 8) { TSet.Store(c8, c + 8 * cStride); if (TPanel.Value > 1) TSet.Store(d8, c + 8 * cStride + TSet.Width); }
        if (TRows.Value > 9) { TSet.Store(c9, c + 9 * cStride); if (TPanel.Value > 1) TSet.Store(d9, c + 9 * cStride + TSet.Width); }
        if (TRows.Value > 10) { TSet.Store(c10, c + 10 * cStride); if (TPanel.Value > 1) TSet.Store(d10, c + 10 * cStride + TSet.Width); }
        if (TRows.Value > 11) { TSet.Store(c11, c + 11 * cStride); if (TPanel.Value > 1) TSet.Store(d11, c + 11 * cStride + TSet.Width); }
        if (TRows.Value > 12) { TSet.Store(c12, c + 12 * cStride); if (TPanel.Value > 1) TSet.Store(d12, c + 12 * cStride + TSet.Width); }
        if (TRows.Value > 13) { TSet.Store(c13, c + 13 * cStride); if (TPanel.Value > 1) TSet.Store(d13, c + 13 * cStride + TSet.Width); }
    }
}

/// <summary>The microkernels by number of rows; index 0 is unused.</summary>
static unsafe class MicroKernels<TSet, TVector>
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    /// <summary>Columns of a packed panel.</summary>
    public static int PanelWidth => 2 * TSet.Width;

    public static readonly delegate*<nint, float*, nint, nint, float*, float*, nint, Epilogue*, void>[] Full = Table<Const2>();
    public static readonly delegate*<nint, float*, nint, nint, float*, float*, nint, Epilogue*, void>[] Half = Table<Const1>();

    static delegate*<nint, float*, nint, nint, float*, float*, nint, Epilogue*, void>[] Table<TPanel>() where TPanel : struct, IConstant =>
    [
        null,
        &MicroKernel<TSet, TVector, Const1, TPanel>.Run,
        &MicroKernel<TSet, TVector, Const2, TPanel>.Run,
        &MicroKernel<TSet, TVector, Const3, TPanel>.Run,
        &MicroKernel<TSet, TVector, Const4, TPanel>.Run,
        &MicroKernel<TSet, TVector, Const5, TPanel>.Run,
        &MicroKernel<TSet, TVector, Const6, TPanel>.Run,
        &MicroKernel<TSet, TVector, Const7, TPanel>.Run,
        &MicroKernel<TSet, TVector, Const8, TPanel>.Run,
        &MicroKernel<TSet, TVector, Const9, TPanel>.Run,
        &MicroKernel<TSet, TVector, Const10, TPanel>.Run,
        &MicroKernel<TSet, TVector, Const11, TPanel>.Run,
        &MicroKernel<TSet, TVector, Const12, TPanel>.Run,
        &MicroKernel<TSet, TVector, Const13, TPanel>.Run,
        &MicroKernel<TSet, TVector, Const14, TPanel>.Run,
    ];
}
