using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Backends.Planning;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Conformance;
using ClipSegNative.Tests.Reference;

namespace ClipSegNative.Tests.Backends;

public sealed class ArenaTests
{
    const int Tokens = 5, Channels = 12;

    public static TheoryData<bool> OnCpuOrReference => [true, false];

    [Theory, MemberData(nameof(OnCpuOrReference))]
    public void Capture_ChainOfOperations_ComputesTheSameInLessMemory(bool cpu)
    {
        using IBackend device = Device(cpu);
        using var space = new OpWorkspace(device, nameof(ArenaTests));
        using var arena = new Arena(device);
        var weights = new Weights(space);
        float[] input = Input(seed: 1);

        Tensor x = space.Given(input, 1, Tokens, Channels), y = space.Output(1, Tokens, Channels);
        new Chain(() => device, extents => space.Output(extents), weights).Enqueue(x, y);
        float[] expected = Values(device, y);

        Tensor keptX = arena.Keep(DType.F32, 1, Tokens, Channels), keptY = arena.Keep(DType.F32, 1, Tokens, Channels);
        var chain = new Chain(() => arena.Backend, extents => arena.Reserve(extents), weights);
        Assert.Equal(0, arena.Bytes);
        IReplay replay = arena.Capture(() => chain.Enqueue(keptX, keptY));
        device.Upload(input, keptX);
        for (int run = 0; run < 3; run++)
        {
            replay.Run();
            Assert.Equal(expected, Values(device, keptY));
        }
        Assert.Equal(input, Values(device, keptX));
        Assert.InRange(arena.Bytes, 1, chain.Reserved.Sum(tensor => tensor.Storage.Bytes) - 1);
    }

    [Theory, MemberData(nameof(OnCpuOrReference))]
    public void Capture_KeptTensors_ShareWithNobody(bool cpu)
    {
        using IBackend device = Device(cpu);
        using var space = new OpWorkspace(device, nameof(ArenaTests));
        using var arena = new Arena(device);
        Tensor x = arena.Keep(DType.F32, 1, Tokens, Channels), y = arena.Keep(DType.F32, 1, Tokens, Channels), unused = arena.Keep(DType.I32, 7);
        var chain = new Chain(() => arena.Backend, extents => arena.Reserve(extents), new Weights(space));
        arena.Capture(() => chain.Enqueue(x, y));

        Storage[] kept = [x.Storage, y.Storage, unused.Storage], all = [.. kept, .. chain.Reserved.Select(tensor => tensor.Storage)];
        foreach (Storage one in kept)
            foreach (Storage other in all)
                Assert.True(one == other || one.ByteOffset + one.Bytes <= other.ByteOffset || other.ByteOffset + other.Bytes <= one.ByteOffset);
    }

    [Theory, MemberData(nameof(OnCpuOrReference))]
    public void Replays_OfTwoArenas_DoNotDisturbEachOther(bool cpu)
    {
        using IBackend device = Device(cpu);
        using var space = new OpWorkspace(device, nameof(ArenaTests));
        using Arena first = new(device), second = new(device);
        var weights = new Weights(space);
        (Tensor x1, Tensor y1, IReplay replay1) = Capture(first, weights);
        (Tensor x2, Tensor y2, IReplay replay2) = Capture(second, weights);

        device.Upload(Input(seed: 1), x1);
        device.Upload(Input(seed: 2), x2);
        replay1.Run();
        float[] expected1 = Values(device, y1);
        replay2.Run();
        float[] expected2 = Values(device, y2);
        Assert.NotEqual(expected1, expected2);
        Assert.Equal(expected1, Values(device, y1));
        replay1.Run();
        Assert.Equal(expected2, Values(device, y2));
        replay2.Run();
        Assert.Equal(expected1, Values(device, y1));
        Assert.Equal(expected2, Values(device, y2));
    }

    [Fact]
    public void Capture_ReadOfWhatNothingWrote_Throws()
    {
        using var device = new ReferenceBackend();
        using var arena = new Arena(device);
        Tensor never = arena.Reserve(2, 3), y = arena.Reserve(2, 3);
        var thrown = Assert.Throws<InvalidOperationException>(() => arena.Capture(() => arena.Backend.Copy(never, y)));
        Assert.Equal("Copy (operation 0) reads [2,3], which nothing has written.", thrown.Message);
        Assert.Same(device, arena.Backend);
    }

    [Fact]
    public void Capture_WrongShapes_ThrowsBeforeAnythingRuns()
    {
        using var recorder = new RecordingBackend(new ReferenceBackend(), run: true);
        using var arena = new Arena(recorder);
        Tensor x = arena.Keep(DType.F32, 2, 3), y = arena.Reserve(2, 4);
        Assert.Throws<InvalidOperationException>(() => arena.Capture(() => arena.Backend.Activate(x, Activation.Relu, y)));
        Assert.Empty(recorder.Names);
    }

    [Fact]
    public void Capture_Twice_Throws()
    {
        using var device = new ReferenceBackend();
        using var arena = new Arena(device);
        Tensor x = arena.Keep(DType.F32, 2, 3), y = arena.Keep(DType.F32, 2, 3);
        arena.Capture(() => arena.Backend.Copy(x, y));
        Assert.Throws<InvalidOperationException>(() => arena.Capture(() => arena.Backend.Copy(x, y)));
    }

    [Fact]
    public void Operation_BeforeCapture_SaysThatThereIsNoMemoryYet()
    {
        using IBackend device = CpuBackend.Create(threads: 1);
        using var arena = new Arena(device);
        Tensor x = arena.Keep(DType.F32, 2, 3), y = arena.Keep(DType.F32, 2, 3);
        Assert.Contains("no memory yet", Assert.Throws<InvalidOperationException>(() => device.Copy(x, y)).Message);
    }

    [Fact]
    public void Reserve_Rows_LieAsFarApartAsTheDeviceWants()
    {
        using var device = new ReferenceBackend();
        using var arena = new Arena(device);
        Assert.Equal(15, arena.Reserve(3, 12).Pitch);
        Assert.True(arena.Keep(DType.F32, 3, 12).IsContiguous);
        Assert.True(arena.Reserve(1, 3, 4, 12).IsContiguous);
    }

    static IBackend Device(bool cpu) => cpu ? CpuBackend.Create(threads: 2) : new ReferenceBackend();

    static (Tensor X, Tensor Y, IReplay Replay) Capture(Arena arena, Weights weights)
    {
        Tensor x = arena.Keep(DType.F32, 1, Tokens, Channels), y = arena.Keep(DType.F32, 1, Tokens, Channels);
        var chain = new Chain(() => arena.Backend, extents => arena.Reserve(extents), weights);
        return (x, y, arena.Capture(() => chain.Enqueue(x, y)));
    }

    static float[] Input(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Tokens * Channels).Select(_ => random.NextSingle() - 0.5f)];
    }

    static float[] Values(IBackend backend, Tensor tensor)
    {
        var values = new float[tensor.Shape.Elements];
        backend.Download(tensor, values);
        return values;
    }

    sealed class Weights(OpWorkspace space)
    {
        public readonly PackedMatrix Project = space.Weights(3 * Channels, Channels);
        public readonly PackedMatrix Expand = space.Weights(4 * Channels, Channels), Contract = space.Weights(Channels, 4 * Channels);
        public readonly Tensor Gamma = space.Random(Channels), Beta = space.Random(Channels);
    }

    /// <summary>A transformer block whose buffers come from anywhere.</summary>
    sealed class Chain
    {
        readonly Func<IBackend> _backend;
        readonly Weights _weights;
        readonly Tensor _norm, _qkv, _attended, _sum, _norm2, _hidden;

        public Chain(Func<IBackend> backend, Func<int[], Tensor> reserve, Weights weights)
        {
            (_backend, _weights) = (backend, weights);
            _norm = reserve([1, Tokens, Channels]);
            _qkv = reserve([1, Tokens, 3 * Channels]);
            _attended = reserve([1, Tokens, Channels]);
            _sum = reserve([1, Tokens, Channels]);
            _norm2 = reserve([1, Tokens, Channels]);
            _hidden = reserve([1, Tokens, 4 * Channels]);
        }

        public Tensor[] Reserved => [_norm, _qkv, _attended, _sum, _norm2, _hidden];

        public void Enqueue(Tensor x, Tensor y)
        {
            IBackend backend = _backend();
            backend.LayerNorm(x, _weights.Gamma, _weights.Beta, 1e-5f, _norm);
            backend.Linear(_norm, _weights.Project, default, _qkv);
            Tensor q = _qkv.ColumnRange(0, Channels), k = _qkv.ColumnRange(Channels, Channels), v = _qkv.ColumnRange(2 * Channels, Channels);
            backend.Attention(q, k, v, heads: 3, causal: false, _attended);
            backend.Add(_attended, x, _sum);
            backend.LayerNorm(_sum, _weights.Gamma, _weights.Beta, 1e-5f, _norm2);
            backend.LinearActivate(_norm2, _weights.Expand, default, Activation.QuickGelu, _hidden);
            backend.LinearAdd(_hidden, _weights.Contract, default, _sum, y);
        }
    }
}
