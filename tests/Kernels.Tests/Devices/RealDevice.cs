using System.Runtime.InteropServices;
using ClipSegNative.Interop;

namespace ClipSegNative.Tests.Kernels;

/// <summary>A graphics card, its modules compiled by the driver.</summary>
sealed class RealDevice : IKernelDevice
{
    readonly CudaContext _context;
    readonly CudaStream _stream;
    readonly List<CudaModule> _modules = [];
    readonly Dictionary<string, CudaFunction> _functions = [];
    readonly Dictionary<ulong, CudaMemory> _memory = [];

    /// <param name="ordinal">From 0.</param>
    /// <param name="modules">Texts of PTX; no two have a kernel of one name.</param>
    public RealDevice(int ordinal, params IEnumerable<byte[]> modules)
    {
        _context = CudaContext.Open(ordinal);
        _stream = CudaStream.Create(_context);
        foreach (byte[] ptx in modules) _modules.Add(CudaModule.Load(_context, ptx));
    }

    public void Launch(string kernel, CudaExtent grid, CudaExtent block, int sharedBytes, ReadOnlySpan<ulong> arguments) =>
        _stream.Launch(Function(kernel), grid, block, sharedBytes, arguments);

    public void AllowSharedBytes(string kernel, int bytes) => Function(kernel).AllowSharedBytes(bytes);

    public ulong Allocate(long bytes)
    {
        CudaMemory memory = CudaMemory.Allocate(_context, bytes);
        _memory.Add(memory.Address, memory);
        return memory.Address;
    }

    public void Free(ulong address)
    {
        _stream.Synchronize();
        if (!_memory.Remove(address, out CudaMemory? memory)) throw new ArgumentException($"Nothing is allocated at 0x{address:x}.", nameof(address));
        memory.Dispose();
    }

    public void Write<T>(ulong address, ReadOnlySpan<T> values) where T : unmanaged => _stream.CopyToDevice(address, MemoryMarshal.AsBytes(values));

    public void Read<T>(ulong address, Span<T> values) where T : unmanaged
    {
        _stream.CopyToHost(MemoryMarshal.AsBytes(values), address);
        _stream.Synchronize();
    }

    public void Protect(ulong address) { }

    public void Dispose()
    {
        _stream.Synchronize();
        foreach (CudaMemory memory in _memory.Values) memory.Dispose();
        foreach (CudaModule module in _modules) module.Dispose();
        _stream.Dispose();
        _context.Dispose();
    }

    CudaFunction Function(string kernel)
    {
        if (_functions.TryGetValue(kernel, out CudaFunction? known)) return known;
        foreach (CudaModule module in _modules)
        {
            try { return _functions[kernel] = module.Function(kernel); }
            catch (DeviceException) when (module != _modules[^1]) { }
        }
        throw new DeviceException($"No module has a kernel {kernel}.");
    }
}
