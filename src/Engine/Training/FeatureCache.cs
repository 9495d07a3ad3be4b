using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Training;

/// <summary>
/// What the frozen image tower made of each picture, in the device's memory and, where there is room for more, on the disk: a picture is encoded once,
/// not once a step, and its features reach the decoder by a copy on the device. One thread gets; others may ask what is there meanwhile.
/// </summary>
sealed class FeatureCache : IDisposable
{
    /// <summary>Slots are allocated so many bytes at a time; a device that has no room for that keeps the rest for others.</summary>
    const long BlockBytes = 64 << 20;

    const long Alignment = 256;

    readonly Lock _gate = new();
    readonly IBackend _backend;
    readonly Shape _shape;
    readonly FeatureFile? _file;
    readonly float[] _onTheWay;
    readonly BoundedCache<string, Tensor> _kept = new(int.MaxValue);
    readonly Stack<Tensor> _free = [];
    readonly List<DeviceMemory> _blocks = [];
    long _room;
    Tensor _next;

    /// <param name="backend">Where the features are; not disposed with the cache.</param>
    /// <param name="shape">[rows, columns] of a picture's features.</param>
    /// <param name="memoryBytes">Room in the device's memory, less where it has less; features used last stay.</param>
    /// <param name="file">Null for memory alone; disposed with the cache.</param>
    /// <exception cref="DeviceException">There is no room even for the picture at hand.</exception>
    public FeatureCache(IBackend backend, Shape shape, long memoryBytes, FeatureFile? file = null)
    {
        (_backend, _shape, _file) = (backend, shape, file);
        _onTheWay = file is null ? [] : new float[shape.Elements];
        _room = memoryBytes / SlotBytes;
        AddBlock(1);
        _next = _free.Pop();
    }

    /// <summary>How often a picture had to be encoded.</summary>
    public long Encoded { get; private set; }

    /// <summary>Of memory in use.</summary>
    public long Bytes => _kept.Count * SlotBytes;

    long SlotBytes => _shape.Elements * sizeof(float);

    public bool Contains(string key)
    {
        lock (_gate) return _kept.TryGet(key, out _) || _file?.Contains(key) == true;
    }

    /// <param name="key">All that the features depend on beside the tower; null for what will hardly be asked for again.</param>
    /// <param name="encode">Fills the values, which are then kept.</param>
    /// <returns>Not to be changed, and valid until the next call.</returns>
    public Tensor Get(string? key, Action<Tensor> encode)
    {
        bool isOnDisk = false;
        lock (_gate)
        {
            if (key is not null && _kept.TryGet(key, out Tensor kept)) return kept;
            if (key is not null && _file is not null) isOnDisk = _file.TryRead(key, _onTheWay);
        }
        Tensor values = _next;
        if (isOnDisk) _backend.Upload(_onTheWay, values);
        else
        {
            encode(values);
            Encoded++;
        }
        if (key is null) return values;
        if (_file is not null && !isOnDisk) _backend.Download(values, _onTheWay);
        lock (_gate)
        {
            if (!isOnDisk) _file?.Write(key, _onTheWay);
            Keep(key);
        }
        return values;
    }

    public void Dispose()
    {
        foreach (DeviceMemory block in _blocks) block.Dispose();
        _file?.Dispose();
    }

    /// <summary>Gives the values at hand a name, and finds the slot for the next picture's.</summary>
    void Keep(string key)
    {
        if (_free.Count == 0 && _room > 0) Grow();
        if (_free.Count == 0 && _kept.Count == 0) return;
        Tensor next = _free.Count > 0 ? _free.Pop() : _kept.RemoveOldest();
        _kept.Add(key, _next);
        _next = next;
    }

    void Grow()
    {
        int count = (int)Math.Min(_room, Math.Max(1, BlockBytes / SlotBytes));
        _room -= count;
        try { AddBlock(count); }
        catch (Exception error) when (error is DeviceException or OutOfMemoryException)
        {
            _room = 0;   // the device is full: what is there must do
        }
    }

    void AddBlock(int slots)
    {
        long slotBytes = (SlotBytes + Alignment - 1) / Alignment * Alignment;
        DeviceMemory block = _backend.Allocate(slots * slotBytes);
        _blocks.Add(block);
        for (int i = slots - 1; i >= 0; i--)
        {
            var storage = new Storage(DType.F32, _shape.Elements);
            storage.Bind(block, i * slotBytes);
            _free.Push(new Tensor(storage, 0, _shape, _shape.Columns));
        }
    }
}
