using System.Diagnostics.CodeAnalysis;

namespace ClipSegNative;

/// <summary>Keeps the values used last; what it drops is disposed. Not thread-safe. A hit allocates nothing.</summary>
sealed class BoundedCache<TKey, TValue>(int capacity) : IDisposable where TKey : notnull
{
    readonly Dictionary<TKey, LinkedListNode<(TKey Key, TValue Value)>> _nodes = [];
    readonly LinkedList<(TKey Key, TValue Value)> _byUse = new();   // used last comes first

    public int Count => _nodes.Count;

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        value = default;
        if (!_nodes.TryGetValue(key, out LinkedListNode<(TKey Key, TValue Value)>? node)) return false;
        _byUse.Remove(node);
        _byUse.AddFirst(node);
        value = node.Value.Value;
        return true;
    }

    /// <summary>Adds a value whose key is not there.</summary>
    public TValue Add(TKey key, TValue value)
    {
        if (_nodes.Count >= capacity) (RemoveOldest() as IDisposable)?.Dispose();
        _nodes.Add(key, _byUse.AddFirst((key, value)));
        return value;
    }

    /// <summary>Takes out the value used longest ago, for the caller to use or dispose.</summary>
    public TValue RemoveOldest()
    {
        (TKey key, TValue value) = _byUse.Last!.Value;
        _byUse.RemoveLast();
        _nodes.Remove(key);
        return value;
    }

    public void Dispose()
    {
        foreach ((_, TValue value) in _byUse) (value as IDisposable)?.Dispose();
        _byUse.Clear();
        _nodes.Clear();
    }
}
