using System.Text;

namespace ClipSegNative.Interop;

/// <summary>Kernels that the driver has compiled from PTX.</summary>
sealed unsafe class CudaModule : CudaHandle
{
    const int LogBytes = 8192;

    CudaModule(CudaContext context, nint handle) : base(context, handle) { }

    /// <param name="context">Where.</param>
    /// <param name="ptx">The text, without a terminating zero.</param>
    /// <exception cref="DeviceException">The driver cannot compile it; the message has the compiler's words.</exception>
    public static CudaModule Load(CudaContext context, ReadOnlySpan<byte> ptx)
    {
        context.Enter();
        byte[] text = [.. ptx, 0];
        byte* log = stackalloc byte[LogBytes];
        log[0] = 0;
        CudaCompileOption* options = stackalloc[] { CudaCompileOption.ErrorLog, CudaCompileOption.ErrorLogBytes };
        void** values = stackalloc void*[] { log, (void*)LogBytes };
        fixed (byte* image = text)
        {
            int result = CudaDriver.ModuleLoadData(out nint module, image, 2, options, values);
            CudaDriver.Check(result, $"cuModuleLoadDataEx({ptx.Length} bytes of PTX, whose compiler says \"{CudaDriver.Utf8(log).Trim()}\")");
            return new CudaModule(context, module);
        }
    }

    /// <exception cref="DeviceException">The module has none of that name.</exception>
    public CudaFunction Function(string name)
    {
        Context.Enter();
        byte[] terminated = [.. Encoding.ASCII.GetBytes(name), 0];
        fixed (byte* text = terminated)
        {
            CudaDriver.Check(CudaDriver.ModuleGetFunction(out nint function, this, text), $"cuModuleGetFunction({name})");
            return new CudaFunction(this, name, function);
        }
    }

    protected override int Destroy(nint handle) => CudaDriver.ModuleUnload(handle);
}

/// <summary>A kernel; it lives as long as its module, which it keeps.</summary>
sealed class CudaFunction(CudaModule module, string name, nint handle)
{
    public CudaModule Module => module;

    public string Name => name;

    /// <summary>For calls that get the module's life in their hands too.</summary>
    public nint Handle => handle;

    public int Registers => Attribute(CudaFunctionAttribute.Registers);

    /// <summary>Bytes a thread spills or indexes at run time; 0 is meant.</summary>
    public int LocalBytes => Attribute(CudaFunctionAttribute.LocalBytes);

    /// <summary>Declared by the kernel, beside what a launch adds.</summary>
    public int SharedBytes => Attribute(CudaFunctionAttribute.SharedBytes);

    public int MaxThreadsPerBlock => Attribute(CudaFunctionAttribute.MaxThreadsPerBlock);

    /// <summary>More than 48 KiB a launch must be allowed first.</summary>
    public void AllowSharedBytes(int bytes)
    {
        module.Context.Enter();
        CudaDriver.Check(
            CudaDriver.FunctionSetAttribute(handle, CudaFunctionAttribute.MaxDynamicSharedBytes, bytes),
            $"cuFuncSetAttribute({name}, {CudaFunctionAttribute.MaxDynamicSharedBytes}, {bytes})");
    }

    /// <summary>How many blocks a multiprocessor holds at once.</summary>
    public int BlocksPerMultiprocessor(int threads, int sharedBytes)
    {
        module.Context.Enter();
        CudaDriver.Check(
            CudaDriver.OccupancyMaxActiveBlocks(out int blocks, handle, threads, (nuint)sharedBytes),
            $"cuOccupancyMaxActiveBlocksPerMultiprocessor({name}, {threads} threads, {sharedBytes} bytes)");
        return blocks;
    }

    int Attribute(CudaFunctionAttribute attribute)
    {
        module.Context.Enter();
        CudaDriver.Check(CudaDriver.FunctionGetAttribute(out int value, attribute, handle), $"cuFuncGetAttribute({attribute}, {name})");
        return value;
    }
}
