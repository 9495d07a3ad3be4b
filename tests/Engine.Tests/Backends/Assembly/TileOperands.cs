using System.Runtime.InteropServices;
using ClipSegNative.Backends.Cpu.Assembly;

namespace ClipSegNative.Tests.Backends.Assembly;

/// <summary>Random operands of one tile, each ending at a guard page, and what the kernel must make of them, in double precision.</summary>
sealed unsafe class TileOperands : IDisposable
{
    const int Columns = 32, Untouched = 0x5a;

    readonly TileKind _kind;
    readonly int _rows, _vectors, _steps;

    public TileOperands(TileKind kind, int rows, int vectors, int steps)
    {
        (_kind, _rows, _vectors, _steps) = (kind, rows, vectors, steps);
        int width = 16 * vectors;
        // Rows lie apart, and the last one ends with what the kernel reads or writes of it.
        APitch = steps * TileAssembler.StepBytes + 12;
        CPitch = width * sizeof(float) + 20;
        A = new GuardedMemory((rows - 1) * APitch + steps * TileAssembler.StepBytes);
        // With one vector the second half of the last step is not read.
        B = new GuardedMemory(steps * Columns * TileAssembler.StepBytes - (Columns - width) * TileAssembler.StepBytes);
        C = new GuardedMemory((rows - 1) * CPitch + width * sizeof(float));
        var random = new Random(HashCode.Combine((int)kind, rows, vectors, steps));
        foreach (GuardedMemory block in (GuardedMemory[])[A, B])
        {
            var bytes = new Span<byte>(block.Start, (int)block.Bytes);
            random.NextBytes(bytes);
            if (kind == TileKind.Bf16)
                foreach (ref ushort value in MemoryMarshal.Cast<byte, ushort>(bytes)) value = (ushort)(BitConverter.SingleToUInt32Bits(random.NextSingle() - 0.5f) >> 16);
        }
        new Span<byte>(C.Start, (int)C.Bytes).Fill(Untouched);
    }

    public GuardedMemory A { get; }

    public GuardedMemory B { get; }

    public GuardedMemory C { get; }

    public nint APitch { get; }

    public nint CPitch { get; }

    public void Check()
    {
        int width = 16 * _vectors;
        for (int row = 0; row < _rows; row++)
        {
            byte* c = C.Start + row * CPitch;
            for (int column = 0; column < width; column++)
            {
                (double sum, double size) = Expected(row, column);
                double found = _kind == TileKind.Bf16 ? ((float*)c)[column] : ((int*)c)[column];
                double tolerance = _kind == TileKind.Bf16 ? 1e-7 * Math.Sqrt(2 * _steps + 1) * size : 0;
                Assert.True(Math.Abs(found - sum) <= tolerance, $"{_kind} {_rows} x {width}, {_steps} steps: [{row}, {column}] is {found}, not {sum}.");
            }
            for (nint between = width * sizeof(float); row < _rows - 1 && between < CPitch; between++) Assert.Equal(Untouched, c[between]);
        }
    }

    public void Dispose()
    {
        A.Dispose();
        B.Dispose();
        C.Dispose();
    }

    (double Sum, double Size) Expected(int row, int column)
    {
        double sum = 0, size = 0;
        for (int step = 0; step < _steps; step++)
        {
            byte* a = A.Start + row * APitch + step * TileAssembler.StepBytes, b = B.Start + (step * Columns + column) * TileAssembler.StepBytes;
            for (int k = 0; k < (_kind == TileKind.Bf16 ? 2 : 4); k++)
            {
                double product = _kind == TileKind.Bf16 ? Value(((ushort*)a)[k]) * Value(((ushort*)b)[k]) : (sbyte)a[k] * (double)b[k];
                sum += product;
                size += Math.Abs(product);
            }
        }
        return (sum, size);

        static double Value(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);
    }
}
