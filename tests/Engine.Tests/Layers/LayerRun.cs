using ClipSegNative.Backends;
using ClipSegNative.Backends.Planning;
using ClipSegNative.Layers;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Conformance;
using ClipSegNative.Tests.Reference;

namespace ClipSegNative.Tests.Layers;

/// <summary>A case in training, on the reference backend in double precision throughout: some of its parameters train, a random functional of its results is made small.</summary>
sealed class LayerRun : IDisposable
{
    /// <summary>Central differences are off by step² · f''' / 6 and by the rounding of f over the step.</summary>
    const double Step = 1e-5;

    /// <summary>Of a tensor's largest gradient, and of the largest of all: what is 0 by symmetry comes out as rounding.</summary>
    const double Relative = 1e-6, RelativeToAll = 1e-8;

    /// <summary>Elements of a tensor that are moved, evenly spread.</summary>
    const int MostElements = 24;

    readonly IBackend _backend;
    readonly OpWorkspace _tensors;
    readonly Arena _arena;
    readonly LayerPass _pass;
    readonly IReplay _replay;
    readonly Tensor[] _inputs;
    Tensor[] _results = [];
    Tensor[] _factors = [];
    Tensor[] _dInputs = [];

    public LayerRun(LayerCase layer, Predicate<string> trains) : this(layer, trains, new ReferenceBackend(rounds: false)) { }

    /// <param name="layer">The case.</param>
    /// <param name="trains">Whether a parameter of that name does.</param>
    /// <param name="backend">Disposed with the run; one whose memory holds no doubles can only be asked for <see cref="Everything"/>.</param>
    public LayerRun(LayerCase layer, Predicate<string> trains, IBackend backend)
    {
        _backend = backend;
        (string, Shape)[] trained = [.. layer.Parameters.Where(parameter => trains(parameter.Name))];
        Parameters = new ParameterStore(_backend, new RandomWeightSource(layer.Parameters), trained.Length == 0 ? null : trained);
        _tensors = new OpWorkspace(_backend, layer.Name);
        _arena = new Arena(_backend);
        _inputs = [.. layer.Inputs.Select(shape => _tensors.Random(Extents(shape)))];
        _pass = layer.Build(new LayerScope(_arena, Parameters, training: true), _tensors);
        _replay = _arena.Capture(() =>
        {
            _results = _pass.Forward(_inputs);
            if (_factors.Length == 0) _factors = [.. _results.Select(result => _tensors.RandomInPlace(Extents(result.Shape)))];
            _dInputs = _pass.Backward(_factors);
            foreach (Tensor kept in _results.Concat(_dInputs)) if (!kept.IsAbsent) _arena.Retain(kept);
        });
    }

    public ParameterStore Parameters { get; }

    /// <summary>Forward and backward once.</summary>
    public void Run() => _replay.Run();

    /// <summary>Results, gradients of the inputs, gradients of the parameters.</summary>
    public float[] Everything()
    {
        IEnumerable<Tensor> gradients = Parameters.Trained is not { } trained ? [] : trained.Parameters.Select(parameter => trained.View(ParameterBlock.Gradients, parameter.Name));
        return [.. _results.Concat(_dInputs).Where(tensor => !tensor.IsAbsent).Concat(gradients).SelectMany(tensor =>
        {
            var values = new float[tensor.Shape.Elements];
            _backend.Download(tensor, values);
            return values;
        })];
    }

    public double[][] InputGradients() => [.. _dInputs.Where(gradient => !gradient.IsAbsent).Select(GradientSpace.Elements)];

    /// <summary>Of those parameters that train.</summary>
    public Dictionary<string, double[]> ParameterGradients() => Parameters.Trained is not { } trained ? [] :
        trained.Parameters.ToDictionary(parameter => parameter.Name, parameter => GradientSpace.Elements(trained.View(ParameterBlock.Gradients, parameter.Name)));

    /// <summary>Compares the gradients of one run with what comes of moving parameters and inputs.</summary>
    public void CheckAgainstDifferences()
    {
        Dictionary<string, double[]> gradients = ParameterGradients();
        double[][] inputGradients = InputGradients();
        double floor = RelativeToAll * gradients.Values.Concat(inputGradients).Max(values => values.Max(Math.Abs));
        foreach ((string name, double[] gradient) in gradients) Check(name, Parameters.Trained!.View(ParameterBlock.Weights, name), gradient, floor);
        int given = 0;
        for (int i = 0; i < _inputs.Length; i++)
            if (!_dInputs[i].IsAbsent) Check($"input {i}", _inputs[i], inputGradients[given++], floor);
    }

    public void Dispose()
    {
        _arena.Dispose();
        _tensors.Dispose();
        Parameters.Dispose();
        _backend.Dispose();
    }

    void Check(string name, Tensor variable, double[] gradient, double floor)
    {
        double allowed = Relative * gradient.Max(Math.Abs) + floor;
        var values = new Matrix(variable);
        int stride = (gradient.Length + MostElements - 1) / MostElements;
        for (int i = 0; i < gradient.Length; i += stride)
        {
            int row = i / variable.Columns, column = i % variable.Columns;
            double value = values[row, column], expected = (At(value + Step) - At(value - Step)) / (2 * Step);
            At(value);
            // Written so that NaN fails.
            if (!(Math.Abs(gradient[i] - expected) <= allowed))
                Assert.Fail($"Element {i} of the gradient of {name} {variable} is {gradient[i]:R}, differences give {expected:R}; allowed {allowed:G2}.");

            double At(double moved)
            {
                values[row, column] = moved;
                Parameters.Trained?.Refresh(_backend);
                _pass.Forward(_inputs);
                return _results.Zip(_factors, (result, factor) => GradientSpace.Elements(result).Zip(GradientSpace.Elements(factor), (y, dy) => y * dy).Sum()).Sum();
            }
        }
    }

    static int[] Extents(Shape shape) => [.. Enumerable.Range(0, shape.Rank).Select(axis => shape[axis])];
}
