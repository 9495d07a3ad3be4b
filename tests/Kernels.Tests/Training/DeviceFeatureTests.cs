using ClipSegNative.Backends.Cuda;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Kernels.Emulation;
using ClipSegNative.Training;

namespace ClipSegNative.Tests.Kernels.Training;

/// <summary>Features of the frozen tower in a device's memory.</summary>
public sealed class DeviceFeatureTests
{
    static readonly Shape OneMegabyte = new(1024, 256);

    [Fact]
    public void Get_DeviceIsFull_KeepsWhatThereIsRoomFor()
    {
        var runtime = new EmulatedRuntime(EmulatedDevice.Create());
        using var backend = new CudaBackend(runtime);
        using var cache = new FeatureCache(backend, OneMegabyte, memoryBytes: 1L << 40);
        runtime.Memory = runtime.Used + (64 << 20);   // one block, and not a byte more
        for (int i = 0; i < 100; i++) cache.Get($"{i}", values => backend.Fill(i, values));
        Assert.Equal(64 << 20, cache.Bytes);
        Assert.Equal(runtime.Memory, runtime.Used);
        Assert.False(cache.Contains("35"));
        for (int i = 36; i < 100; i++) Assert.Equal(i, First(backend, cache.Get($"{i}", _ => Assert.Fail("It is there."))));
    }

    [Fact]
    public void Get_DeviceIsFullFromTheBegin_KeepsNothing()
    {
        var runtime = new EmulatedRuntime(EmulatedDevice.Create());
        using var backend = new CudaBackend(runtime);
        using var cache = new FeatureCache(backend, OneMegabyte, memoryBytes: 1L << 40);
        runtime.Memory = runtime.Used;
        for (int i = 0; i < 3; i++) Assert.Equal(i, First(backend, cache.Get("a", values => backend.Fill(i, values))));
        Assert.Equal((0, 3), (cache.Bytes, cache.Encoded));
    }

    /// <summary>The second epoch takes features from the device: nothing of their size goes up.</summary>
    [Fact]
    public void Train_FeaturesKept_UploadsThemOnceAndGivesTheSameBits()
    {
        using var run = new EmulatedRun();
        var runtime = new EmulatedRuntime(EmulatedDevice.Create());
        run.Train("kept", steps: 6, runtime: runtime);
        run.Train("encoded", steps: 6, change: settings => settings with { FeatureCache = 0 });
        run.Train("disk", steps: 6, change: settings => settings with { FeatureCache = 0, FeatureCacheDisk = 1 });
        Assert.Equal(run.Bytes("encoded"), run.Bytes("kept"));
        Assert.Equal(run.Bytes("encoded"), run.Bytes("disk"));
        Assert.Equal(3, runtime.Copies(EmulatedRun.PixelBytes));
        Assert.Equal(0, runtime.Copies(EmulatedRun.FeatureBytes));
    }

    static float First(CudaBackend backend, Tensor values)
    {
        var first = new float[1];
        backend.Download(values.RowRange(0, 1).ColumnRange(0, 1), first);
        return first[0];
    }
}
