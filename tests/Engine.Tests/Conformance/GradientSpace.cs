using ClipSegNative.Backends;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Reference;

namespace ClipSegNative.Tests.Conformance;

/// <summary>What a gradient is taken with respect to; before holds what a parameter's gradient was, as it is added to that.</summary>
sealed record Variable(string Name, Tensor Value, Tensor Gradient, double[]? Before)
{
    public double[] Gradients()
    {
        double[] now = GradientSpace.Elements(Gradient);
        return Before is null ? now : [.. now.Zip(Before, (after, before) => after - before)];
    }
}

/// <summary>What a forward writes, and the coefficients of the linear functional whose gradients are asked for.</summary>
sealed record Result(Tensor Value, Tensor Gradient);

/// <summary>The variables and results of a gradient case.</summary>
sealed class GradientSpace(IBackend backend, string name) : IDisposable
{
    readonly OpWorkspace _tensors = new(backend, name);
    readonly List<Variable> _variables = [];
    readonly List<Result> _results = [];

    public IReadOnlyList<Variable> Variables => _variables;

    /// <summary>An activation: its gradient is overwritten.</summary>
    public Variable Activation(string name, params ReadOnlySpan<int> extents) => Keep(name, _tensors.Random(extents), _tensors.Output(extents), isParameter: false);

    /// <summary>A parameter: its gradient is added to what is there.</summary>
    public Variable Parameter(string name, params ReadOnlySpan<int> extents) => Keep(name, _tensors.Random(extents), _tensors.RandomInPlace(extents), isParameter: true);

    /// <summary>An input without a gradient.</summary>
    public Tensor Constant(float[] values, params ReadOnlySpan<int> extents) => _tensors.Given(values, extents);

    public Tensor Indices(params int[] indices) => _tensors.Indices(indices);

    public PackedMatrix EmptyMatrix(int outputs, int inputs) => _tensors.EmptyMatrix(outputs, inputs);

    /// <summary>A destination that is no result: what a forward saves, or a backward works on.</summary>
    public Tensor Between(params ReadOnlySpan<int> extents) => _tensors.Output(extents);

    /// <summary>A result under a random linear functional.</summary>
    public Result Result(params ReadOnlySpan<int> extents) => Keep(_tensors.Output(extents), _tensors.Random(extents));

    /// <summary>A result each of whose elements counts <paramref name="factor"/> times: for a backward that starts a chain.</summary>
    public Result Summed(float factor, params ReadOnlySpan<int> extents)
    {
        var factors = new float[new Shape(extents).Elements];
        Array.Fill(factors, factor);
        return Keep(_tensors.Output(extents), _tensors.Given(factors, extents));
    }

    /// <summary>Σ result · its gradient over all results.</summary>
    public double Sum() => _results.Sum(result => Elements(result.Value).Zip(Elements(result.Gradient), (y, dy) => y * dy).Sum());

    public static double[] Elements(Tensor tensor)
    {
        var matrix = new Matrix(tensor);
        return [.. Enumerable.Range(0, tensor.Rows).SelectMany(row => matrix.Row(row, tensor.Columns).ToArray())];
    }

    public void Dispose() => _tensors.Dispose();

    Variable Keep(string name, Tensor value, Tensor gradient, bool isParameter)
    {
        var variable = new Variable(name, value, gradient, isParameter ? Elements(gradient) : null);
        _variables.Add(variable);
        return variable;
    }

    Result Keep(Tensor value, Tensor gradient)
    {
        var result = new Result(value, gradient);
        _results.Add(result);
        return result;
    }
}
