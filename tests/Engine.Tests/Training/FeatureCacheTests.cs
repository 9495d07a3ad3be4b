using ClipSegNative.Tests.Weights;
using ClipSegNative.Training;

namespace ClipSegNative.Tests.Training;

public sealed class FeatureCacheTests : IDisposable
{
    const int Floats = 4, Bytes = Floats * sizeof(float);

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Get_SameKey_EncodesOnce()
    {
        using var cache = new FeatureCache(Floats, memoryBytes: 2 * Bytes);
        Assert.False(cache.Contains("a"));
        float[] first = Get(cache, "a", 1), second = Get(cache, "a", 2);
        Assert.True(cache.Contains("a"));
        Assert.Equal(first, second);
        Assert.Equal(1, cache.Encoded);
    }

    [Fact]
    public void Get_NoKey_IsNotKept()
    {
        using var cache = new FeatureCache(Floats, memoryBytes: 100 * Bytes);
        Assert.Equal(1, Get(cache, null, 1)[0]);
        Assert.Equal(2, Get(cache, null, 2)[0]);
        Assert.Equal(2, cache.Encoded);
    }

    [Fact]
    public void Get_NoMemory_EncodesEachTime()
    {
        using var cache = new FeatureCache(Floats, memoryBytes: Bytes - 1);
        Assert.Equal(1, Get(cache, "a", 1)[0]);
        Assert.Equal(2, Get(cache, "a", 2)[0]);
    }

    [Fact]
    public void Get_PushedOutOfMemory_ComesFromTheDisk()
    {
        using var cache = new FeatureCache(Floats, memoryBytes: Bytes, new FeatureFile(_folder["features"], "tower", Floats, maxBytes: 1000));
        Get(cache, "a", 1);
        Get(cache, "b", 2);
        Assert.True(cache.Contains("a"));
        Assert.Equal(1, Get(cache, "a", 3)[0]);
        Assert.Equal(2, cache.Encoded);
    }

    static float[] Get(FeatureCache cache, string? key, float value) => cache.Get(key, values => values.AsSpan().Fill(value));
}
