using ClipSegNative.Backends;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Layers;

/// <summary>
/// The weights on one device, loaded when a layer first asks for them and shared by every plan that asks again.
/// Matrices are packed straight from the mapped file; there is no second copy of the model in memory. The source belongs to the caller, who may close it
/// once every layer has been made: plans made later find what they ask for.
/// </summary>
sealed class ParameterStore(IBackend backend, IWeightSource source) : IDisposable
{
    readonly Dictionary<string, Tensor> _tensors = [];
    readonly Dictionary<string, PackedMatrix> _matrices = [];
    readonly List<DeviceMemory> _memory = [];
    Tensor _staging;

    public IBackend Backend => backend;

    /// <summary>Bytes of weights on the device.</summary>
    public long Bytes => _memory.Sum(block => block.Bytes) + _matrices.Values.Sum(matrix => matrix.Bytes);

    /// <summary>A tensor as the file stores it, under the given extents.</summary>
    public Tensor Tensor(string name, params ReadOnlySpan<int> extents)
    {
        if (_tensors.TryGetValue(name, out Tensor known)) return known.Reshape(extents);
        Tensor tensor = Allocate(new Shape(extents));
        backend.Upload(Find(name, tensor.Shape.Elements).Singles(), tensor);
        return _tensors[name] = tensor;
    }

    /// <summary>A tensor computed once from others, on the device.</summary>
    public Tensor Derived(string key, Shape shape, Action<Tensor> compute)
    {
        if (_tensors.TryGetValue(key, out Tensor known)) return known;
        Tensor tensor = Allocate(shape);
        compute(tensor);
        return _tensors[key] = tensor;
    }

    /// <summary>One matrix from several of [outputs, inputs] each, one below the other: q, k and v become a single product.</summary>
    public PackedMatrix Matrix(int outputs, int inputs, params ReadOnlySpan<string> names)
    {
        string key = string.Join('+', names!);
        if (_matrices.TryGetValue(key, out PackedMatrix? known)) return known;
        PackedMatrix matrix = backend.AllocateMatrix(outputs * names.Length, inputs);
        _matrices[key] = matrix;
        for (int i = 0; i < names.Length; i++)
            backend.PackMatrix(Stage(names[i], outputs, inputs), i * outputs, matrix);
        return matrix;
    }

    /// <summary>A four-dimensional weight with its axes reordered, then seen as [outputs, inputs]: how convolutions become products.</summary>
    public PackedMatrix PermutedMatrix(string name, Shape stored, Shape order, int outputs, int inputs)
    {
        if (_matrices.TryGetValue(name, out PackedMatrix? known)) return known;
        var shape = new Shape(stored[order[0]], stored[order[1]], stored[order[2]], stored[order[3]]);
        Tensor permuted = Derived($"{name} permuted", shape, y =>
            backend.Permute(Stage(name, (int)stored.Elements, 1).Reshape(stored[0], stored[1], stored[2], stored[3]), order, y));
        PackedMatrix matrix = backend.AllocateMatrix(outputs, inputs);
        backend.PackMatrix(permuted.Reshape(outputs, inputs), 0, matrix);
        return _matrices[name] = matrix;
    }

    public void Dispose()
    {
        foreach (PackedMatrix matrix in _matrices.Values) matrix.Dispose();
        foreach (DeviceMemory block in _memory) block.Dispose();
    }

    /// <summary>The next weights on their way into a packed matrix; one buffer, as large as the largest so far.</summary>
    Tensor Stage(string name, int rows, int columns)
    {
        WeightEntry entry = Find(name, (long)rows * columns);
        if (_staging.IsAbsent || _staging.Storage.Elements < entry.Shape.Elements) _staging = Allocate(new Shape(rows, columns));
        var tensor = new Tensor(_staging.Storage, 0, new Shape(rows, columns), columns);
        backend.Upload(entry.Singles(), tensor);
        return tensor;
    }

    WeightEntry Find(string name, long elements)
    {
        if (!source.TryFind(name, out WeightEntry entry)) throw new ModelFileException($"{source.Description}: '{name}' is missing.");
        if (entry.Shape.Elements != elements)
            throw new ModelFileException($"{source.Description}: '{name}' has shape {entry.Shape}, which is not the {elements} elements that config.json asks for.");
        return entry;
    }

    Tensor Allocate(Shape shape)
    {
        var storage = new Storage(DType.F32, shape.Elements);
        DeviceMemory memory = backend.Allocate(storage.Bytes);
        _memory.Add(memory);
        storage.Bind(memory, 0);
        return new Tensor(storage, 0, shape, shape.Columns);
    }
}
