using System.Runtime.InteropServices;

namespace ClipSegNative.Tests.Kernels.Ptx.Execution;

/// <summary>A block of device memory, and which of its bytes were written.</summary>
sealed unsafe class Allocation : IDisposable
{
    public Allocation(ulong address, long bytes, string name)
    {
        Address = address;
        Bytes = bytes;
        Name = name;
        Data = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, GlobalMemory.Alignment);
        Defined = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, GlobalMemory.Alignment);
        new Span<byte>(Defined, checked((int)bytes)).Clear();
    }

    public ulong Address { get; }

    public long Bytes { get; }

    public string Name { get; }

    public byte* Data { get; private set; }

    /// <summary>1 for each byte that was written, 0 for the others.</summary>
    public byte* Defined { get; private set; }

    public bool ReadOnly { get; set; }

    public bool IsFreed => Data == null;

    public override string ToString() => $"{Name} ({Bytes} bytes at 0x{Address:x})";

    public void Dispose()
    {
        NativeMemory.AlignedFree(Data);
        NativeMemory.AlignedFree(Defined);
        Data = Defined = null;
    }
}

/// <summary>Global memory: each allocation has 64 GiB of addresses for itself, which are never given again, so that whatever leaves it is noticed.</summary>
sealed unsafe class GlobalMemory : IDisposable
{
    public const int Alignment = 256;

    /// <summary>Where the variables of modules begin.</summary>
    const int FirstVariableSlot = 1 << 20;

    /// <summary>Address bits of an allocation.</summary>
    const int SlotBits = 36;

    /// <summary>Slot 0 holds the null pointer.</summary>
    readonly List<Allocation?> _allocations = [null];
    readonly Dictionary<ulong, Allocation> _variables = [];

    public IEnumerable<Allocation> Live => _allocations.Where(allocation => allocation is { IsFreed: false })!;

    /// <summary>Of the variable of a number.</summary>
    public static ulong VariableAddress(int number) => AddressOf(FirstVariableSlot + number);

    public ulong Allocate(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        int slot = _allocations.Count;
        if (slot == FirstVariableSlot) throw new DeviceMemoryException("There are too many allocations.");
        _allocations.Add(new Allocation(AddressOf(slot), bytes, $"allocation {slot}"));
        return AddressOf(slot);
    }

    public Allocation AddVariable(string name, ulong address, long bytes)
    {
        Allocation variable = new(address, bytes, name);
        _variables.Add(address >> SlotBits, variable);
        return variable;
    }

    public void Free(ulong address)
    {
        Allocation allocation = At(address);
        if (allocation.IsFreed) throw new DeviceMemoryException($"{allocation} is freed a second time.");
        allocation.Dispose();
    }

    /// <exception cref="DeviceMemoryException">No allocation begins there.</exception>
    public Allocation At(ulong address)
    {
        Allocation? found = Find(address);
        return found is not null && found.Address == address ? found : throw new DeviceMemoryException($"No allocation begins at 0x{address:x}.");
    }

    /// <summary>The allocation that an address would belong to, freed or not, whether or not it lies inside.</summary>
    public Allocation? Find(ulong address)
    {
        ulong slot = address >> SlotBits;
        if (slot < (ulong)_allocations.Count) return _allocations[(int)slot];
        return _variables.GetValueOrDefault(slot);
    }

    /// <summary>What the host may copy to or from.</summary>
    public (Allocation Allocation, long Offset) Range(ulong address, long bytes)
    {
        Allocation? allocation = Find(address);
        if (allocation is null) throw new DeviceMemoryException($"The host uses 0x{address:x}, where nothing was allocated.");
        if (allocation.IsFreed) throw new DeviceMemoryException($"The host uses {allocation} after it was freed.");
        long offset = (long)(address - allocation.Address);
        if (offset + bytes > allocation.Bytes) throw new DeviceMemoryException($"The host uses bytes {offset} to {offset + bytes} of {allocation}.");
        return (allocation, offset);
    }

    public void Dispose()
    {
        foreach (Allocation allocation in Live) allocation.Dispose();
        foreach (Allocation variable in _variables.Values) variable.Dispose();
        _variables.Clear();
    }

    static ulong AddressOf(int slot) => (ulong)slot << SlotBits;
}
