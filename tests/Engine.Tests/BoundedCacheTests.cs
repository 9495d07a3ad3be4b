namespace ClipSegNative.Tests;

public class BoundedCacheTests
{
    [Fact]
    public void Add_BeyondCapacity_DropsAndDisposesTheLeastRecentlyUsed()
    {
        using var cache = new BoundedCache<string, Item>(2);
        Item first = cache.Add("first", new Item()), second = cache.Add("second", new Item());
        Assert.True(cache.TryGet("first", out _));
        cache.Add("third", new Item());
        Assert.True(second.IsDisposed);
        Assert.False(first.IsDisposed);
        Assert.False(cache.TryGet("second", out _));
        Assert.Equal(2, cache.Count);
    }

    [Fact]
    public void Dispose_DisposesEveryValue()
    {
        var cache = new BoundedCache<int, Item>(3);
        Item[] items = [cache.Add(1, new Item()), cache.Add(2, new Item())];
        cache.Dispose();
        Assert.All(items, item => Assert.True(item.IsDisposed));
        Assert.Equal(0, cache.Count);
    }

    sealed class Item : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }
}
