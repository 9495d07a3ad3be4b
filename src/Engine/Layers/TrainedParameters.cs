using ClipSegNative.Backends;
using ClipSegNative.Backends.Planning;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Layers;

/// <summary>
/// The parameters that train, in a given order: their values, gradients and moments are four blocks [1, <see cref="Count"/>] of one layout, so that zeroing,
/// the norm, the optimiser and a snapshot are one operation each. Inside a block a parameter lies as its layer's product wants it.
/// </summary>
sealed class TrainedParameters : IDisposable
{
    readonly IBackend _backend;
    readonly Arena _arena;
    readonly Tensor[] _blocks;
    readonly Tensor _staging;
    readonly Dictionary<string, Place> _places = [];
    readonly List<Action<IBackend>> _followers = [];

    public TrainedParameters(IBackend backend, IReadOnlyList<(string Name, Shape Shape)> parameters)
    {
        _backend = backend;
        Parameters = parameters;
        foreach ((string name, Shape shape) in parameters)
        {
            _places.Add(name, new Place(Count, shape));
            Count = checked(Count + (int)shape.Elements);
        }
        _arena = new Arena(backend);
        _blocks = [.. Enum.GetValues<ParameterBlock>().Select(_ => _arena.Keep(DType.F32, 1, Count))];
        _staging = _arena.Keep(DType.F32, 1, (int)parameters.Where(parameter => parameter.Shape.Rank == 4).Select(parameter => parameter.Shape.Elements).DefaultIfEmpty().Max());
        _arena.Capture(() =>
        {
            foreach (Tensor block in _blocks) _arena.Backend.Fill(0, block);
        }).Run();
    }

    /// <summary>Names and shapes as checkpoints store them, in the order of the blocks.</summary>
    public IReadOnlyList<(string Name, Shape Shape)> Parameters { get; }

    /// <summary>Elements of all parameters together.</summary>
    public int Count { get; }

    /// <summary>Bytes of device memory: four blocks and what rearranging takes.</summary>
    public long Bytes => _arena.Bytes;

    public Tensor this[ParameterBlock block] => _blocks[(int)block];

    public bool Contains(string name) => _places.ContainsKey(name);

    /// <summary>One parameter's part of a block, [1, elements] and contiguous.</summary>
    public Tensor View(ParameterBlock block, string name) => View(block, _places[name]);

    /// <summary>From now on the parameter lies with its four axes in this order. Said by its layer, before there are gradients and moments.</summary>
    public void Permute(string name, Shape order)
    {
        Place place = _places[name];
        if (place.IsPermuted) return;
        _places[name] = place with { Order = order };
        Tensor view = View(ParameterBlock.Weights, place), stored = Staging(place);
        _backend.Copy(view, stored);
        Rearrange(stored, place.Shape, order, view);
    }

    /// <summary>Registers what must be computed again whenever the values have changed.</summary>
    public void Follow(Action<IBackend> compute) => _followers.Add(compute);

    /// <summary>Everything derived from the values follows them: packed matrices, joined biases, resampled positions.</summary>
    public void Refresh(IBackend backend)
    {
        foreach (Action<IBackend> follower in _followers) follower(backend);
    }

    /// <summary>Downloads a block [<see cref="Count"/>] as it lies.</summary>
    public void Read(ParameterBlock block, Span<float> values) => _backend.Download(this[block], values);

    /// <summary>Replaces a block by what <see cref="Read"/> gave.</summary>
    public void Write(ParameterBlock block, ReadOnlySpan<float> values)
    {
        _backend.Upload(values, this[block]);
        if (block == ParameterBlock.Weights) Refresh(_backend);
    }

    /// <summary>A block as tensors in the checkpoint's layout, for <see cref="SafetensorsWriter"/>; values are read when they are written.</summary>
    /// <param name="block">Which of the four.</param>
    /// <param name="prefix">Stands before each name: tells moments from weights in one file.</param>
    public IReadOnlyList<WeightToWrite> Tensors(ParameterBlock block, string prefix = "") =>
        [.. Parameters.Select(parameter => new WeightToWrite(prefix + parameter.Name, parameter.Shape, values => Download(block, _places[parameter.Name], values)))];

    /// <summary>Replaces a block by a source's tensors of the same names.</summary>
    /// <exception cref="ModelFileException">A tensor is missing or has another shape.</exception>
    public void Restore(ParameterBlock block, IWeightSource source, string prefix = "")
    {
        foreach ((string name, Shape shape) in Parameters)
        {
            if (!source.TryFind(prefix + name, out WeightEntry entry)) throw new ModelFileException($"{source.Description}: '{prefix}{name}' {shape} is missing.");
            if (entry.Shape.Elements != shape.Elements)
                throw new ModelFileException($"{source.Description}: '{prefix}{name}' has shape {entry.Shape}, expected {shape}: is it of this model?");
            Upload(block, _places[name], entry.Singles());
        }
        if (block == ParameterBlock.Weights) Refresh(_backend);
    }

    public void Dispose() => _arena.Dispose();

    void Download(ParameterBlock block, Place place, Span<float> values)
    {
        Tensor view = View(block, place);
        if (place.IsPermuted) Rearrange(view, place.Permuted, Inverse(place.Order), view = Staging(place));
        _backend.Download(view, values);
    }

    void Upload(ParameterBlock block, Place place, ReadOnlySpan<float> values)
    {
        Tensor view = View(block, place), stored = place.IsPermuted ? Staging(place) : view;
        _backend.Upload(values, stored);
        if (place.IsPermuted) Rearrange(stored, place.Shape, place.Order, view);
    }

    void Rearrange(Tensor x, Shape shape, Shape order, Tensor y) => _backend.Permute(
        x.Reshape(shape[0], shape[1], shape[2], shape[3]), order, y.Reshape(shape[order[0]], shape[order[1]], shape[order[2]], shape[order[3]]));

    static Shape Inverse(Shape order)
    {
        Span<int> inverse = stackalloc int[Shape.MaxRank];
        for (int axis = 0; axis < inverse.Length; axis++) inverse[order[axis]] = axis;
        return new Shape(inverse);
    }

    Tensor View(ParameterBlock block, Place place) => this[block].ColumnRange(place.Offset, (int)place.Shape.Elements);

    Tensor Staging(Place place) => _staging.ColumnRange(0, (int)place.Shape.Elements);

    /// <summary>Where a parameter lies in every block, its shape as stored, and the order of its axes in the block; of rank 0 as stored.</summary>
    readonly record struct Place(int Offset, Shape Shape, Shape Order = default)
    {
        public bool IsPermuted => Order.Rank != 0;

        public Shape Permuted => new(Shape[Order[0]], Shape[Order[1]], Shape[Order[2]], Shape[Order[3]]);
    }
}
