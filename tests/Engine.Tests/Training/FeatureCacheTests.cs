using ClipSegNative.Backends;
using ClipSegNative.Backends.Cpu;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Weights;
using ClipSegNative.Training;

namespace ClipSegNative.Tests.Training;

public sealed class FeatureCacheTests : IDisposable
{
    const int Floats = 4, Bytes = Floats * sizeof(float);

    readonly TemporaryFolder _folder = new();

    readonly IBackend _backend = CpuBackend.Create(threads: 1);

    public void Dispose()
    {
        _backend.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Get_SameKey_EncodesOnce()
    {
        using var cache = new FeatureCache(_backend, new Shape(2, Floats / 2), memoryBytes: 2 * Bytes);
        Assert.False(cache.Contains("a"));
        float[] first = Get(cache, "a", 1), second = Get(cache, "a", 2);
        Assert.True(cache.Contains("a"));
        Assert.Equal(first, second);
        Assert.Equal(1, cache.Encoded);
    }

    [Fact]
    public void Get_NoKey_IsNotKept()
    {
        using var cache = new FeatureCache(_backend, new Shape(2, Floats / 2), memoryBytes: 100 * Bytes);
        Assert.Equal(1, Get(cache, null, 1)[0]);
        Assert.Equal(2, Get(cache, null, 2)[0]);
        Assert.Equal(2, cache.Encoded);
    }

    [Fact]
    public void Get_NoMemory_EncodesEachTime()
    {
        using var cache = new FeatureCache(_backend, new Shape(2, Floats / 2), memoryBytes: Bytes - 1);
        Assert.Equal(1, Get(cache, "a", 1)[0]);
        Assert.Equal(2, Get(cache, "a", 2)[0]);
    }

    [Fact]
    public void Get_PushedOutOfMemory_ComesFromTheDisk()
    {
        using var cache = new FeatureCache(_backend, new Shape(2, Floats / 2), memoryBytes: Bytes, new FeatureFile(_folder["features"], "tower", Floats, maxBytes: 1000));
        Get(cache, "a", 1);
        Get(cache, "b", 2);
        Assert.True(cache.Contains("a"));
        Assert.Equal(1, Get(cache, "a", 3)[0]);
        Assert.Equal(2, cache.Encoded);
    }

    [Fact]
    public void Get_PushedOutOfMemory_IsEncodedAgain()
    {
        using var cache = new FeatureCache(_backend, new Shape(2, Floats / 2), memoryBytes: 2 * Bytes);
        foreach (string key in new[] { "a", "b", "a", "c" }) Get(cache, key, key[0]);
        Assert.Equal(2 * Bytes, cache.Bytes);
        Assert.Equal((true, false, true), (cache.Contains("a"), cache.Contains("b"), cache.Contains("c")));
        Assert.Equal('a', Get(cache, "a", 0)[0]);
        Assert.Equal('c', Get(cache, "c", 0)[0]);
        Assert.Equal(3, cache.Encoded);
    }

    [Fact]
    public void Get_EncodingFails_LosesNoSlot()
    {
        using var cache = new FeatureCache(_backend, new Shape(2, Floats / 2), memoryBytes: Bytes);
        for (int i = 0; i < 3; i++) Assert.Throws<IOException>(() => cache.Get("a", _ => throw new IOException()));
        Assert.False(cache.Contains("a"));
        Get(cache, "a", 1);
        Assert.Equal(1, Get(cache, "a", 2)[0]);
    }

    float[] Get(FeatureCache cache, string? key, float value)
    {
        var values = new float[Floats];
        _backend.Download(cache.Get(key, slot => _backend.Fill(value, slot)), values);
        return values;
    }
}
