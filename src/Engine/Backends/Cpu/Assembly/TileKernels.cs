using System.Text;
using ClipSegNative.Interop;
using Iced.Intel;

namespace ClipSegNative.Backends.Cpu.Assembly;

/// <summary>All kernels of one kind, assembled and executable: one for each number of rows and of vectors.</summary>
sealed unsafe class TileKernels : IDisposable
{
    /// <summary>Kernels begin on cache lines; int3 between them stops whatever strays there.</summary>
    const int Alignment = 64;

    const byte Breakpoint = 0xcc;

    readonly ExecutableMemory _memory;
    readonly int[] _offsets;

    TileKernels(ExecutableMemory memory, int[] offsets) => (_memory, _offsets) = (memory, offsets);

    /// <summary>Of this system.</summary>
    public static CallingConvention Convention => OperatingSystem.IsWindows() ? CallingConvention.Windows : CallingConvention.SystemV;

    /// <summary>Null, and why, where the system gives no memory for code.</summary>
    /// <remarks>The caller knows that the processor has the instructions.</remarks>
    public static TileKernels? TryCreate(TileKind kind, IMemoryPages pages, out string problem)
    {
        var code = new List<byte>();
        var offsets = new int[TileAssembler.MostRows * TileAssembler.MostVectors];
        for (int i = 0; i < offsets.Length; i++)
        {
            offsets[i] = code.Count;
            code.AddRange(TileAssembler.Assemble(kind, i / TileAssembler.MostVectors + 1, i % TileAssembler.MostVectors + 1, Convention));
            while (code.Count % Alignment != 0) code.Add(Breakpoint);
        }
        return ExecutableMemory.TryCreate(pages, [.. code], out problem) is { } memory ? new TileKernels(memory, offsets) : null;
    }

    /// <summary>The kernel of so many rows and vectors; its arguments are those of <see cref="TileAssembler"/>. A call takes microseconds at most.</summary>
    public delegate* unmanaged[SuppressGCTransition]<void*, void*, void*, nint, nint, nint, void> this[int rows, int vectors] =>
        (delegate* unmanaged[SuppressGCTransition]<void*, void*, void*, nint, nint, nint, void>)
            (_memory.Start + _offsets[(rows - 1) * TileAssembler.MostVectors + vectors - 1]);

    public void Dispose() => _memory.Dispose();

    /// <summary>A kernel as text: offset and instruction, a line each.</summary>
    public static string Disassemble(TileKind kind, int rows, int vectors, CallingConvention convention)
    {
        byte[] code = TileAssembler.Assemble(kind, rows, vectors, convention);
        var decoder = Iced.Intel.Decoder.Create(64, code);
        var formatter = new NasmFormatter();
        var line = new StringOutput();
        var text = new StringBuilder();
        while (decoder.IP < (ulong)code.Length)
        {
            Instruction instruction = decoder.Decode();
            formatter.Format(instruction, line);
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{instruction.IP,6:x}  {line.ToStringAndReset()}\n");
        }
        return text.ToString();
    }
}
