using ClipSegNative.Backends;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.Interop;
using ClipSegNative.Tests.Kernels.Ptx.Execution;

namespace ClipSegNative.Tests.Kernels.Emulation;

/// <summary>
/// A CUDA device for <see cref="CudaBackend"/> without one: the PTX interpreter launches, products are added up in double precision. It refuses what
/// a device would: use after free, copies and allocations while recording, launches recorded without having been prepared.
/// </summary>
sealed class EmulatedRuntime(InterpretedDevice device) : ICudaRuntime
{
    readonly HashSet<string> _preparedKernels = [];
    readonly HashSet<ProductKind> _preparedProducts = [];
    List<Action>? _recording;

    public string Description => "cuda, emulated";

    /// <summary>Few, so that loops over elements go round more than once.</summary>
    public int Multiprocessors => 2;

    /// <summary>Bytes of memory, allocated and in all.</summary>
    public long Used { get; private set; }

    public long Memory { get; set; } = long.MaxValue;

    public CudaBlock Allocate(long bytes)
    {
        RefuseWhileRecording("An allocation");
        if (bytes > Memory - Used) throw new DeviceException($"{bytes} bytes are more than there are.");
        Used += bytes;
        return new Block(this, device, bytes);
    }

    public void CopyToDevice(ulong destination, ReadOnlySpan<byte> source)
    {
        RefuseWhileRecording("A copy from the host");
        device.Write(destination, source);
    }

    public void CopyToHost(Span<byte> destination, ulong source)
    {
        RefuseWhileRecording("A copy to the host");
        device.Read(source, destination);
    }

    public void Synchronize() => RefuseWhileRecording("Waiting");

    public void Prepare(string kernel)
    {
        if (!device.Kernels.ContainsKey(kernel)) throw new LaunchException($"No module has a kernel {kernel}.");
        _preparedKernels.Add(kernel);
    }

    public void Prepare(in MatrixProduct product) => _preparedProducts.Add(product.Kind);

    public void Launch(string kernel, CudaExtent grid, CudaExtent block, int sharedBytes, ReadOnlySpan<ulong> arguments)
    {
        ulong[] kept = [.. arguments];
        Run(_preparedKernels.Contains(kernel), kernel, () => device.Launch(kernel, grid, block, sharedBytes, kept));
    }

    public void Multiply(in MatrixProduct product)
    {
        MatrixProduct kept = product;
        Run(_preparedProducts.Contains(product.Kind), product.Kind.ToString(), () => EmulatedProduct.Run(device, kept));
    }

    public IReplay Capture(Action queue)
    {
        RefuseWhileRecording("Another recording");
        List<Action> commands = _recording = [];
        try { queue(); }
        finally { _recording = null; }
        return new Replay(commands);
    }

    public void Dispose() => device.Dispose();

    void Run(bool prepared, string name, Action command)
    {
        if (_recording is null) command();
        else if (prepared) _recording.Add(command);
        else throw new LaunchException($"{name} is recorded without having been prepared.");
    }

    void RefuseWhileRecording(string what)
    {
        if (_recording is not null) throw new LaunchException($"{what} cannot be recorded.");
    }

    sealed class Block(EmulatedRuntime runtime, InterpretedDevice device, long bytes) : CudaBlock(bytes)
    {
        readonly ulong _address = device.Allocate(Math.Max(bytes, 1));
        bool _freed;

        public override ulong Address => _freed ? throw new ObjectDisposedException(nameof(CudaBlock)) : _address;

        public override void Dispose()
        {
            if (_freed) return;
            _freed = true;
            runtime.Used -= Bytes;
            device.Free(_address);
        }
    }

    sealed class Replay(List<Action> commands) : IReplay
    {
        public void Run()
        {
            foreach (Action command in commands) command();
        }

        public void Dispose() => commands.Clear();
    }
}

/// <summary>A product as its definition has it, its operands rounded as asked, summed in double precision.</summary>
static class EmulatedProduct
{
    public static void Run(InterpretedDevice device, in MatrixProduct product)
    {
        int rows = product.Rows, columns = product.Columns, depth = product.Depth;
        float[] left = Read(device, product.Left, product.TransposeLeft ? depth : rows, product.TransposeLeft ? rows : depth);
        float[] right = Read(device, product.Right, product.TransposeRight ? columns : depth, product.TransposeRight ? depth : columns);
        float[] bias = product.Bias == 0 ? new float[columns] : Read(device, new DeviceMatrix(product.Bias, columns), 1, columns);
        float[] result = product.Addend.Address == 0 ? new float[rows * columns] : Read(device, product.Addend, rows, columns);
        Round(left, product.Precision);
        Round(right, product.Precision);
        if (product.TransposeLeft) left = Transpose(left, depth, rows);
        if (!product.TransposeRight) right = Transpose(right, depth, columns);
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> x = left.AsSpan(row * depth, depth);
            for (int column = 0; column < columns; column++)
            {
                ReadOnlySpan<float> w = right.AsSpan(column * depth, depth);
                double sum = (double)bias[column] + result[row * columns + column];
                for (int i = 0; i < x.Length; i++) sum += (double)x[i] * w[i];
                result[row * columns + column] = (float)sum;
            }
            device.Write<float>(product.Result.Address + (ulong)row * (ulong)product.Result.Pitch * sizeof(float), result.AsSpan(row * columns, columns));
        }
    }

    static float[] Read(InterpretedDevice device, DeviceMatrix matrix, int rows, int columns)
    {
        var values = new float[rows * columns];
        for (int row = 0; row < rows; row++)
            device.Read(matrix.Address + (ulong)row * (ulong)matrix.Pitch * sizeof(float), values.AsSpan(row * columns, columns));
        return values;
    }

    static void Round(float[] values, CudaPrecision precision)
    {
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = precision switch
            {
                CudaPrecision.TensorFloat32 => Mantissa(values[i], bits: 10),
                CudaPrecision.BFloat16 => Mantissa(values[i], bits: 7),
                CudaPrecision.Float16 => (float)(Half)values[i],
                _ => values[i],
            };
        }
    }

    /// <summary>To the nearest, ties to even.</summary>
    static float Mantissa(float value, int bits)
    {
        int dropped = 23 - bits;
        uint word = BitConverter.SingleToUInt32Bits(value), half = (1u << (dropped - 1)) - 1 + ((word >> dropped) & 1);
        return BitConverter.UInt32BitsToSingle((word + half) >> dropped << dropped);
    }

    static float[] Transpose(float[] values, int rows, int columns)
    {
        var result = new float[values.Length];
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column];
        return result;
    }
}
