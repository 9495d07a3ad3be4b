using ClipSegNative.Backends.Cpu;
using ClipSegNative.Backends.Cpu.Assembly;
using ClipSegNative.Interop;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace ClipSegNative.Benchmarks.Peaks;

/// <summary>Chains of the instructions that .NET has no intrinsics for. They use vector registers 16 to 31 only, which no calling convention asks to save.</summary>
sealed unsafe class AssembledChains : IDisposable
{
    public const int Count = 14;

    const int FirstVector = 16;

    /// <summary>Two bfloat16 of 0.1, and four bytes: nothing that a unit might take a short cut for.</summary>
    const uint Bf16Pair = 0x3dcd_3dcd, Bytes = 0x0305_070b;

    readonly ExecutableMemory _memory;

    AssembledChains(ExecutableMemory memory) => _memory = memory;

    /// <summary>Null where the system gives no memory for code.</summary>
    public static AssembledChains? TryCreate(TileKind kind) =>
        ExecutableMemory.TryCreate(new SystemPages(), Assemble(kind, TileKernels.Convention), out _) is { } memory ? new(memory) : null;

    /// <summary>Of one instruction: pairs or quads in each of 16 lanes.</summary>
    public static int MultiplyAdds(TileKind kind) => 16 * (kind == TileKind.Bf16 ? 2 : 4);

    public void Run(nint steps) => ((delegate* unmanaged<nint, void>)_memory.Start)(steps);

    public void Dispose() => _memory.Dispose();

    static byte[] Assemble(TileKind kind, CallingConvention convention)
    {
        var code = new Assembler(64);
        AssemblerRegisterZMM[] sums = [.. Enumerable.Range(FirstVector, Count).Select(i => new AssemblerRegisterZMM(Register.ZMM0 + i))];
        if (convention == CallingConvention.SystemV) code.mov(rcx, rdi);
        code.mov(eax, kind == TileKind.Bf16 ? Bf16Pair : Bytes);
        code.vpbroadcastd(zmm30, eax);
        code.vmovdqu32(zmm31, zmm30);
        foreach (AssemblerRegisterZMM sum in sums) code.vpxord(sum, sum, sum);
        Label loop = code.CreateLabel();
        code.Label(ref loop);
        foreach (AssemblerRegisterZMM sum in sums)
        {
            if (kind == TileKind.Bf16) code.vdpbf16ps(sum, zmm30, zmm31);
            else code.vpdpbusd(sum, zmm30, zmm31);
        }
        code.dec(rcx);
        code.jnz(loop);
        code.ret();
        using var bytes = new MemoryStream();
        code.Assemble(new StreamCodeWriter(bytes), rip: 0);
        return bytes.ToArray();
    }
}

readonly struct AssembledChainsWork(AssembledChains chains, int steps) : IParallelWork
{
    public void Run(int task, int worker) => chains.Run(steps);
}
