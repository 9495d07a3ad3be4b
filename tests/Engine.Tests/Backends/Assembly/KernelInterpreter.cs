using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Iced.Intel;

namespace ClipSegNative.Tests.Backends.Assembly;

/// <summary>
/// Runs the instructions that the assembled kernels are made of, as the manuals define them (Intel SDM, volume 2; sums in double precision, rounded once
/// a step), so that the kernels are tested on processors that lack them. Memory outside the given blocks is refused.
/// </summary>
sealed unsafe class KernelInterpreter(byte[] code)
{
    const int StackBytes = 1024;

    readonly ulong[] _registers = new ulong[16];
    readonly byte[][] _vectors = [.. Enumerable.Range(0, 32).Select(_ => new byte[64])];
    readonly List<(nint Start, nint Bytes, bool Writable)> _blocks = [];

    /// <summary>Instructions executed so far.</summary>
    public long Executed { get; private set; }

    public void Allow(void* start, nint bytes, bool writable) => _blocks.Add(((nint)start, bytes, writable));

    public ulong this[Register register]
    {
        get => _registers[register - Register.RAX];
        set => _registers[register - Register.RAX] = value;
    }

    public Span<byte> Vector(int index) => _vectors[index];

    /// <summary>Calls the code with arguments on the stack from the seventh (System V) or the fifth (Windows) on.</summary>
    /// <param name="stackArguments">Those on the stack.</param>
    /// <param name="home">Bytes that the caller leaves below them.</param>
    public void Call(ReadOnlySpan<ulong> stackArguments, int home)
    {
        byte* stack = stackalloc byte[StackBytes];
        Allow(stack, StackBytes, writable: true);
        byte* top = stack + StackBytes - 256;
        for (int i = 0; i < stackArguments.Length; i++) *(ulong*)(top + sizeof(ulong) + home + i * sizeof(ulong)) = stackArguments[i];
        const ulong Return = 0x7e57;
        *(ulong*)top = Return;
        this[Register.RSP] = (ulong)top;
        var decoder = Decoder.Create(64, code);
        while (true)
        {
            Instruction instruction = decoder.Decode();
            Executed++;
            if (instruction.Mnemonic == Mnemonic.Ret)
            {
                Assert.Equal(Return, *(ulong*)Address(this[Register.RSP], sizeof(ulong), write: false));
                Assert.Equal((ulong)top, this[Register.RSP]);
                _blocks.RemoveAt(_blocks.Count - 1);
                return;
            }
            if (Execute(instruction)) decoder.IP = instruction.NearBranchTarget;
            // The decoder reads on from where its stream stands, so a jump needs both.
            if (instruction.Mnemonic == Mnemonic.Jne) decoder = Reposition(decoder.IP);
        }
    }

    Decoder Reposition(ulong ip)
    {
        var decoder = Decoder.Create(64, code.AsSpan((int)ip).ToArray());
        decoder.IP = ip;
        return decoder;
    }

    bool _zero;

    /// <returns>Whether it jumps.</returns>
    bool Execute(in Instruction i)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Push:
                this[Register.RSP] -= sizeof(ulong);
                *(ulong*)Address(this[Register.RSP], sizeof(ulong), write: true) = this[i.Op0Register];
                break;
            case Mnemonic.Pop:
                this[i.Op0Register] = *(ulong*)Address(this[Register.RSP], sizeof(ulong), write: false);
                this[Register.RSP] += sizeof(ulong);
                break;
            case Mnemonic.Lea: this[i.Op0Register] = Effective(i); break;
            case Mnemonic.Mov: this[i.Op0Register] = i.Op1Kind == OpKind.Memory ? *(ulong*)Address(Effective(i), sizeof(ulong), write: false) : this[i.Op1Register]; break;
            case Mnemonic.Add: this[i.Op0Register] += Second(i); break;
            case Mnemonic.Sub: this[i.Op0Register] -= Second(i); break;
            case Mnemonic.Dec: _zero = --this[i.Op0Register] == 0; break;
            case Mnemonic.Jne: return !_zero;
            case Mnemonic.Vpxord when i.Op1Register == i.Op2Register: Zmm(i.Op0Register).Clear(); break;
            case Mnemonic.Vmovups: Move(i); break;
            case Mnemonic.Vzeroupper:
                for (int v = 0; v < 16; v++) Vector(v)[16..].Clear();
                break;
            case Mnemonic.Vdpbf16ps: MultiplyPairs(Zmm(i.Op0Register), Zmm(i.Op1Register), Broadcast(i)); break;
            case Mnemonic.Vpdpbusd: MultiplyQuads(Zmm(i.Op0Register), Zmm(i.Op1Register), Broadcast(i)); break;
            default: throw new NotSupportedException($"The interpreter does not know '{i}'.");
        }
        return false;
    }

    static void MultiplyPairs(Span<byte> sums, Span<byte> first, uint second)
    {
        Span<float> sum = MemoryMarshal.Cast<byte, float>(sums);
        for (int lane = 0; lane < sum.Length; lane++)
        {
            uint pair = BinaryPrimitives.ReadUInt32LittleEndian(first[(4 * lane)..]);
            sum[lane] = (float)(sum[lane] + (double)High(pair) * High(second));
            sum[lane] = (float)(sum[lane] + (double)High(pair << 16) * High(second << 16));
        }

        static float High(uint bits) => BitConverter.UInt32BitsToSingle(bits & 0xffff0000);
    }

    static void MultiplyQuads(Span<byte> sums, Span<byte> unsigned, uint signed)
    {
        Span<int> sum = MemoryMarshal.Cast<byte, int>(sums);
        for (int lane = 0; lane < sum.Length; lane++)
            for (int k = 0; k < 4; k++) sum[lane] += unsigned[4 * lane + k] * (sbyte)(signed >> 8 * k);
    }

    void Move(in Instruction i)
    {
        if (i.Op0Kind == OpKind.Memory)
        {
            Span<byte> value = Vector(Number(i.Op1Register))[..Size(i.Op1Register)];
            value.CopyTo(new Span<byte>(Address(Effective(i), value.Length, write: true), value.Length));
            return;
        }
        Span<byte> to = Vector(Number(i.Op0Register));
        int bytes = Size(i.Op0Register);
        to[bytes..].Clear();
        new ReadOnlySpan<byte>(Address(Effective(i), bytes, write: false), bytes).CopyTo(to);
    }

    ulong Second(in Instruction i) => i.Op1Kind == OpKind.Register ? this[i.Op1Register] : (ulong)(long)i.GetImmediate(1);

    uint Broadcast(in Instruction i)
    {
        Assert.True(i.IsBroadcast);
        return *(uint*)Address(Effective(i), sizeof(uint), write: false);
    }

    ulong Effective(in Instruction i) =>
        this[i.MemoryBase] + (i.MemoryIndex == Register.None ? 0 : this[i.MemoryIndex] * (ulong)i.MemoryIndexScale) + i.MemoryDisplacement64;

    Span<byte> Zmm(Register register) => Vector(register - Register.ZMM0);

    static int Number(Register register) => register >= Register.ZMM0 ? register - Register.ZMM0 : register - Register.XMM0;

    static int Size(Register register) => register >= Register.ZMM0 ? 64 : 16;

    byte* Address(ulong address, int bytes, bool write)
    {
        foreach ((nint start, nint length, bool writable) in _blocks)
            if ((nint)address >= start && (nint)address + bytes <= start + length && (writable || !write)) return (byte*)address;
        throw new InvalidOperationException($"The kernel {(write ? "writes" : "reads")} {bytes} bytes at {address:x}, outside its operands.");
    }
}
