using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Conformance;

/// <summary>
/// The tensors of one case on one backend. Every tensor lies between margins: around inputs they are NaN, so that reading over an edge shows in the
/// results; around destinations they hold a canary, so that writing over an edge shows in <see cref="CheckSurroundings"/>.
/// </summary>
sealed class OpWorkspace(IBackend backend, string name) : IDisposable
{
    const int Margin = 64;
    const float Canary = -777.25f;

    readonly Random _random = new(Seed(name));
    readonly List<Placed> _placed = [];
    readonly List<IDisposable> _owned = [];

    /// <summary>Independent values of mean 0 and variance 1.</summary>
    public Tensor Random(params ReadOnlySpan<int> extents) => Spread(scale: 1, mean: 0, extents);

    public Tensor Spread(double scale, double mean, params ReadOnlySpan<int> extents) => SpreadInside(0, 0, scale, mean, extents);

    /// <summary>A column range of a wider matrix, with so many columns on its left and right.</summary>
    public Tensor RandomInside(int left, int right, params ReadOnlySpan<int> extents) => SpreadInside(left, right, 1, 0, extents);

    public Tensor SpreadInside(int left, int right, double scale, double mean, params ReadOnlySpan<int> extents) =>
        Place(RandomValues(new Shape(extents).Elements, scale, mean), left, right, extents, isOutput: false);

    public Tensor Given(float[] values, params ReadOnlySpan<int> extents) => Place(values, 0, 0, extents, isOutput: false);

    /// <summary>A destination, NaN until it is written.</summary>
    public Tensor Output(params ReadOnlySpan<int> extents) => OutputInside(0, 0, extents);

    public Tensor OutputInside(int left, int right, params ReadOnlySpan<int> extents)
    {
        var values = new float[new Shape(extents).Elements];
        Array.Fill(values, float.NaN);
        return Place(values, left, right, extents, isOutput: true);
    }

    /// <summary>Runs what comes before the operation: the forward whose result its backward reads.</summary>
    public void Prepare(Action<IBackend> forward) => forward(backend);

    /// <summary>Input and destination at once.</summary>
    public Tensor InPlace(float[] values, params ReadOnlySpan<int> extents) => Place(values, 0, 0, extents, isOutput: true);

    public Tensor RandomInPlace(params ReadOnlySpan<int> extents) => InPlace(RandomValues(new Shape(extents).Elements, 1, 0), extents);

    public Tensor Indices(params int[] indices)
    {
        var storage = new Storage(DType.I32, indices.Length);
        storage.Bind(Own(backend.Allocate(storage.Bytes)), 0);
        var tensor = new Tensor(storage, 0, new Shape(indices.Length), indices.Length);
        backend.Upload(indices, tensor);
        return tensor;
    }

    /// <summary>Weights such that inputs of variance 1 give outputs of variance 1.</summary>
    public PackedMatrix Weights(int outputs, int inputs)
    {
        PackedMatrix matrix = EmptyMatrix(outputs, inputs);
        backend.PackMatrix(Spread(1 / Math.Sqrt(inputs), 0, outputs, inputs), 0, matrix);
        return matrix;
    }

    public PackedMatrix EmptyMatrix(int outputs, int inputs) => Own(backend.AllocateMatrix(outputs, inputs));

    /// <summary>All destinations, in the order in which they were made.</summary>
    public float[] Results()
    {
        var results = new List<float>();
        foreach (Placed placed in _placed)
        {
            if (!placed.IsOutput) continue;
            var values = new float[placed.View.Shape.Elements];
            backend.Download(placed.View, values);
            results.AddRange(values);
        }
        return [.. results];
    }

    /// <summary>Inputs, and all that surrounds destinations, must be what they were.</summary>
    public void CheckSurroundings()
    {
        foreach (Placed placed in _placed)
        {
            var now = new float[placed.Before.Length];
            backend.Download(Whole(placed.View.Storage), now);
            for (int i = 0; i < now.Length; i++)
            {
                if (BitConverter.SingleToInt32Bits(now[i]) == BitConverter.SingleToInt32Bits(placed.Before[i])) continue;
                if (placed.IsOutput && IsInside(placed.View, i)) continue;
                string what = placed.IsOutput ? "the surroundings of destination" : "input";
                Assert.Fail($"{name}: element {i - placed.View.Offset} of {what} {placed.View} became {now[i]}.");
            }
        }
    }

    public void Dispose()
    {
        foreach (IDisposable owned in _owned) owned.Dispose();
    }

    float[] RandomValues(long count, double scale, double mean)
    {
        var values = new float[count];
        for (int i = 0; i < values.Length; i++) values[i] = (float)(mean + scale * Math.Sqrt(12) * (_random.NextDouble() - 0.5));
        return values;
    }

    /// <summary>Maps have adjacent rows, as in an arena; other rows lie as far apart as the backend wants them.</summary>
    Tensor Place(float[] values, int left, int right, ReadOnlySpan<int> extents, bool isOutput)
    {
        var shape = new Shape(extents);
        int wide = left + shape.Columns + right;
        int pitch = shape.Rank == 4 ? wide : backend.PitchFor(wide);
        var storage = new Storage(DType.F32, 2 * Margin + (long)shape.Rows * pitch);
        storage.Bind(Own(backend.Allocate(storage.Bytes)), 0);
        var view = new Tensor(storage, Margin + left, shape, pitch);

        var before = new float[storage.Elements];
        Array.Fill(before, isOutput ? Canary : float.NaN);
        for (int row = 0; row < shape.Rows; row++)
            values.AsSpan(row * shape.Columns, shape.Columns).CopyTo(before.AsSpan(Margin + left + row * pitch));
        backend.Upload(before, Whole(storage));
        _placed.Add(new Placed(view, before, isOutput));
        return view;
    }

    static bool IsInside(Tensor view, int element)
    {
        long at = element - view.Offset;
        return at >= 0 && at / view.Pitch < view.Rows && at % view.Pitch < view.Columns;
    }

    static Tensor Whole(Storage storage) => new(storage, 0, new Shape((int)storage.Elements), (int)storage.Elements);

    T Own<T>(T owned) where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }

    /// <summary>The same on every run: string.GetHashCode is not.</summary>
    static int Seed(string name)
    {
        uint hash = 2166136261;
        foreach (char c in name) hash = (hash ^ c) * 16777619;
        return (int)(hash & int.MaxValue);
    }

    sealed record Placed(Tensor View, float[] Before, bool IsOutput);
}
