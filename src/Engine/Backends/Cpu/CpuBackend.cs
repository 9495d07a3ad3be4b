using System.Runtime.Intrinsics;
using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Makes the CPU backend for an instruction set.</summary>
static class CpuBackend
{
    /// <param name="set">Null for the best the processor has.</param>
    /// <param name="threads">Null for one a core.</param>
    /// <param name="arithmetic">Belongs to the backend from now on; null for float32.</param>
    /// <exception cref="DeviceException">The processor lacks the instruction set.</exception>
    public static IBackend Create(CpuInstructionSet? set = null, int? threads = null, CpuArithmetic? arithmetic = null)
    {
        CpuInstructionSet chosen = set ?? CpuInstructionSets.Best;
        if (!CpuInstructionSets.IsSupported(chosen))
            throw new DeviceException($"This processor has no {chosen.Name()}; the best it has is {CpuInstructionSets.Best.Name()}.");
        int count = threads ?? Environment.ProcessorCount;
        arithmetic ??= CpuArithmetic.Single;
        return chosen switch
        {
            CpuInstructionSet.Avx512 => new CpuBackend<Set512, Vector512<float>>(chosen, count, arithmetic),
            CpuInstructionSet.Avx2 => new CpuBackend<Set256, Vector256<float>>(chosen, count, arithmetic),
            _ => new CpuBackend<Set128, Vector128<float>>(chosen, count, arithmetic),
        };
    }
}

/// <summary>
/// The operations in managed SIMD. They run when they are called, on the calling thread and the pool; one caller at a time.
/// </summary>
sealed unsafe partial class CpuBackend<TSet, TVector>(CpuInstructionSet set, int threads, CpuArithmetic arithmetic) : IBackend
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    /// <summary>
    /// Rows that start a multiple of this apart fall into at most four groups of first-level cache sets, and a tile touches 14 of them at once:
    /// products into and out of such rows were 7 % slower (multiples of 4096, one group: 8-23 %).
    /// </summary>
    const int ConflictingBytes = 1024;

    /// <summary>Below this many multiply-adds (about 10 µs) sharing out the work costs more than it saves.</summary>
    const long SmallWork = 1 << 20;

    readonly WorkerPool _pool = new(threads);
    CpuMemory? _scratch;
    CancellationToken _cancellation;

    public string Description =>
        $"cpu, {set.Name()}, {_pool.Threads} thread{(_pool.Threads == 1 ? "" : "s")}{(arithmetic.Precision == Precision.Fp32 ? "" : $", {arithmetic.Precision.Name()}")}";

    public DeviceMemory Allocate(long bytes) => new CpuMemory(bytes);

    public DeviceMemory? Borrow(void* start, long bytes) => new CpuMemory(start, bytes);

    public PackedMatrix AllocateMatrix(int outputs, int inputs, PrecisionFloor floor) =>
        new CpuMatrix(outputs, inputs, 2 * TSet.Width, arithmetic.FormatFor(inputs, floor));

    public string PackedLayout => $"cpu{CpuMatrix.LayoutVersion}-{arithmetic.Precision.Name()}-{arithmetic.FormatFor(1)}x{2 * TSet.Width}".ToLowerInvariant();

    public PackedMatrix? BorrowMatrix(int outputs, int inputs, PrecisionFloor floor, void* start, long bytes)
    {
        var matrix = new CpuMatrix(outputs, inputs, 2 * TSet.Width, arithmetic.FormatFor(inputs, floor), start);
        return matrix.Bytes == bytes ? matrix : null;
    }

    public int PitchFor(int columns) => columns * sizeof(float) % ConflictingBytes == 0 ? columns + 16 : columns;

    public void Upload(ReadOnlySpan<float> source, Tensor destination)
    {
        CheckLength(source.Length, destination);
        fixed (float* from = source) CopyRows(new Rows(from, destination.Columns), destination);
    }

    public void Upload(ReadOnlySpan<int> source, Tensor destination)
    {
        CheckLength(source.Length, destination);
        if (destination.Storage.Type != DType.I32 || !destination.IsContiguous) throw new ArgumentException("Integers need a contiguous int32 tensor.");
        source.CopyTo(new Span<int>(Pointer(destination), source.Length));
    }

    public void Download(Tensor source, Span<float> destination)
    {
        CheckLength(destination.Length, source);
        for (int row = 0; row < source.Rows; row++)
            new ReadOnlySpan<float>(View(source)[row], source.Columns).CopyTo(destination[(row * source.Columns)..]);
    }

    public void Synchronize() { }

    public IReplay Capture(Action enqueue) => new Replay(this, enqueue);

    public void Dispose()
    {
        _pool.Dispose();
        arithmetic.Dispose();
        _scratch?.Dispose();
    }

    static float* Pointer(Tensor tensor)
    {
        if (tensor.IsAbsent) return null;
        var memory = (CpuMemory)(tensor.Storage.Memory ?? throw new InvalidOperationException($"{tensor} has no memory yet: its arena has not been planned."));
        ObjectDisposedException.ThrowIf(memory.Pointer is null, memory);
        return (float*)(memory.Pointer + tensor.Storage.ByteOffset) + tensor.Offset;
    }

    static Rows View(Tensor tensor) => new(Pointer(tensor), tensor.Pitch);

    static void CheckLength(int length, Tensor tensor)
    {
        if (length != tensor.Shape.Elements) throw new ArgumentException($"{length} values do not fill {tensor}.");
    }

    /// <summary>Scratch for every worker, and behind that for all together. It grows to the largest operation's need on that one's first run, and stays.</summary>
    float* Scratch(long floatsPerWorker, out long perWorker, long sharedFloats = 0)
    {
        perWorker = (floatsPerWorker + 15) / 16 * 16;
        long bytes = (perWorker * _pool.Threads + sharedFloats) * sizeof(float);
        if (_scratch is null || _scratch.Bytes < bytes)
        {
            _scratch?.Dispose();
            _scratch = new CpuMemory(bytes);
        }
        return (float*)_scratch.Pointer;
    }

    void Run<TWork>(int tasks, long cost, TWork work) where TWork : struct, IParallelWork
    {
        _cancellation.ThrowIfCancellationRequested();
        if (cost >= SmallWork) _pool.Run(tasks, work);
        else
        {
            for (int task = 0; task < tasks; task++) work.Run(task, worker: 0);
        }
    }

    sealed class Replay(CpuBackend<TSet, TVector> backend, Action enqueue) : IReplay
    {
        public void Run() => enqueue();

        public void Run(CancellationToken cancellation)
        {
            backend._cancellation = cancellation;
            try { enqueue(); }
            finally { backend._cancellation = default; }
        }

        public void Dispose() { }
    }
}
