using ClipSegNative.Backends;
using ClipSegNative.Layers;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Models.Clip;

/// <summary>
/// Both towers of a CLIP in training, projections and temperature included: parameters, gradients, moments and AdamW. What is learnt from is a
/// <see cref="ContrastBatch"/>; several, of different sizes, share the parameters. Not thread-safe.
/// </summary>
/// <remarks>Radford et al. 2021, section 2.3.</remarks>
sealed class ClipTraining : IDisposable
{
    readonly IBackend _backend;
    readonly ClipConfig _config;
    readonly ParameterStore _store;
    readonly TrainedParameters _trained;
    readonly List<ContrastBatch> _batches = [];
    Optimizer? _optimizer;

    /// <param name="backend">The device; not disposed with this.</param>
    /// <param name="config">The model's sizes.</param>
    /// <param name="weights">Holds the initial values, under canonical names; read here only.</param>
    /// <exception cref="ModelFileException">A tensor is missing or has another shape.</exception>
    public ClipTraining(IBackend backend, ClipConfig config, IWeightSource weights)
    {
        (_backend, _config) = (backend, config);
        _store = new ParameterStore(backend, weights, [.. ClipTensors.All(config.Text, config.Vision, config.ProjectionSize)]);
        _trained = _store.Trained!;
    }

    /// <summary>Name and shape of everything that trains, as checkpoints store it, in the order of the flat blocks.</summary>
    public IReadOnlyList<(string Name, Shape Shape)> Parameters => _trained.Parameters;

    /// <summary>Length of a flat block: the elements of all parameters.</summary>
    public int ParameterCount => _trained.Count;

    /// <summary>Bytes of device memory: parameters in every form, activations, gradients.</summary>
    public long Bytes => _store.Bytes + _batches.Sum(batch => batch.Bytes) + (_optimizer?.Bytes ?? 0);

    Optimizer Steps => _optimizer ??= new Optimizer(_backend, _trained);

    /// <summary>A micro-batch of these sizes; disposed with this. All are made before the first step, whose recording they are part of.</summary>
    public ContrastBatch Prepare(ContrastShape shape)
    {
        if (_optimizer is not null) throw new InvalidOperationException("A micro-batch of new sizes can only be made before the first step.");
        var batch = new ContrastBatch(_backend, _store, _config, shape);
        _batches.Add(batch);
        return batch;
    }

    /// <inheritdoc cref="Optimizer.ZeroGradients"/>
    public void ZeroGradients() => Steps.ZeroGradients();

    /// <inheritdoc cref="Optimizer.GradientNorm"/>
    public double GradientNorm() => Steps.GradientNorm();

    /// <inheritdoc cref="Optimizer.Update"/>
    public void Update(double learningRate, double weightDecay, long step, double gradientScale) => Steps.Update(learningRate, weightDecay, step, gradientScale);

    /// <inheritdoc cref="TrainedParameters.Read"/>
    public void Read(ParameterBlock block, Span<float> values) => _trained.Read(block, values);

    /// <inheritdoc cref="TrainedParameters.Write"/>
    public void Write(ParameterBlock block, ReadOnlySpan<float> values) => _trained.Write(block, values);

    /// <inheritdoc cref="TrainedParameters.Tensors"/>
    public IReadOnlyList<WeightToWrite> Tensors(ParameterBlock block, string prefix = "") => _trained.Tensors(block, prefix);

    /// <inheritdoc cref="TrainedParameters.Restore"/>
    public void Restore(ParameterBlock block, IWeightSource source, string prefix = "") => _trained.Restore(block, source, prefix);

    public void Dispose()
    {
        _optimizer?.Dispose();
        foreach (ContrastBatch batch in _batches) batch.Dispose();
        _store.Dispose();
    }
}
