using ClipSegNative.Backends;
using ClipSegNative.Backends.Planning;
using ClipSegNative.Tensors;

namespace ClipSegNative.Layers;

/// <summary>AdamW over everything that trains, one recorded step (Loshchilov and Hutter 2019); β1 = 0.9, β2 = 0.999, ε = 1e-8.</summary>
sealed class Optimizer : IDisposable
{
    const double Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8;

    readonly IBackend _backend;
    readonly TrainedParameters _parameters;
    readonly Arena _arena;
    readonly Tensor _settings;
    readonly Tensor _sum;
    readonly IReplay _step;
    readonly float[] _values = new float[AdamWSettings.Count];

    /// <param name="backend">The device.</param>
    /// <param name="parameters">After every layer has been made: what follows the parameters is recorded here.</param>
    public Optimizer(IBackend backend, TrainedParameters parameters)
    {
        _backend = backend;
        _parameters = parameters;
        _arena = new Arena(backend);
        _settings = _arena.Keep(DType.F32, 1, AdamWSettings.Count);
        _sum = _arena.Keep(DType.F32, 1);
        _step = _arena.Capture(() =>
        {
            _arena.Backend.AdamW(
                parameters[ParameterBlock.Gradients], _settings, parameters[ParameterBlock.Weights],
                parameters[ParameterBlock.FirstMoments], parameters[ParameterBlock.SecondMoments]);
            parameters.Refresh(_arena.Backend);
        });
    }

    public long Bytes => _arena.Bytes;

    public void ZeroGradients() => _backend.Fill(0, _parameters[ParameterBlock.Gradients]);

    /// <summary>Length of the gradient as added up so far; NaN or infinite where a gradient is.</summary>
    public double GradientNorm()
    {
        float sum = 0;
        _backend.SumOfSquares(_parameters[ParameterBlock.Gradients], _sum);
        _backend.Download(_sum, new Span<float>(ref sum));
        return Math.Sqrt(sum);
    }

    /// <summary>One step with the gradients as added up so far, which stay.</summary>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="weightDecay">Decoupled from the gradient, times the learning rate; on every parameter.</param>
    /// <param name="step">From 1: makes up for moments that started at 0.</param>
    /// <param name="gradientScale">Times the gradients: 1 / micro-batches, and what clipping asks for.</param>
    public void Update(double learningRate, double weightDecay, long step, double gradientScale)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        _values[AdamWSettings.LearningRate] = (float)learningRate;
        _values[AdamWSettings.WeightDecay] = (float)weightDecay;
        _values[AdamWSettings.Beta1] = (float)Beta1;
        _values[AdamWSettings.Beta2] = (float)Beta2;
        _values[AdamWSettings.Epsilon] = (float)Epsilon;
        _values[AdamWSettings.FirstCorrection] = (float)(1 / (1 - Math.Pow(Beta1, step)));
        _values[AdamWSettings.SecondCorrection] = (float)(1 / (1 - Math.Pow(Beta2, step)));
        _values[AdamWSettings.GradientScale] = (float)gradientScale;
        _backend.Upload(_values, _settings);
        _step.Run();
    }

    public void Dispose() => _arena.Dispose();
}
