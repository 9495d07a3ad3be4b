using ClipSegNative.Backends;
using ClipSegNative.Backends.Cuda;
using ClipSegNative.Layers;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Kernels.Ptx.Execution;
using ClipSegNative.Tests.Layers;
using ClipSegNative.Training;
using ClipSegNative.Weights;

namespace ClipSegNative.Tests.Kernels.Emulation;

/// <summary>Uploads that go beside other work: what is not ordered before or behind them is noticed.</summary>
public sealed class UploadOrderTests : IDisposable
{
    readonly CudaBackend _backend = EmulatedDevice.CreateBackend();
    readonly DeviceMemory _memory;
    readonly Tensor _x, _y;

    public UploadOrderTests()
    {
        _memory = _backend.Allocate(512);
        (_x, _y) = (At(0), At(256));
        _backend.Fill(1, _x);

        Tensor At(long offset)
        {
            var storage = new Storage(DType.F32, 4);
            storage.Bind(_memory, offset);
            return new Tensor(storage, 0, new Shape(1, 4), 4);
        }
    }

    public void Dispose()
    {
        _memory.Dispose();
        _backend.Dispose();
    }

    [Fact]
    public void Read_AfterItsUse_FindsWhatWasUploadedLast()
    {
        _backend.UploadAhead([1, 2, 3, 4], _x);
        _backend.UseUploads(() => _backend.Copy(_x, _y));
        _backend.UploadAhead([9, 9, 9, 9], _x);
        _backend.UploadAhead([5, 6, 7, 8], _x);
        Assert.Equal([1, 2, 3, 4], Values());
        _backend.UseUploads(() => _backend.Copy(_x, _y));
        Assert.Equal([5, 6, 7, 8], Values());
    }

    [Fact]
    public void Read_BeforeItsUse_IsNoticed()
    {
        _backend.UploadAhead([1, 2, 3, 4], _x);
        _backend.Copy(_x, _y);
        Assert.ThrowsAny<KernelFaultException>(() => _backend.UseUploads(() => { }));
    }

    /// <summary>The reader was queued first, but nothing lets the upload wait for it.</summary>
    [Fact]
    public void Read_QueuedBeforeButNotInAUse_IsNoticed()
    {
        _backend.UploadAhead([5, 6, 7, 8], _x);
        _backend.UseUploads(() => { });
        _backend.Copy(_x, _y);
        _backend.UploadAhead([1, 2, 3, 4], _x);
        Assert.ThrowsAny<KernelFaultException>(() => Values());
    }

    [Fact]
    public void Read_Replayed_IsNoticedToo()
    {
        using IReplay replay = _backend.Capture(() => _backend.Copy(_x, _y));
        _backend.UploadAhead([1, 2, 3, 4], _x);
        replay.Run();
        Assert.ThrowsAny<KernelFaultException>(() => Values());
    }

    [Fact]
    public void Write_BesideAnUpload_IsNoticed()
    {
        _backend.UploadAhead([1, 2, 3, 4], _x);
        _backend.Fill(5, _x);
        Assert.Throws<DeviceMemoryException>(() => _backend.UseUploads(() => { }));
    }

    /// <summary>As the trainer does it: places are filled while the micro-batch before is still queued.</summary>
    [Fact]
    public void Accumulate_NextPlacesFilledBeside_GivesTheSameBits()
    {
        Assert.Equal(Gradients(beside: false), Gradients(beside: true));
    }

    static float[] Gradients(bool beside)
    {
        using CudaBackend backend = EmulatedDevice.CreateBackend();
        ClipSegConfig config = LayerTable.TinyTransformer;
        var tokens = new Grid(2, 1);
        using var training = new DecoderTraining(backend, config, new RandomWeightSource(ClipSegTensors.Decoder(config)), batch: 2, tokens, new MaskLosses { Dice = 1 });
        var shape = new Shape(config.ExtractLayers.Count * (1 + tokens.Cells), config.Vision.HiddenSize);
        using var cache = new FeatureCache(backend, shape, memoryBytes: 0);
        float[] features = new float[shape.Elements], condition = new float[config.ProjectionSize], target = new float[training.LogitHeight * training.LogitWidth];
        training.ZeroGradients();
        Place(0);
        for (int batch = 0; batch < 3; batch++)
        {
            training.Accumulate([], []);
            if (!beside) backend.Synchronize();
            if (batch < 2) Place(2 * (batch + 1));
        }
        var gradients = new float[training.ParameterCount];
        training.Read(ParameterBlock.Gradients, gradients);
        return gradients;

        void Place(int first)
        {
            for (int place = 0; place < 2; place++)
            {
                NormalNumbers.Fill(features, NormalNumbers.Stream((ulong)(first + place), "features"), 0, 1);
                NormalNumbers.Fill(condition, NormalNumbers.Stream((ulong)(first + place), "condition"), 0, 1);
                for (int i = 0; i < target.Length; i++) target[i] = (i + first + place) % 3 == 0 ? 1 : 0;
                training.Place(place, cache.Get(key: null, values => backend.Upload(features, values)), condition, target);
            }
        }
    }

    float[] Values()
    {
        var values = new float[4];
        _backend.Download(_y, values);
        return values;
    }
}
