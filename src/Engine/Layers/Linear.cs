using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Layers;

/// <summary>y = x · Wᵀ + b: [batch, tokens, inputs] -> [batch, tokens, outputs].</summary>
sealed class Linear
{
    readonly LayerScope _scope;
    readonly int _inputs;
    readonly int _outputs;
    readonly string[] _weights;
    readonly PackedMatrix _weight;
    readonly Tensor _bias;
    readonly Tensor _before;
    readonly Tensor _y;
    readonly Tensor _dx;
    readonly (Tensor Weight, Tensor Bias)[] _gradients;
    PackedMatrix? _transposed;
    Tensor _x;

    public Linear(LayerScope scope, int batch, int tokens, int inputs, int outputs, bool bias = true)
        : this(scope, batch, tokens, inputs, outputs, [scope.Name("weight")], bias ? [scope.Name("bias")] : []) { }

    Linear(LayerScope scope, int batch, int tokens, int inputs, int outputs, string[] weights, string[] biases)
    {
        _scope = scope;
        _inputs = inputs;
        _outputs = outputs;
        _weights = weights;
        _weight = scope.Matrix(outputs, inputs, weights);
        _bias = biases.Length == 0 ? default : scope.Parameters.Joined(outputs, biases);
        _before = scope.Reserve(batch, tokens, outputs * weights.Length);
        _y = scope.Reserve(batch, tokens, outputs * weights.Length);
        _dx = scope.Reserve(batch, tokens, inputs);
        _gradients = [.. weights.Select((weight, i) =>
            (scope.Parameters.Gradient(weight, outputs, inputs), biases.Length == 0 ? default : scope.Parameters.Gradient(biases[i], 1, outputs)))];
    }

    /// <summary>Several layers of the same input as one product, their results side by side in the columns.</summary>
    public static Linear Joined(LayerScope scope, int batch, int tokens, int inputs, int outputs, params string[] names) =>
        new(scope, batch, tokens, inputs, outputs, [.. names.Select(name => scope.Name($"{name}.weight"))], [.. names.Select(name => scope.Name($"{name}.bias"))]);

    public Tensor Forward(Tensor x)
    {
        _scope.Backend.Linear(_x = x, _weight, _bias, _y);
        return _y;
    }

    public Tensor ForwardActivate(Tensor x, Activation activation)
    {
        if (_scope.Training && activation != Activation.Relu)   // a GELU's gradient does not follow from its result
        {
            _scope.Backend.Linear(_x = x, _weight, _bias, _before);
            _scope.Backend.Activate(_before, activation, _y);
        }
        else _scope.Backend.LinearActivate(_x = x, _weight, _bias, activation, _y);
        return _y;
    }

    /// <summary>The result plus a residual stream.</summary>
    public Tensor ForwardAdd(Tensor x, Tensor residual)
    {
        _scope.Backend.LinearAdd(_x = x, _weight, _bias, residual, _y);
        return _y;
    }

    public Tensor Backward(Tensor dy)
    {
        BackwardParameters(dy);
        return BackwardInput(dy);
    }

    /// <summary>Of <see cref="ForwardActivate"/>; dy becomes the gradient before the activation.</summary>
    public Tensor BackwardActivate(Tensor dy, Activation activation)
    {
        _scope.Backend.ActivateBackward(activation == Activation.Relu ? _y : _before, dy, activation, dy);
        return Backward(dy);
    }

    /// <summary>The first half of <see cref="Backward"/>: enough where nobody asks for the gradient of the input.</summary>
    public void BackwardParameters(Tensor dy)
    {
        for (int i = 0; i < _gradients.Length; i++)
        {
            (Tensor dw, Tensor db) = _gradients[i];
            if (!dw.IsAbsent || !db.IsAbsent) _scope.Backend.LinearBackward(_x, dy.ColumnRange(i * _outputs, _outputs), dw, db);
        }
    }

    /// <summary>The second half: dx = dy · W.</summary>
    public Tensor BackwardInput(Tensor dy)
    {
        _scope.Backend.Linear(dy, _transposed ??= _scope.Parameters.Transposed(_outputs, _inputs, _weights), default, _dx);
        return _dx;
    }
}
