using System.Numerics;
using System.Runtime.InteropServices;

namespace ClipSegNative.Tests.Kernels.Ptx.Execution;

/// <summary>32 lanes with their registers. Each lane has a place of its own in the code; those at the lowest one go on, together, until they meet others.</summary>
sealed unsafe class Warp : IDisposable
{
    public const int Size = 32;

    readonly Block _block;
    readonly byte* _registers;
    readonly uint* _written;
    readonly int[] _places = new int[Size];

    /// <summary>Lanes that wait for others, at a barrier of the block or at an instruction of the warp.</summary>
    uint _waiting;
    int _current;
    long _steps;

    public Warp(Block block, int index, int threads)
    {
        _block = block;
        Index = index;
        First = threads - index * Size >= Size ? uint.MaxValue : (1u << threads - index * Size) - 1;
        _registers = (byte*)NativeMemory.AlignedAlloc((nuint)Kernel.RegisterBytes, 64);
        _written = (uint*)NativeMemory.AllocZeroed((nuint)Kernel.RegisterCount, sizeof(uint));
        foreach ((Register register, ulong bits) in Kernel.Constants) Fill(register, _ => bits);
        Copies = new AsyncCopies(this);
    }

    public int Index { get; }

    /// <summary>How often all its lanes have come to <c>bar.warp.sync</c>.</summary>
    public int Epoch { get; private set; }

    /// <summary>Lanes that have a thread.</summary>
    public uint First { get; }

    /// <summary>Lanes that have not exited.</summary>
    public uint Live { get; private set; }

    public bool IsDone => Live == 0;

    public AsyncCopies Copies { get; }

    public Kernel Kernel => _block.Kernel;

    public int ThreadsOfBlock => _block.ThreadCount;

    public SharedMemory Shared => _block.Shared;

    public GlobalAccess Global => _block.Global;

    public byte* Parameters => _block.Parameters;

    /// <summary>A register's 32 values.</summary>
    public T* Lanes<T>(int offset) where T : unmanaged => (T*)(_registers + offset);

    public ref uint Predicate(int offset) => ref *(uint*)(_registers + offset);

    /// <summary>Which lanes of a register were written.</summary>
    public ref uint Written(int number) => ref _written[number];

    public int Thread(int lane) => Index * Size + lane;

    public FaultSite Site(int lane) => Site(lane, _current);

    public void BeginBlock()
    {
        Live = First;
        _waiting = 0;
        _steps = 0;
        Array.Clear(_places);
        new Span<uint>(_written, Kernel.RegisterCount).Clear();
        foreach ((Register register, ulong _) in Kernel.Constants) _written[register.Number] = uint.MaxValue;
        foreach ((string name, Register register) in Kernel.Specials) Fill(register, lane => _block.Special(name, this, lane));
        Copies.Clear();
    }

    /// <summary>Executes until every lane has exited or waits at a barrier of the block.</summary>
    public void Run()
    {
        while ((Live & ~_waiting) is uint ready and not 0)
        {
            (int place, uint lanes, int meeting) = Lowest(ready);
            RunTogether(place, lanes, meeting);
        }
        foreach (int lane in new LaneSet(Live))
            if (Kernel.Code[_places[lane]].Flow == Flow.Gather) throw Missing(lane);
    }

    /// <summary>Lets the lanes at the barrier go on.</summary>
    public void PassBarrier()
    {
        foreach (int lane in new LaneSet(Live)) _places[lane]++;
        _waiting = 0;
    }

    /// <summary>The instruction at which a lane waits.</summary>
    public int PlaceOf(int lane) => _places[lane];

    public FaultSite WaitingSite(int lane) => Site(lane, _places[lane]);

    public void Synchronize(uint lanes)
    {
        // A part of the warp would need an order for each pair of lanes; without one a race may be seen where there is none, never the reverse.
        if (lanes == Live) Epoch++;
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_registers);
        NativeMemory.Free(_written);
    }

    (int Place, uint Lanes, int Meeting) Lowest(uint ready)
    {
        int lowest = int.MaxValue, next = int.MaxValue;
        uint lanes = 0;
        foreach (int lane in new LaneSet(ready))
        {
            int place = _places[lane];
            if (place < lowest) (next, lowest, lanes) = (lowest, place, 0);
            else if (place > lowest) next = Math.Min(next, place);
            if (place == lowest) lanes |= 1u << lane;
        }
        return (lowest, lanes, next);
    }

    /// <summary>Executes until lanes part, wait, exit or come to the place of others.</summary>
    void RunTogether(int place, uint lanes, int meeting)
    {
        Instruction[] code = Kernel.Code;
        do
        {
            Instruction instruction = code[place];
            _current = place;
            if (++_steps > _block.StepLimit) throw new StepLimitException(Site(FirstOf(lanes)), $"The warp has executed {_block.StepLimit} instructions without an end");
            uint executing = instruction.Guard is null ? lanes : Guarded(instruction, lanes);
            if (executing == 0)
            {
                place++;
                continue;
            }
            foreach (int number in instruction.Reads)
                if ((_written[number] & executing) != executing) throw Unwritten(instruction, number, executing);
            switch (instruction.Flow)
            {
                case Flow.Next:
                    instruction.Execute(this, executing);
                    foreach (int number in instruction.Writes) _written[number] |= executing;
                    place++;
                    break;
                case Flow.Branch when executing == lanes:
                    place = instruction.Target;
                    break;
                case Flow.Branch:
                    SetPlace(executing, instruction.Target);
                    SetPlace(lanes & ~executing, place + 1);
                    return;
                case Flow.Exit:
                    Live &= ~executing;
                    SetPlace(lanes & ~executing, place + 1);
                    return;
                case Flow.Barrier:
                    instruction.Execute(this, executing);
                    Wait(executing, place);
                    SetPlace(lanes & ~executing, place + 1);
                    return;
                case Flow.Gather:
                    if (executing == lanes && Members(instruction, executing) == executing)
                    {
                        Gathered(instruction, executing);
                        place++;
                        break;
                    }
                    Wait(executing, place);
                    SetPlace(lanes & ~executing, place + 1);
                    TryGather(instruction, place, executing);
                    return;
            }
        }
        while (place < meeting);
        SetPlace(lanes, place);
    }

    uint Guarded(Instruction instruction, uint lanes)
    {
        Register guard = instruction.Guard!;
        if ((_written[guard.Number] & lanes) != lanes) throw Unwritten(instruction, guard.Number, lanes);
        uint value = Predicate(guard.Offset);
        return lanes & (instruction.GuardNegated ? ~value : value);
    }

    void Wait(uint lanes, int place)
    {
        SetPlace(lanes, place);
        _waiting |= lanes;
    }

    void SetPlace(uint lanes, int place)
    {
        foreach (int lane in new LaneSet(lanes)) _places[lane] = place;
    }

    /// <summary>The lanes that must come to an instruction of the warp; those that are there agree on them.</summary>
    uint Members(Instruction instruction, uint present)
    {
        if (instruction.Members is not Register register) return uint.MaxValue;
        uint* masks = Lanes<uint>(register.Offset);
        uint members = masks[FirstOf(present)];
        foreach (int lane in new LaneSet(present))
        {
            if (masks[lane] != members) throw new DivergentWarpException(Site(lane), $"Lane {lane} names the lanes 0x{masks[lane]:x8}, lane {FirstOf(present)} 0x{members:x8}");
            if ((members >> lane & 1) == 0) throw new DivergentWarpException(Site(lane), $"Lane {lane} is not among the lanes 0x{members:x8} that it names");
        }
        return members;
    }

    /// <summary>Executes an instruction of the warp if the last of its lanes has come.</summary>
    void TryGather(Instruction instruction, int place, uint arrived)
    {
        uint members = Members(instruction, arrived);
        foreach (int lane in new LaneSet(members))
            if ((Live & _waiting & 1u << lane) == 0 || _places[lane] != place) return;
        Members(instruction, members);
        Gathered(instruction, members);
        _waiting &= ~members;
        SetPlace(members, place + 1);
    }

    void Gathered(Instruction instruction, uint members)
    {
        instruction.Execute(this, members);
        foreach (int number in instruction.Writes) _written[number] |= members;
    }

    DivergentWarpException Missing(int lane)
    {
        _current = _places[lane];
        uint there = 0;
        foreach (int other in new LaneSet(Live))
            if (_places[other] == _current) there |= 1u << other;
        uint members = Members(Kernel.Code[_current], 1u << lane);
        return new DivergentWarpException(Site(lane), $"Lanes 0x{members & ~there:x8} never come to the instruction where lanes 0x{there:x8} wait for them");
    }

    UninitialisedReadException Unwritten(Instruction instruction, int number, uint lanes)
    {
        int lane = FirstOf(lanes & ~_written[number]);
        return new UninitialisedReadException(Site(lane), $"Nothing wrote a register that the instruction reads (its {Array.IndexOf(instruction.Reads, number) + 1}. source)");
    }

    FaultSite Site(int lane, int place)
    {
        Instruction instruction = Kernel.Code[place];
        return new FaultSite(Kernel.Name, _block.Index, _block.ThreadIndex(Thread(lane)), instruction.Line, instruction.Text);
    }

    void Fill(Register register, Func<int, ulong> value)
    {
        for (int lane = 0; lane < Size; lane++)
        {
            switch (register.Type.Bytes())
            {
                case 0: Predicate(register.Offset) = value(0) == 0 ? 0 : uint.MaxValue; break;
                case 2: Lanes<ushort>(register.Offset)[lane] = (ushort)value(lane); break;
                case 4: Lanes<uint>(register.Offset)[lane] = (uint)value(lane); break;
                default: Lanes<ulong>(register.Offset)[lane] = value(lane); break;
            }
        }
        _written[register.Number] = uint.MaxValue;
    }

    static int FirstOf(uint lanes) => BitOperations.TrailingZeroCount(lanes);
}

/// <summary>The lanes of a mask, from the lowest.</summary>
readonly struct LaneSet(uint lanes)
{
    public Enumerator GetEnumerator() => new(lanes);

    public struct Enumerator(uint lanes)
    {
        public int Current { get; private set; }

        public bool MoveNext()
        {
            if (lanes == 0) return false;
            Current = BitOperations.TrailingZeroCount(lanes);
            lanes &= lanes - 1;
            return true;
        }
    }
}
