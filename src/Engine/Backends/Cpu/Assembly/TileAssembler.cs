using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace ClipSegNative.Backends.Cpu.Assembly;

/// <summary>What a tile is computed from.</summary>
enum TileKind
{
    /// <summary>Pairs of bfloat16 to float32 sums: <c>vdpbf16ps</c>, of AVX512_BF16.</summary>
    Bf16,

    /// <summary>Quads of bytes to int32 sums, weights unsigned, activations signed: <c>vpdpbusd</c>, of AVX512_VNNI.</summary>
    Int8,
}

/// <summary>How arguments reach machine code, and which registers it must give back as they were.</summary>
enum CallingConvention
{
    /// <summary>Linux.</summary>
    SystemV,

    Windows,
}

/// <summary>
/// Writes matrix kernels for instructions that .NET has no intrinsics for: c[rows, 16·vectors] = a[rows, depth] · b[depth, 32], every accumulator a register,
/// as in <c>MicroKernel</c>. A step takes 4 bytes of each row of a, broadcast, and 128 of b: two bfloat16 or four bytes for each of 32 columns.
/// </summary>
/// <remarks>
/// void kernel(a, b, c, steps, aPitch, cPitch): steps is 1 or more, pitches are in bytes, b is one panel [steps][32][4 bytes]. Sums are overwritten.
/// </remarks>
static class TileAssembler
{
    /// <summary>Rows of the largest tile: 28 of 32 registers are sums, two hold b.</summary>
    public const int MostRows = 14;

    /// <summary>Vectors of 16 columns across a tile.</summary>
    public const int MostVectors = 2;

    /// <summary>Bytes that a step takes of a row of a, and of each column of b.</summary>
    public const int StepBytes = 4;

    const int VectorBytes = 64, SavedBytes = 16;

    const int FirstSaved = 6, SavedVectors = 10;   // xmm6 to xmm15 belong to the caller on Windows

    static readonly AssemblerRegisterZMM[] Vectors = [.. Enumerable.Range(0, 32).Select(i => new AssemblerRegisterZMM(Register.ZMM0 + i))];

    /// <param name="kind">What is multiplied.</param>
    /// <param name="rows">1 to <see cref="MostRows"/>.</param>
    /// <param name="vectors">1 or 2; with 1, only the first 16 columns of the panel are computed.</param>
    /// <param name="convention">Of the system that calls it.</param>
    /// <returns>Position-independent machine code.</returns>
    public static byte[] Assemble(TileKind kind, int rows, int vectors, CallingConvention convention)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)rows - 1, (uint)MostRows - 1, nameof(rows));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)vectors - 1, (uint)MostVectors - 1, nameof(vectors));
        var code = new Assembler(64);
        Enter(code, convention);
        // Five row pointers and two offsets address 14 rows.
        AssemblerRegister64[] pointers = [rdi, rax, r10, r11, r12];
        int used = (rows + 2) / 3;
        code.lea(rbx, __[r8 + r8]);
        code.lea(r13, __[r8 + rbx]);
        for (int i = 1; i < used; i++) code.lea(pointers[i], __[pointers[i - 1] + r13]);
        for (int i = 0; i < rows * vectors; i++) code.vpxord(Vectors[i], Vectors[i], Vectors[i]);

        AssemblerRegisterZMM[] columns = [zmm28, zmm29];
        Label loop = code.CreateLabel();
        code.Label(ref loop);
        for (int vector = 0; vector < vectors; vector++) code.vmovups(columns[vector], __zmmword_ptr[rsi + vector * VectorBytes]);
        for (int row = 0; row < rows; row++)
        {
            AssemblerRegister64 pointer = pointers[row / 3];
            AssemblerMemoryOperand a = (row % 3) switch { 0 => __dword_bcst[pointer], 1 => __dword_bcst[pointer + r8], _ => __dword_bcst[pointer + rbx] };
            for (int vector = 0; vector < vectors; vector++)
            {
                AssemblerRegisterZMM sum = Vectors[row * vectors + vector];
                if (kind == TileKind.Bf16) code.vdpbf16ps(sum, columns[vector], a);
                else code.vpdpbusd(sum, columns[vector], a);
            }
        }
        for (int i = 0; i < used; i++) code.add(pointers[i], StepBytes);
        code.add(rsi, MostVectors * VectorBytes);
        code.dec(rcx);
        code.jnz(loop);

        for (int row = 0; row < rows; row++)
        {
            for (int vector = 0; vector < vectors; vector++) code.vmovups(__zmmword_ptr[rdx + vector * VectorBytes], Vectors[row * vectors + vector]);
            if (row < rows - 1) code.add(rdx, r9);
        }
        Leave(code, convention);
        using var bytes = new MemoryStream();
        code.Assemble(new StreamCodeWriter(bytes), rip: 0);
        return bytes.ToArray();
    }

    /// <summary>Saves what belongs to the caller; then a is in rdi, b in rsi, c in rdx, steps in rcx, the pitches in r8 and r9, as System V has them.</summary>
    static void Enter(Assembler code, CallingConvention convention)
    {
        code.push(rbx);
        code.push(r12);
        code.push(r13);
        if (convention == CallingConvention.SystemV) return;
        code.push(rdi);
        code.push(rsi);
        code.sub(rsp, SavedVectors * SavedBytes);
        for (int i = 0; i < SavedVectors; i++) code.vmovups(__xmmword_ptr[rsp + i * SavedBytes], new AssemblerRegisterXMM(Register.XMM0 + FirstSaved + i));
        code.mov(rdi, rcx);
        code.mov(rsi, rdx);
        code.mov(rdx, r8);
        code.mov(rcx, r9);
        // Above what was saved lie the return address and the caller's room for four arguments.
        const int Arguments = SavedVectors * SavedBytes + (5 + 1 + 4) * sizeof(long);
        code.mov(r8, __qword_ptr[rsp + Arguments]);
        code.mov(r9, __qword_ptr[rsp + Arguments + sizeof(long)]);
    }

    static void Leave(Assembler code, CallingConvention convention)
    {
        code.vzeroupper();
        if (convention == CallingConvention.Windows)
        {
            for (int i = 0; i < SavedVectors; i++) code.vmovups(new AssemblerRegisterXMM(Register.XMM0 + FirstSaved + i), __xmmword_ptr[rsp + i * SavedBytes]);
            code.add(rsp, SavedVectors * SavedBytes);
            code.pop(rsi);
            code.pop(rdi);
        }
        code.pop(r13);
        code.pop(r12);
        code.pop(rbx);
        code.ret();
    }
}
