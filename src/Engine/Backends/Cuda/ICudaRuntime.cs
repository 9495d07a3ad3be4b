namespace ClipSegNative.Backends.Cuda;

/// <summary>What <see cref="CudaBackend"/> asks of a device: one stream of work and the memory it reaches. The tests have one without a device.</summary>
interface ICudaRuntime : IKernelLauncher, IDisposable
{
    /// <summary>For people: the device.</summary>
    string Description { get; }

    int Multiprocessors { get; }

    /// <exception cref="DeviceException">There is not enough.</exception>
    CudaBlock Allocate(long bytes);

    /// <summary>The source may be changed once the call returns.</summary>
    void CopyToDevice(ulong destination, ReadOnlySpan<byte> source);

    /// <summary>As <see cref="CopyToDevice"/>, but beside what has been queued since the last <see cref="UseCopies"/>.</summary>
    void CopyAhead(ulong destination, ReadOnlySpan<byte> source);

    /// <summary>What <paramref name="queue"/> queues comes after all copies ahead so far, and before those that follow.</summary>
    void UseCopies(Action queue);

    /// <summary>Waits for all that was queued.</summary>
    void CopyToHost(Span<byte> destination, ulong source);

    void Synchronize();

    /// <summary>Does what a first launch would need and a capture forbids.</summary>
    void Prepare(string kernel);

    /// <summary>As <see cref="Prepare(string)"/>.</summary>
    void Prepare(in MatrixProduct product);

    void Multiply(in MatrixProduct product);

    /// <summary>As <see cref="Prepare(string)"/>. The library is an optional one, and asks for maps, pixels and filter at multiples of 16 bytes.</summary>
    /// <returns>Bytes of workspace; null where <see cref="Convolve"/> cannot be used.</returns>
    long? Prepare(in MapConvolution convolution);

    /// <param name="convolution">Prepared.</param>
    void Convolve(in MapConvolution convolution);

    /// <summary>Records what <paramref name="queue"/> queues instead of doing it; all of it has been prepared.</summary>
    IReplay Capture(Action queue);
}

/// <summary>Device memory as a tensor's storage has it.</summary>
abstract class CudaBlock(long bytes) : Tensors.DeviceMemory(bytes)
{
    /// <summary>A multiple of 256.</summary>
    /// <exception cref="ObjectDisposedException">It has been freed.</exception>
    public abstract ulong Address { get; }
}
