using System.Runtime.InteropServices;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.Interop;
using ClipSegNative.Tests.Kernels.Ptx;
using ClipSegNative.Tests.Kernels.Ptx.Execution;
using ClipSegNative.Tests.Kernels.Ptx.Syntax;

namespace ClipSegNative.Tests.Kernels;

/// <summary>
/// A device that interprets PTX and checks what it does. Launches run at once; a fault is thrown by the launch. Not for several threads at a time.
/// </summary>
sealed unsafe class InterpretedDevice : IKernelLauncher, IDisposable
{
    const int DefaultSharedBytes = 48 * 1024;

    /// <summary>Of compute capability 8.6, the least of those that the kernels are for.</summary>
    const int MostSharedBytes = 99 * 1024;
    const int MostThreads = 1024;

    readonly GlobalMemory _memory = new();
    readonly Dictionary<string, Kernel> _kernels = [];
    readonly Dictionary<string, int> _allowed = [];

    /// <param name="modules">No two have a kernel of one name.</param>
    public InterpretedDevice(params IEnumerable<PtxModule> modules)
    {
        foreach (PtxModule module in modules)
        {
            foreach ((string name, Kernel kernel) in module.Kernels)
                if (!_kernels.TryAdd(name, kernel)) throw new LaunchException($"Two modules have a kernel {name}.");
            foreach ((VariableSyntax variable, ulong address) in module.Variables)
            {
                Allocation allocation = _memory.AddVariable(variable.Name, address, variable.Bytes);
                allocation.ReadOnly = variable.Space == Space.Const;
                // What PTX does not initialise is zero.
                (variable.Initial ?? new byte[variable.Bytes]).CopyTo(new Span<byte>(allocation.Data, variable.Bytes));
                new Span<byte>(allocation.Defined, variable.Bytes).Fill(1);
            }
        }
    }

    /// <summary>Instructions that a warp may execute in one block.</summary>
    public long StepLimit { get; set; } = 100_000_000;

    /// <summary>Whether blocks, and warps between two barriers, take turns from the last to the first: a result that depends on it depends on chance.</summary>
    public bool Backwards { get; set; }

    public IReadOnlyDictionary<string, Kernel> Kernels => _kernels;

    /// <summary>What was not freed.</summary>
    public IReadOnlyList<string> LiveAllocations => [.. _memory.Live.Select(allocation => allocation.ToString())];

    /// <summary>A block of memory, aligned to 256 bytes, whose contents are undefined.</summary>
    /// <param name="bytes">Above 0.</param>
    public ulong Allocate(long bytes) => _memory.Allocate(bytes);

    public void Free(ulong address) => _memory.Free(address);

    /// <summary>Kernels may only read this allocation.</summary>
    public void Protect(ulong address) => _memory.At(address).ReadOnly = true;

    public void Write<T>(ulong address, ReadOnlySpan<T> values) where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values);
        (Allocation allocation, long offset) = _memory.Range(address, bytes.Length);
        bytes.CopyTo(new Span<byte>(allocation.Data + offset, bytes.Length));
        new Span<byte>(allocation.Defined + offset, bytes.Length).Fill(1);
    }

    /// <summary>From now on it counts as what nothing wrote.</summary>
    public void Spoil(ulong address, int bytes)
    {
        (Allocation allocation, long offset) = _memory.Range(address, bytes);
        new Span<byte>(allocation.Defined + offset, bytes).Clear();
    }

    /// <summary>Whether nothing has written any of it since.</summary>
    public bool IsSpoilt(ulong address, int bytes)
    {
        (Allocation allocation, long offset) = _memory.Range(address, bytes);
        return new ReadOnlySpan<byte>(allocation.Defined + offset, bytes).IndexOfAnyExcept((byte)0) < 0;
    }

    /// <exception cref="DeviceMemoryException">Nothing wrote some of it, or it is not all in one allocation.</exception>
    public void Read<T>(ulong address, Span<T> values) where T : unmanaged
    {
        Span<byte> bytes = MemoryMarshal.AsBytes(values);
        (Allocation allocation, long offset) = _memory.Range(address, bytes.Length);
        int gap = new ReadOnlySpan<byte>(allocation.Defined + offset, bytes.Length).IndexOf((byte)0);
        if (gap >= 0) throw new DeviceMemoryException($"The host reads byte {offset + gap} of {allocation}, which nothing wrote.");
        new ReadOnlySpan<byte>(allocation.Data + offset, bytes.Length).CopyTo(bytes);
    }

    /// <summary>Lets a kernel be launched with more than 48 KiB of shared memory, its own and the launch's together.</summary>
    /// <param name="kernel">Its entry in the PTX.</param>
    /// <param name="bytes">Dynamic ones; at most 99 KiB with those that the kernel declares.</param>
    public void AllowSharedBytes(string kernel, int bytes)
    {
        int declared = Find(kernel).SharedBytes;
        if (bytes < 0 || declared + bytes > MostSharedBytes)
            throw new LaunchException($"{kernel} cannot have {bytes} bytes of shared memory beside the {declared} it declares: {MostSharedBytes} is the most.");
        _allowed[kernel] = bytes;
    }

    /// <exception cref="LaunchException">A device would refuse it.</exception>
    /// <exception cref="KernelFaultException">The kernel did what it must not.</exception>
    public void Launch(string kernel, CudaExtent grid, CudaExtent block, int sharedBytes, ReadOnlySpan<ulong> arguments)
    {
        Kernel found = Find(kernel);
        LaunchSettings launch = new(found, grid, block, sharedBytes, StepLimit, Backwards);
        Check(launch);
        Launcher.Run(launch, _memory, Bytes(found, arguments));
    }

    public void Dispose() => _memory.Dispose();

    Kernel Find(string name) => _kernels.TryGetValue(name, out Kernel? kernel) ? kernel : throw new LaunchException($"No module has a kernel {name}.");

    void Check(LaunchSettings launch)
    {
        Kernel kernel = launch.Kernel;
        (CudaExtent grid, CudaExtent block) = (launch.Grid, launch.Threads);
        if (grid.X == 0 || grid.Y == 0 || grid.Z == 0 || grid.X > int.MaxValue || grid.Y > ushort.MaxValue || grid.Z > ushort.MaxValue)
            throw new LaunchException($"{kernel.Name} cannot have a grid of {grid}.");
        ulong threads = (ulong)block.X * block.Y * block.Z;
        if (threads == 0 || block.X > MostThreads || block.Y > MostThreads || block.Z > 64 || threads > MostThreads)
            throw new LaunchException($"{kernel.Name} cannot have blocks of {block}.");
        if (kernel.MaxThreads is int most && (threads > (ulong)most || (kernel.ExactThreads && threads != (ulong)most)))
            throw new LaunchException($"{kernel.Name} is compiled for blocks of {(kernel.ExactThreads ? "" : "at most ")}{most} threads, not for {threads}.");
        ArgumentOutOfRangeException.ThrowIfNegative(launch.SharedBytes);
        int allowed = Math.Max(DefaultSharedBytes, kernel.SharedBytes + _allowed.GetValueOrDefault(kernel.Name));
        if (kernel.SharedBytes + launch.SharedBytes > allowed)
            throw new LaunchException($"{kernel.Name} may have {allowed} bytes of shared memory, not {kernel.SharedBytes + launch.SharedBytes}: call AllowSharedBytes first.");
        if ((ulong)grid.X * grid.Y * grid.Z > int.MaxValue) throw new LaunchException($"A grid of {grid} has too many blocks to be interpreted.");
    }

    static byte[] Bytes(Kernel kernel, ReadOnlySpan<ulong> arguments)
    {
        if (arguments.Length != kernel.Parameters.Count)
            throw new LaunchException($"{kernel.Name} has {kernel.Parameters.Count} parameters, not {arguments.Length}.");
        byte[] bytes = new byte[kernel.ParameterBytes];
        for (int i = 0; i < arguments.Length; i++)
        {
            Parameter parameter = kernel.Parameters[i];
            if (parameter.Bytes > sizeof(ulong)) throw new LaunchException($"The parameter {parameter.Name} has {parameter.Bytes} bytes; an argument is one word.");
            // A device ignores the bytes above; here they tell that an argument stands in the wrong place.
            ulong unused = parameter.Bytes == sizeof(ulong) ? 0 : arguments[i] >> 8 * parameter.Bytes;
            ulong sign = parameter.Bytes == sizeof(ulong) ? 0 : ulong.MaxValue >> 8 * parameter.Bytes;
            if (unused != 0 && unused != sign) throw new LaunchException($"The argument 0x{arguments[i]:x} does not fit in the {parameter.Bytes} bytes of {parameter.Name}.");
            MemoryMarshal.AsBytes(arguments.Slice(i, 1))[..parameter.Bytes].CopyTo(bytes.AsSpan(parameter.Offset));
        }
        return bytes;
    }
}
