namespace ClipSegNative.Training;

/// <summary>
/// What the frozen image tower made of each picture, in memory and, where there is room for more, on the disk: a picture is encoded once, not once a step.
/// One thread gets; others may ask what is there meanwhile.
/// </summary>
sealed class FeatureCache : IDisposable
{
    readonly Lock _gate = new();
    readonly int _floats;
    readonly FeatureFile? _file;
    readonly BoundedCache<string, float[]>? _memory;

    /// <param name="floats">Values a picture.</param>
    /// <param name="memoryBytes">Room in memory; those used last stay.</param>
    /// <param name="file">Null for memory alone; disposed with the cache.</param>
    public FeatureCache(int floats, long memoryBytes, FeatureFile? file = null)
    {
        (_floats, _file) = (floats, file);
        int capacity = (int)Math.Min(int.MaxValue, memoryBytes / (floats * sizeof(float)));
        if (capacity > 0) _memory = new BoundedCache<string, float[]>(capacity);
    }

    /// <summary>How often a picture had to be encoded.</summary>
    public long Encoded { get; private set; }

    /// <summary>Of memory in use.</summary>
    public long Bytes => (long)(_memory?.Count ?? 0) * _floats * sizeof(float);

    public bool Contains(string key)
    {
        lock (_gate) return _memory?.TryGet(key, out _) == true || _file?.Contains(key) == true;
    }

    /// <param name="key">All that the features depend on beside the tower; null for what will hardly be asked for again.</param>
    /// <param name="encode">Fills the values, which are then kept.</param>
    /// <returns>Not to be changed.</returns>
    public float[] Get(string? key, Action<float[]> encode)
    {
        float[]? values = null;
        lock (_gate)
        {
            if (key is not null && _memory?.TryGet(key, out values) == true) return values!;
            values = GC.AllocateUninitializedArray<float>(_floats);
            if (key is not null && _file?.TryRead(key, values) == true) return _memory?.Add(key, values) ?? values;
        }
        encode(values);
        Encoded++;
        if (key is null) return values;
        lock (_gate)
        {
            _file?.Write(key, values);
            return _memory?.Add(key, values) ?? values;
        }
    }

    public void Dispose()
    {
        _memory?.Dispose();
        _file?.Dispose();
    }
}
