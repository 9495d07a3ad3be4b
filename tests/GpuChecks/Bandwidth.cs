using ClipSegNative.Backends;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.Interop;
using ClipSegNative.Tensors;

namespace ClipSegNative.GpuChecks;

/// <summary>Bytes a second of operations that memory bounds, beside those of a plain copy, at a batch of 256 maps of 352 x 352: more than any second-level cache holds.</summary>
sealed class Bandwidth(CudaBackend backend, int ordinal, TextWriter output) : IDisposable
{
    const int Maps = 256, Pixels = 352 * 352, Channels = 64, Rounds = 7, Repetitions = 20;

    readonly List<IDisposable> _owned = [];

    public void Run()
    {
        double ceiling = CopyCeiling();
        output.WriteLine(FormattableString.Invariant($"copy ceiling: {ceiling / 1e9:0} GB/s"));
        Tensor logits = Make(Maps, Pixels), targets = Make(Maps, Pixels), gradient = Make(Maps, Pixels), sums = Make(Maps, MaskLosses.Sums), losses = Make(Maps, 1);
        Tensor x = Make(Maps * Pixels / Channels, Channels), y = Make(Maps * Pixels / Channels, Channels), dx = Make(Maps * Pixels / Channels, Channels);
        Tensor gamma = Make(Channels), beta = Make(Channels), settings = Make(AdamWSettings.Count);
        Tensor map = Make(Maps, 352, 352, 1), small = Make(Maps, 176, 176, 1);
        var both = new MaskLosses { CrossEntropy = 1, Dice = 1 };
        long all = (long)Maps * Pixels * sizeof(float);

        Measure("Copy", 2 * all, () => backend.Copy(x, y));
        Measure("Add", 3 * all, () => backend.Add(x, dx, y));
        Measure("Activate, quick GELU", 2 * all, () => backend.Activate(x, Activation.QuickGelu, y));
        Measure("ActivateBackward, quick GELU", 3 * all, () => backend.ActivateBackward(x, y, Activation.QuickGelu, dx));
        Measure("LayerNorm", 2 * all, () => backend.LayerNorm(x, gamma, beta, 1e-5f, y));
        Measure("LayerNormBackward, frozen", 3 * all, () => backend.LayerNormBackward(x, y, gamma, 1e-5f, dx, default, default));
        Measure("MaskLoss, cross-entropy and Dice", 2 * all, () => backend.MaskLoss(logits, targets, both, sums, losses));
        Measure("MaskLossBackward", 3 * all, () => backend.MaskLossBackward(logits, targets, sums, both, 1, gradient));
        Measure("Resize, bilinear, 176 to 352", all + all / 4, () => backend.Resize(small, ResizeMode.Bilinear, map));
        Measure("SumOfSquares", all, () => backend.SumOfSquares(x, losses.RowRange(0, 1)));
        Measure("AdamW", 7 * all, () => backend.AdamW(x, settings, y, dx, gradient.Reshape(Maps * Pixels / Channels, Channels)));

        void Measure(string name, long bytes, Action operation)
        {
            using IReplay replay = backend.Capture(() =>
            {
                for (int i = 0; i < Repetitions; i++) operation();
            });
            double rate = Median(() => replay.Run(), backend.Synchronize, bytes * Repetitions);
            output.WriteLine(FormattableString.Invariant($"{name}: {rate / 1e9:0} GB/s, {100 * rate / ceiling:0} % of the ceiling"));
        }
    }

    public void Dispose()
    {
        foreach (IDisposable owned in _owned) owned.Dispose();
    }

    double CopyCeiling()
    {
        const long Bytes = (long)Maps * Pixels * sizeof(float);
        using CudaContext context = CudaContext.Open(ordinal);
        using CudaStream stream = CudaStream.Create(context);
        using CudaMemory from = CudaMemory.Allocate(context, Bytes), to = CudaMemory.Allocate(context, Bytes);
        return Median(() =>
        {
            for (int i = 0; i < Repetitions; i++) stream.CopyOnDevice(to.Address, from.Address, Bytes);
        }, stream.Synchronize, 2 * Bytes * Repetitions);
    }

    /// <summary>Bytes a second: the median of some rounds, after one that warms up.</summary>
    static double Median(Action queue, Action wait, long bytes)
    {
        var seconds = new double[Rounds];
        for (int round = -1; round < Rounds; round++)
        {
            wait();
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            queue();
            wait();
            if (round >= 0) seconds[round] = System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        Array.Sort(seconds);
        return bytes / seconds[Rounds / 2];
    }

    /// <summary>Holds a half everywhere.</summary>
    Tensor Make(params ReadOnlySpan<int> extents)
    {
        var shape = new Shape(extents);
        var storage = new Storage(DType.F32, shape.Elements);
        DeviceMemory memory = backend.Allocate(storage.Bytes);
        _owned.Add(memory);
        storage.Bind(memory, 0);
        var tensor = new Tensor(storage, 0, shape, shape.Columns);
        backend.Fill(0.5f, tensor);
        return tensor;
    }
}
