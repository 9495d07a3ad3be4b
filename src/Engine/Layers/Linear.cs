using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Layers;

/// <summary>y = x · Wᵀ + b: [batch, tokens, inputs] -> [batch, tokens, outputs].</summary>
sealed class Linear
{
    readonly LayerScope _scope;
    readonly PackedMatrix _weight;
    readonly Tensor _bias;
    readonly Tensor _y;

    public Linear(LayerScope scope, int batch, int tokens, int inputs, int outputs, bool bias = true)
    {
        _scope = scope;
        _weight = scope.Parameters.Matrix(outputs, inputs, scope.Name("weight"));
        _bias = bias ? scope.Vector("bias", outputs) : default;
        _y = scope.Reserve(batch, tokens, outputs);
    }

    Linear(LayerScope scope, PackedMatrix weight, Tensor bias, Tensor y) => (_scope, _weight, _bias, _y) = (scope, weight, bias, y);

    /// <summary>Several layers of the same input as one product, their results side by side in the columns.</summary>
    public static Linear Joined(LayerScope scope, int batch, int tokens, int inputs, int outputs, params ReadOnlySpan<string> names)
    {
        string[] weights = [.. names.ToArray().Select(name => scope.Name($"{name}.weight"))];
        string[] biases = [.. names.ToArray().Select(name => scope.Name($"{name}.bias"))];
        int all = outputs * names.Length;
        Tensor bias = scope.Parameters.Derived(string.Join('+', biases), new Shape(1, all), joined =>
        {
            for (int i = 0; i < biases.Length; i++)
                scope.Parameters.Backend.Copy(scope.Parameters.Tensor(biases[i], 1, outputs), joined.ColumnRange(i * outputs, outputs));
        });
        return new Linear(scope, scope.Parameters.Matrix(outputs, inputs, weights), bias, scope.Reserve(batch, tokens, all));
    }

    public Tensor Forward(Tensor x)
    {
        _scope.Backend.Linear(x, _weight, _bias, _y);
        return _y;
    }

    public Tensor ForwardActivate(Tensor x, Activation activation)
    {
        _scope.Backend.LinearActivate(x, _weight, _bias, activation, _y);
        return _y;
    }

    /// <summary>The result plus a residual stream.</summary>
    public Tensor ForwardAdd(Tensor x, Tensor residual)
    {
        _scope.Backend.LinearAdd(x, _weight, _bias, residual, _y);
        return _y;
    }
}
