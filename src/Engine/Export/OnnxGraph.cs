using System.Runtime.InteropServices;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Export;

/// <summary>An extent of an input or output: a number, or a name where the caller of the graph chooses it.</summary>
readonly record struct OnnxExtent(int Length, string? Name = null)
{
    public static implicit operator OnnxExtent(int length) => new(length);

    public static implicit operator OnnxExtent(string name) => new(0, name);
}

/// <summary>An input or output of a graph.</summary>
sealed record OnnxValue(string Name, OnnxType Type, IReadOnlyList<OnnxExtent> Extents);

sealed record OnnxNode(string Operator, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs, IReadOnlyList<OnnxAttribute> Attributes);

/// <summary>
/// An ONNX graph under construction, in execution order. Values are strings, as in the format; every method that adds a node returns its result.
/// Weights are taken from the model's files by their names there.
/// </summary>
/// <param name="name">Of the graph.</param>
/// <param name="weights">Asked by canonical names.</param>
/// <param name="halve">Store weights as F16 and widen them on loading: half the file, float32 arithmetic.</param>
sealed class OnnxGraph(string name, IWeightSource weights, bool halve)
{
    /// <summary>The first with LayerNormalization; ONNX Runtime 1.12 and later run it.</summary>
    public const int OperatorSet = 17;

    readonly List<OnnxNode> _nodes = [];
    readonly List<OnnxValue> _inputs = [];
    readonly List<OnnxValue> _outputs = [];
    readonly Dictionary<string, OnnxTensor> _tensors = [];
    readonly Dictionary<string, string> _weights = [];
    int _values;

    public string Name => name;

    public IReadOnlyList<OnnxNode> Nodes => _nodes;

    public IReadOnlyList<OnnxValue> Inputs => _inputs;

    public IReadOnlyList<OnnxValue> Outputs => _outputs;

    public IEnumerable<OnnxTensor> Tensors => _tensors.Values;

    public string Input(string value, OnnxType type, params IReadOnlyList<OnnxExtent> extents)
    {
        _inputs.Add(new OnnxValue(value, type, extents));
        return value;
    }

    public void Output(string value, string outputName, params IReadOnlyList<OnnxExtent> extents)
    {
        _nodes.Add(new OnnxNode("Identity", [value], [outputName], []));
        _outputs.Add(new OnnxValue(outputName, OnnxType.F32, extents));
    }

    public string Add(string operation, IReadOnlyList<string> inputs, params IReadOnlyList<OnnxAttribute> attributes)
    {
        string result = $"{operation.ToLowerInvariant()}_{_values++}";
        _nodes.Add(new OnnxNode(operation, inputs, [result], attributes));
        return result;
    }

    /// <summary>A node of several outputs.</summary>
    public IReadOnlyList<string> AddMany(string operation, IReadOnlyList<string> inputs, int outputs)
    {
        string[] results = [.. Enumerable.Range(0, outputs).Select(_ => $"{operation.ToLowerInvariant()}_{_values++}")];
        _nodes.Add(new OnnxNode(operation, inputs, results, []));
        return results;
    }

    /// <summary>A list of integers, as axes and shapes are given.</summary>
    public string Integers(params long[] values) =>
        Constant($"integers_{string.Join('_', values)}", OnnxType.I64, [values.Length], bytes => MemoryMarshal.AsBytes<long>(values).CopyTo(bytes));

    public string Scalar(float value) => Constant(FormattableString.Invariant($"scalar_{value}"), OnnxType.F32, [], bytes => MemoryMarshal.Write(bytes, value));

    /// <summary>Numbers that no file holds.</summary>
    public string Constant(string tensor, IReadOnlyList<int> extents, Func<float[]> make) =>
        Constant(tensor, OnnxType.F32, extents, bytes => MemoryMarshal.AsBytes<float>(make()).CopyTo(bytes));

    /// <summary>Elements of any type.</summary>
    public string Constant(string tensor, OnnxType type, IReadOnlyList<int> extents, Action<Span<byte>> write)
    {
        _tensors.TryAdd(tensor, new OnnxTensor(tensor, type, extents, write));
        return tensor;
    }

    /// <summary>A tensor of the model, as stored or rearranged.</summary>
    /// <param name="tensor">Its canonical name.</param>
    /// <param name="arrange">Gives extents and elements from the stored ones; null: as stored.</param>
    public string Weight(string tensor, Func<WeightEntry, (int[] Extents, Func<float[]> Make)>? arrange = null)
    {
        if (_weights.TryGetValue(tensor, out string? known)) return known;
        weights.TryFind(tensor, out WeightEntry entry);   // verified when the model was opened
        (int[] extents, Func<float[]> make) = arrange?.Invoke(entry) ?? ([.. Extents(entry.Shape)], () => Values(entry));
        string value = !halve ? Constant(tensor, extents, make) : Add("Cast", [Constant(tensor, OnnxType.F16, extents, bytes =>
        {
            float[] values = make();
            for (int i = 0; i < values.Length; i++) MemoryMarshal.Write(bytes[(2 * i)..], (Half)values[i]);
        })], ("to", (long)OnnxType.F32));
        return _weights[tensor] = value;
    }

    public static float[] Values(WeightEntry entry)
    {
        var values = new float[entry.Shape.Elements];
        entry.ToSingle(values);
        return values;
    }

    static IEnumerable<int> Extents(Shape shape) => Enumerable.Range(0, shape.Rank).Select(axis => shape[axis]);
}
