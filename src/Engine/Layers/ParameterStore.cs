using System.Runtime.InteropServices;
using ClipSegNative.Backends;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Layers;

/// <summary>
/// The weights on one device, loaded when a layer first asks for them and shared by every plan that asks again.
/// Matrices are packed straight from the mapped file; there is no second copy of the model in memory. The source belongs to the caller, who may close it
/// once every plan has been made: plans made later find what they ask for.
/// </summary>
/// <remarks>
/// What trains is loaded at once and lies in <see cref="Trained"/>; everything derived from it here is computed again by its Refresh. Its products are in
/// the device's precision, convolutions and the way back too: a device that keeps weights in less than float32 does not train.
/// </remarks>
sealed class ParameterStore : IDisposable
{
    readonly IBackend _backend;
    readonly IWeightSource _source;
    readonly Dictionary<string, Tensor> _tensors = [];
    readonly Dictionary<string, PackedMatrix> _matrices = [];
    readonly List<DeviceMemory> _memory = [];
    readonly PackedWeights? _packed;
    readonly Dictionary<string, ElementsInPlace> _stored = [];
    bool _incomplete;
    Tensor _staging;

    /// <param name="backend">Where the weights go.</param>
    /// <param name="source">Where they come from.</param>
    /// <param name="trained">Name and stored shape of those that train; null for none.</param>
    /// <param name="packed">Where frozen weights may lie packed already; belongs to this store from now on. Null for nowhere.</param>
    public ParameterStore(IBackend backend, IWeightSource source, IReadOnlyList<(string Name, Shape Shape)>? trained = null, PackedWeights? packed = null)
    {
        _backend = backend;
        _source = source;
        _packed = packed;
        if (trained is null) return;
        Trained = new TrainedParameters(backend, trained);
        try { Trained.Restore(ParameterBlock.Weights, source); }
        catch
        {
            Trained.Dispose();
            throw;
        }
    }

    /// <summary>Null where every parameter is frozen.</summary>
    public TrainedParameters? Trained { get; }

    /// <summary>Bytes of weights on the device.</summary>
    public long Bytes => _memory.Sum(block => block.Bytes) + _matrices.Values.Sum(matrix => matrix.Bytes) + (Trained?.Bytes ?? 0);

    /// <summary>A tensor as the file stores it, under the given extents.</summary>
    public Tensor Tensor(string name, params ReadOnlySpan<int> extents)
    {
        if (_tensors.TryGetValue(name, out Tensor known)) return known.Reshape(extents);
        if (IsTrained(name)) return Trained!.View(ParameterBlock.Weights, name).Reshape(extents);
        var shape = new Shape(extents);
        Tensor tensor = BorrowTensor(name, shape);
        if (tensor.IsAbsent)
        {
            tensor = Allocate(shape);
            _backend.Upload(Find(name, shape.Elements).Singles(), tensor);
        }
        return _tensors[name] = tensor;
    }

    /// <summary>Where a parameter's gradient is added up; absent where it is frozen.</summary>
    public Tensor Gradient(string name, params ReadOnlySpan<int> extents) =>
        IsTrained(name) ? Trained!.View(ParameterBlock.Gradients, name).Reshape(extents) : default;

    /// <summary>A tensor computed from the named ones, on the device.</summary>
    public Tensor Derived(string key, Shape shape, Action<IBackend, Tensor> compute, params ReadOnlySpan<string> names)
    {
        if (_tensors.TryGetValue(key, out Tensor known)) return known;
        Tensor tensor = _tensors[key] = Allocate(shape);
        Compute(backend => compute(backend, tensor), names);
        return tensor;
    }

    /// <summary>One vector [1, length · names] of several: the biases of layers that are a single product.</summary>
    public Tensor Joined(int length, string[] names) => names.Length == 1 ? Tensor(names[0], 1, length) :
        Derived(string.Join('+', names), new Shape(1, length * names.Length), (backend, joined) =>
        {
            for (int i = 0; i < names.Length; i++) backend.Copy(Tensor(names[i], 1, length), joined.ColumnRange(i * length, length));
        }, names);

    /// <summary>A vector so many times, [1, length · times].</summary>
    public Tensor Repeated(string name, int length, int times)
    {
        Tensor once = Tensor(name, 1, length);
        return Derived($"{name} x {times}", new Shape(1, length * times), (backend, repeated) =>
        {
            for (int i = 0; i < times; i++) backend.Copy(once, repeated.ColumnRange(i * length, length));
        }, name);
    }

    /// <summary>One matrix from several of [outputs, inputs] each, one below the other: q, k and v become a single product.</summary>
    public PackedMatrix Matrix(int outputs, int inputs, PrecisionFloor floor, params ReadOnlySpan<string> names)
    {
        string key = string.Join('+', names!);
        if (_matrices.TryGetValue(key, out PackedMatrix? known)) return known;
        if (BorrowMatrix(key, outputs * names.Length, inputs, floor) is { } packed) return packed;
        PackedMatrix matrix = _matrices[key] = _backend.AllocateMatrix(outputs * names.Length, inputs, floor);
        _stored[Entry(key, outputs * names.Length, inputs, floor)] = () => matrix.Contents;
        for (int i = 0; i < names.Length; i++)
        {
            int first = i * outputs;
            Use(names[i], outputs, inputs, (backend, weight) => backend.PackMatrix(weight, first, matrix));
        }
        return matrix;
    }

    /// <summary>The transpose of such a matrix: takes a gradient back through it.</summary>
    public PackedMatrix Transposed(int outputs, int inputs, params ReadOnlySpan<string> names)
    {
        string key = $"{string.Join('+', names!)} transposed";
        if (_matrices.TryGetValue(key, out PackedMatrix? known)) return known;
        PackedMatrix matrix = _matrices[key] = _backend.AllocateMatrix(inputs, outputs * names.Length);
        for (int i = 0; i < names.Length; i++)
        {
            int first = i * outputs;
            Use(names[i], outputs, inputs, (backend, weight) => backend.PackTransposed(weight, first, matrix));
        }
        return matrix;
    }

    /// <summary>The kernel that takes a gradient back through a convolution: taps in reverse, inputs and outputs exchanged.</summary>
    public PackedMatrix Flipped(int outputs, int inputs, int kernel, string name)
    {
        string key = $"{name} flipped";
        if (_matrices.TryGetValue(key, out PackedMatrix? known)) return known;
        int taps = kernel * kernel;
        PackedMatrix matrix = _matrices[key] = _backend.AllocateMatrix(inputs, taps * outputs);
        Use(name, outputs, taps * inputs, (backend, weight) =>
        {
            for (int tap = 0; tap < taps; tap++)
                backend.PackTransposed(weight.ColumnRange(tap * inputs, inputs), (taps - 1 - tap) * outputs, matrix);
        });
        return matrix;
    }

    /// <summary>
    /// A four-dimensional weight with its axes reordered, then seen as [outputs, inputs]: how convolutions become products. From then on its name means the
    /// reordered weight, also to <see cref="Transposed"/>, <see cref="Flipped"/> and <see cref="Gradient"/>.
    /// </summary>
    public PackedMatrix PermutedMatrix(string name, Shape stored, Shape order, int outputs, int inputs)
    {
        PrecisionFloor floor = Trained is null ? PrecisionFloor.Float32 : PrecisionFloor.None;
        if (IsTrained(name)) Trained!.Permute(name, order);
        else if (_matrices.TryGetValue(name, out PackedMatrix? known) || (known = BorrowMatrix(name, outputs, inputs, floor)) is not null) return known;
        else
        {
            var shape = new Shape(stored[order[0]], stored[order[1]], stored[order[2]], stored[order[3]]);
            Derived(name, shape, (_, permuted) => Use(Find(name, stored.Elements), (backend, weight) =>
                backend.Permute(weight.Reshape(stored[0], stored[1], stored[2], stored[3]), order, permuted)));
        }
        return Matrix(outputs, inputs, floor, name);
    }

    /// <summary>Writes the file of packed weights where something was not found in it: while the source is still open, and once all plans that are wanted are made.</summary>
    public void StorePacked()
    {
        if (_incomplete) _packed!.Write(_stored.Select(entry => (entry.Key, entry.Value)));
        _incomplete = false;
    }

    public void Dispose()
    {
        Trained?.Dispose();
        foreach (PackedMatrix matrix in _matrices.Values) matrix.Dispose();
        foreach (DeviceMemory block in _memory) block.Dispose();
        _packed?.Dispose();
    }

    bool IsTrained(string name) => Trained?.Contains(name) == true;

    /// <summary>Runs now, and again whenever one of the named parameters has changed.</summary>
    void Compute(Action<IBackend> compute, params ReadOnlySpan<string> names)
    {
        compute(_backend);
        foreach (string name in names)
        {
            if (!IsTrained(name)) continue;
            Trained!.Follow(compute);
            return;
        }
    }

    /// <summary>In the file of packed weights.</summary>
    static string Entry(string key, int outputs, int inputs, PrecisionFloor floor) => $"{key} [{outputs},{inputs}] {floor}";

    /// <returns>Null where no packed one lies in a file.</returns>
    unsafe PackedMatrix? BorrowMatrix(string key, int outputs, int inputs, PrecisionFloor floor)
    {
        if (_packed is null) return null;
        string entry = Entry(key, outputs, inputs, floor);
        if (!_packed.TryFind(entry, out void* start, out long bytes) || _backend.BorrowMatrix(outputs, inputs, floor, start, bytes) is not { } matrix)
        {
            _incomplete = true;
            return null;
        }
        _stored[entry] = () => matrix.Contents;
        return _matrices[key] = matrix;
    }

    /// <returns>Absent where it does not lie in a file as this device has it.</returns>
    unsafe Tensor BorrowTensor(string name, Shape shape)
    {
        if (_packed is null) return default;
        var storage = new Storage(DType.F32, shape.Elements);
        _stored[name] = () => MemoryMarshal.AsBytes(Find(name, storage.Elements).Singles());
        if (!_packed.TryFind(name, out void* start, out long bytes) || bytes != storage.Bytes || _backend.Borrow(start, bytes) is not { } memory)
        {
            _incomplete = true;
            return default;
        }
        _memory.Add(memory);
        storage.Bind(memory, 0);
        return new Tensor(storage, 0, shape, shape.Columns);
    }

    /// <summary>Runs on a weight [rows, columns] what packs it: now, and again whenever it has changed.</summary>
    void Use(string name, int rows, int columns, Action<IBackend, Tensor> pack)
    {
        if (!IsTrained(name) && !_tensors.ContainsKey(name)) Use(Find(name, (long)rows * columns), (backend, weight) => pack(backend, weight.Reshape(rows, columns)));
        else
        {
            Tensor weight = Tensor(name, rows, columns);
            Compute(backend => pack(backend, weight), name);
        }
    }

    /// <summary>Runs something on a stored tensor, all in one row: where it lies if the device can, else in one buffer, as large as the largest so far.</summary>
    unsafe void Use(WeightEntry entry, Action<IBackend, Tensor> once)
    {
        ReadOnlySpan<float> values = entry.Singles();
        var shape = new Shape(1, values.Length);
        fixed (float* start = values)
        {
            var storage = new Storage(DType.F32, values.Length);
            using DeviceMemory? borrowed = _backend.Borrow(start, storage.Bytes);
            if (borrowed is not null) storage.Bind(borrowed, 0);
            else
            {
                if (_staging.IsAbsent || _staging.Storage.Elements < values.Length) _staging = Allocate(shape);
                storage = _staging.Storage;
            }
            var tensor = new Tensor(storage, 0, shape, values.Length);
            if (borrowed is null) _backend.Upload(values, tensor);
            once(_backend, tensor);
        }
    }

    WeightEntry Find(string name, long elements)
    {
        if (!_source.TryFind(name, out WeightEntry entry)) throw new ModelFileException($"{_source.Description}: '{name}' is missing.");
        if (entry.Shape.Elements != elements)
            throw new ModelFileException($"{_source.Description}: '{name}' has shape {entry.Shape}, which is not the {elements} elements that config.json asks for.");
        return entry;
    }

    Tensor Allocate(Shape shape)
    {
        var storage = new Storage(DType.F32, shape.Elements);
        DeviceMemory memory = _backend.Allocate(storage.Bytes);
        _memory.Add(memory);
        storage.Bind(memory, 0);
        return new Tensor(storage, 0, shape, shape.Columns);
    }
}
