namespace ClipSegNative.Interop;

/// <summary>Three sizes of a grid or a block.</summary>
readonly record struct CudaExtent(uint X, uint Y = 1, uint Z = 1)
{
    public override string ToString() => $"{X} x {Y} x {Z}";
}

/// <summary>A queue of the device's work. Every call returns before it is done, but for <see cref="Synchronize"/>.</summary>
sealed unsafe class CudaStream : CudaHandle
{
    CudaStream(CudaContext context, nint handle) : base(context, handle) { }

    /// <summary>One that does not wait for the default stream.</summary>
    public static CudaStream Create(CudaContext context)
    {
        context.Enter();
        CudaDriver.Check(CudaDriver.StreamCreate(out nint stream, CudaFlags.StreamNonBlocking, priority: 0), $"cuStreamCreateWithPriority(non-blocking, 0)");
        return new CudaStream(context, stream);
    }

    /// <param name="function">What runs.</param>
    /// <param name="grid">Blocks.</param>
    /// <param name="block">Threads of each.</param>
    /// <param name="sharedBytes">Dynamic shared memory of each block.</param>
    /// <param name="arguments">One word a parameter; narrower ones in its low bytes.</param>
    public void Launch(CudaFunction function, CudaExtent grid, CudaExtent block, int sharedBytes, ReadOnlySpan<ulong> arguments)
    {
        Context.Enter();
        void** pointers = stackalloc void*[arguments.Length];
        fixed (ulong* words = arguments)
        {
            for (int i = 0; i < arguments.Length; i++) pointers[i] = words + i;
            CudaDriver.Check(
                CudaDriver.LaunchKernel(function.Handle, grid.X, grid.Y, grid.Z, block.X, block.Y, block.Z, (uint)sharedBytes, this, pointers, null),
                $"cuLaunchKernel({function.Name}, grid {grid}, block {block}, {sharedBytes} bytes shared)");
        }
        GC.KeepAlive(function);
    }

    /// <param name="destination">On the device.</param>
    /// <param name="source">May be changed once the call returns, unless it is pinned: then once the stream has done it.</param>
    public void CopyToDevice(ulong destination, ReadOnlySpan<byte> source)
    {
        Context.Enter();
        fixed (byte* from = source)
        {
            CudaDriver.Check(
                CudaDriver.CopyHostToDevice(destination, from, (nuint)source.Length, this), $"cuMemcpyHtoDAsync_v2(0x{destination:x}, {source.Length} bytes)");
        }
    }

    /// <param name="destination">Holds the bytes once the call returns, unless it is pinned: then once the stream has done it.</param>
    /// <param name="source">On the device.</param>
    public void CopyToHost(Span<byte> destination, ulong source)
    {
        Context.Enter();
        fixed (byte* to = destination)
        {
            CudaDriver.Check(
                CudaDriver.CopyDeviceToHost(to, source, (nuint)destination.Length, this), $"cuMemcpyDtoHAsync_v2(0x{source:x}, {destination.Length} bytes)");
        }
    }

    public void CopyOnDevice(ulong destination, ulong source, long bytes)
    {
        Context.Enter();
        CudaDriver.Check(
            CudaDriver.CopyDeviceToDevice(destination, source, (nuint)bytes, this), $"cuMemcpyDtoDAsync_v2(0x{destination:x}, 0x{source:x}, {bytes} bytes)");
    }

    public void Fill(ulong destination, byte value, long bytes)
    {
        Context.Enter();
        CudaDriver.Check(CudaDriver.FillBytes(destination, value, (nuint)bytes, this), $"cuMemsetD8Async(0x{destination:x}, {value}, {bytes} bytes)");
    }

    /// <param name="destination">A multiple of 4.</param>
    /// <param name="value">As 32 bits.</param>
    /// <param name="count">Of values.</param>
    public void Fill(ulong destination, float value, long count)
    {
        Context.Enter();
        CudaDriver.Check(
            CudaDriver.FillWords(destination, BitConverter.SingleToUInt32Bits(value), (nuint)count, this), $"cuMemsetD32Async(0x{destination:x}, {value}, {count})");
    }

    /// <summary>What is queued from here on waits for an event of another stream.</summary>
    public void Wait(CudaEvent completed)
    {
        Context.Enter();
        CudaDriver.Check(CudaDriver.StreamWaitEvent(this, completed, flags: 0), $"cuStreamWaitEvent()");
    }

    public void Synchronize()
    {
        Context.Enter();
        CudaDriver.Check(CudaDriver.StreamSynchronize(this), $"cuStreamSynchronize()");
    }

    /// <summary>Whether all that was queued is done.</summary>
    public bool IsIdle
    {
        get
        {
            Context.Enter();
            int result = CudaDriver.StreamQuery(this);
            if (result == CudaError.NotReady) return false;
            CudaDriver.Check(result, $"cuStreamQuery()");
            return true;
        }
    }

    /// <summary>Records what is queued while <paramref name="queue"/> runs, instead of doing it.</summary>
    /// <remarks>Relaxed, as libraries and the driver load code when it is first used, and allocate for it: in any other mode that ends the capture.</remarks>
    /// <exception cref="DeviceException">Something that cannot be recorded was called; the stream is usable again.</exception>
    public CudaGraph Capture(Action queue)
    {
        Context.Enter();
        CudaDriver.Check(CudaDriver.StreamBeginCapture(this, CudaCaptureMode.Relaxed), $"cuStreamBeginCapture_v2({CudaCaptureMode.Relaxed})");
        try { queue(); }
        catch
        {
            if (CudaDriver.StreamEndCapture(this, out nint broken) == 0 && broken != 0) _ = CudaDriver.GraphDestroy(broken);
            throw;
        }
        CudaDriver.Check(CudaDriver.StreamEndCapture(this, out nint graph), $"cuStreamEndCapture()");
        return new CudaGraph(Context, graph);
    }

    protected override int Destroy(nint handle) => CudaDriver.StreamDestroy(handle);
}
