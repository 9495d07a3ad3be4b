using ClipSegNative.Backends.Decorators;
using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Planning;

/// <summary>
/// The memory planner. Layer constructors reserve tensors; <see cref="Capture"/> traces the operations once without running them, learns from that
/// between which operations each tensor lives, lays all of them in one block and hands the operations to the backend for replay.
/// </summary>
/// <remarks>
/// Lives are observed, not declared: a training step traced forward and backward keeps what its backward reads, the same layers traced forward only do not.
/// </remarks>
sealed class Arena(IBackend backend) : IDisposable
{
    readonly HashSet<Storage> _storages = [];
    readonly HashSet<Storage> _kept = [];
    readonly HashSet<Storage> _retained = [];
    IBackend? _tracing;
    DeviceMemory? _memory;
    IReplay? _replay;

    /// <summary>What layers enqueue on: the device, or the tracer while the plan is being made.</summary>
    public IBackend Backend => _tracing ?? backend;

    /// <summary>Size of the planned block; 0 before <see cref="Capture"/>.</summary>
    public long Bytes => _memory?.Bytes ?? 0;

    /// <summary>A tensor that lives from its first write to its last use.</summary>
    public Tensor Reserve(params ReadOnlySpan<int> extents) => Reserve(DType.F32, new Shape(extents), keep: false);

    /// <summary>A tensor, rows adjacent, that the caller fills before a replay or reads after it: no other shares its memory.</summary>
    public Tensor Keep(DType type, params ReadOnlySpan<int> extents) => Reserve(type, new Shape(extents), keep: true);

    /// <summary>Said of a reserved tensor while its plan is being traced: what a replay leaves in it stays until the next replay.</summary>
    public void Retain(Tensor tensor) => _retained.Add(tensor.Storage);

    /// <summary>Plans the memory of what <paramref name="enqueue"/> does, and records it. Once per arena.</summary>
    public IReplay Capture(Action enqueue)
    {
        if (_memory is not null) throw new InvalidOperationException("This arena is planned already.");
        var tracer = new LifetimeTracer(backend, _storages, _kept);
        _tracing = new CheckedBackend(tracer, finite: false);
        try { enqueue(); }
        finally { _tracing = null; }

        Storage[] used = [.. _storages.Where(storage => _kept.Contains(storage) || tracer.Lives.ContainsKey(storage))];
        (long[] offsets, long total) = IntervalPacker.Pack([.. used.Select(storage => Life(storage, tracer))]);
        _memory = backend.Allocate(Math.Max(total, IntervalPacker.Alignment));
        for (int i = 0; i < used.Length; i++) used[i].Bind(_memory, offsets[i]);
        return _replay = backend.Capture(enqueue);
    }

    public void Dispose()
    {
        _replay?.Dispose();
        _memory?.Dispose();
    }

    IntervalPacker.Block Life(Storage storage, LifetimeTracer tracer)
    {
        if (_kept.Contains(storage)) return new IntervalPacker.Block(storage.Bytes, 0, tracer.Steps);
        (int born, int lastUse) = tracer.Lives[storage];
        return new IntervalPacker.Block(storage.Bytes, born, _retained.Contains(storage) ? tracer.Steps : lastUse);
    }

    Tensor Reserve(DType type, Shape shape, bool keep)
    {
        int pitch = keep || shape.Rank == 4 ? shape.Columns : backend.PitchFor(shape.Columns);
        var storage = new Storage(type, (long)shape.Rows * pitch);
        _storages.Add(storage);
        if (keep) _kept.Add(storage);
        return new Tensor(storage, 0, shape, pitch);
    }
}
