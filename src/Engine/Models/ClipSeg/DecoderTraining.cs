using ClipSegNative.Backends;
using ClipSegNative.Backends.Planning;
using ClipSegNative.Layers;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Models.ClipSeg;

/// <summary>
/// A decoder, its reductions included, in training on features of the frozen tower: a micro-batch of fixed size, gradients added up over as many as the
/// caller likes, then one step of AdamW. Not thread-safe; warm calls allocate nothing.
/// </summary>
/// <remarks>Lüddecke and Ecker 2022, section 4.</remarks>
sealed class DecoderTraining : IDisposable
{
    readonly IBackend _backend;
    readonly ParameterStore _store;
    readonly TrainedParameters _trained;
    readonly Arena _arena;
    readonly Arena _validationArena;
    readonly Optimizer _optimizer;
    readonly Tensor[] _features;
    readonly Tensor _conditions;
    readonly Tensor _targets;
    readonly Tensor _nextConditions;
    readonly Tensor _nextTargets;
    readonly Action _turn;
    readonly Tensor _losses;
    readonly Tensor _sums;
    readonly Tensor _lossScale;
    readonly IReplay _accumulate;
    readonly IReplay _validate;
    Tensor _logits;

    /// <param name="backend">The device; not disposed with this.</param>
    /// <param name="config">The model's sizes.</param>
    /// <param name="weights">Holds the decoder's initial values; read here only.</param>
    /// <param name="batch">Pairs of a picture and a phrase at once.</param>
    /// <param name="grid">Patches down and across.</param>
    /// <param name="losses">What is made small.</param>
    /// <param name="scalesLoss">Whether <see cref="ScaleLoss"/> will be called, which costs a pass over the logits.</param>
    /// <exception cref="ModelFileException">A tensor of the decoder is missing or has another shape.</exception>
    public DecoderTraining(IBackend backend, ClipSegConfig config, IWeightSource weights, int batch, Grid grid, MaskLosses losses, bool scalesLoss = false)
    {
        (LogitHeight, LogitWidth) = (grid.Height * config.LogitsPerPatch, grid.Width * config.LogitsPerPatch);
        int pixels = LogitHeight * LogitWidth;
        _backend = backend;
        _store = new ParameterStore(backend, weights, [.. ClipSegTensors.Decoder(config)]);
        _trained = _store.Trained!;
        _arena = new Arena(backend);
        _validationArena = new Arena(backend);
        _features = [.. config.ExtractLayers.Select(_ => _arena.Keep(DType.F32, batch, 1 + grid.Cells, config.Vision.HiddenSize))];
        _conditions = _arena.Keep(DType.F32, batch, config.ProjectionSize);
        _targets = _arena.Keep(DType.F32, batch, pixels);
        (_nextConditions, _nextTargets) = (_arena.Keep(DType.F32, batch, config.ProjectionSize), _arena.Keep(DType.F32, batch, pixels));
        _turn = () =>
        {
            backend.Copy(_nextConditions, _conditions);
            backend.Copy(_nextTargets, _targets);
        };
        _losses = _arena.Keep(DType.F32, batch, 1);
        _sums = _arena.Keep(DType.F32, batch, MaskLosses.Sums);

        (Func<Tensor> forward, Action<Tensor> backward) = Network(_arena, config, grid, training: true);
        Tensor dLogits = _arena.Reserve(batch, LogitHeight, LogitWidth, 1), dScaled = _arena.Reserve(batch, LogitHeight, LogitWidth, 1), noShift = default;
        if (scalesLoss) (_lossScale, noShift) = (_arena.Keep(DType.F32, batch, 1), _arena.Reserve(batch, 1));
        _accumulate = _arena.Capture(() =>
        {
            Tensor logits = forward().Reshape(batch, pixels);
            _arena.Backend.MaskLoss(logits, _targets, losses, _sums, _losses);
            _arena.Backend.MaskLossBackward(logits, _targets, _sums, losses, scale: 1, dLogits.Reshape(batch, pixels));
            if (scalesLoss)
            {
                _arena.Backend.Fill(0, noShift);
                _arena.Backend.Film(dLogits.Reshape(batch, pixels, 1), _lossScale, noShift, dScaled.Reshape(batch, pixels, 1));
            }
            backward(scalesLoss ? dScaled : dLogits);
        });
        if (scalesLoss) ScaleLoss(1);
        (Func<Tensor> validate, _) = Network(_validationArena, config, grid, training: false);
        _validate = _validationArena.Capture(() =>
        {
            _logits = validate().Reshape(batch, pixels);
            _validationArena.Backend.MaskLoss(_logits, _targets, losses, _sums, _losses);
            _validationArena.Retain(_logits);
        });
        _optimizer = new Optimizer(backend, _trained);
    }

    /// <summary>Name and shape of everything that trains, as checkpoints store it, in the order of the flat blocks.</summary>
    public IReadOnlyList<(string Name, Shape Shape)> Parameters => _trained.Parameters;

    /// <summary>Length of a flat block: the elements of all parameters.</summary>
    public int ParameterCount => _trained.Count;

    /// <summary>Pairs of a picture and a phrase in a micro-batch.</summary>
    public int Batch => _conditions.Rows;

    public int LogitHeight { get; }

    public int LogitWidth { get; }

    /// <summary>Bytes of device memory: parameters in every form, activations, gradients.</summary>
    public long Bytes => _store.Bytes + _arena.Bytes + _validationArena.Bytes + _optimizer.Bytes;

    /// <summary>Fills one place of the next micro-batch. While the last is still being computed, this goes on beside it.</summary>
    /// <param name="place">Below <see cref="Batch"/>.</param>
    /// <param name="features">What <see cref="ClipSegModel.FeaturePlan"/> gives of the picture: [tokens, hidden] of each extracted layer, in the configuration's order, one below the other.</param>
    /// <param name="condition">The phrase's conditional vector [projection].</param>
    /// <param name="target">0 or 1 for each pixel [<see cref="LogitHeight"/> · <see cref="LogitWidth"/>].</param>
    public void Place(int place, Tensor features, ReadOnlySpan<float> condition, ReadOnlySpan<float> target)
    {
        int tokens = _features[0].Shape[1];
        if (features.Rows != _features.Length * tokens || features.Columns != _features[0].Columns)
            throw new ArgumentException($"{features} does not fill {_features.Length} features of {tokens} tokens.", nameof(features));
        for (int i = 0; i < _features.Length; i++) _backend.Copy(features.RowRange(i * tokens, tokens), _features[i].RowRange(place * tokens, tokens));
        _backend.UploadAhead(condition, _nextConditions.RowRange(place, 1));
        _backend.UploadAhead(target, _nextTargets.RowRange(place, 1));
    }

    /// <summary>Forward and backward: the gradient of the mean of the micro-batch's losses is added to the gradients. Only queued where nothing is asked for.</summary>
    /// <param name="losses">[<see cref="Batch"/>], before any update, or empty.</param>
    /// <param name="sums">[<see cref="Batch"/> · <see cref="MaskLosses.Sums"/>], or empty.</param>
    public void Accumulate(Span<float> losses, Span<float> sums)
    {
        _backend.UseUploads(_turn);
        _accumulate.Run();
        Download(losses, sums);
    }

    /// <summary>Waits for losses and sums of the last micro-batch, as <see cref="Accumulate"/> gives them.</summary>
    public void Download(Span<float> losses, Span<float> sums)
    {
        if (!losses.IsEmpty) _backend.Download(_losses, losses);
        if (!sums.IsEmpty) _backend.Download(_sums, sums);
    }

    /// <summary>Forward only, for validation: losses and sums as <see cref="Accumulate"/> gives them; any of the three may be empty.</summary>
    /// <param name="losses">[<see cref="Batch"/>].</param>
    /// <param name="sums">[<see cref="Batch"/> · <see cref="MaskLosses.Sums"/>].</param>
    /// <param name="logits">[<see cref="Batch"/> · <see cref="LogitHeight"/> · <see cref="LogitWidth"/>].</param>
    public void Forward(Span<float> losses, Span<float> sums, Span<float> logits)
    {
        _backend.UseUploads(_turn);
        _validate.Run();
        Download(losses, sums);
        if (!logits.IsEmpty) _backend.Download(_logits, logits);
    }

    /// <summary>Whether <see cref="ScaleLoss"/> may be called.</summary>
    public bool ScalesLoss => !_lossScale.IsAbsent;

    /// <summary>
    /// From now on gradients are added up so many times as large, so that small ones survive where operands are rounded; losses stay as they are.
    /// <see cref="Update"/> is to take it out again.
    /// </summary>
    /// <param name="scale">A power of two, so that it rounds nothing; 1 at first.</param>
    public void ScaleLoss(double scale) => _backend.Fill((float)scale, _lossScale);

    /// <inheritdoc cref="Optimizer.ZeroGradients"/>
    public void ZeroGradients() => _optimizer.ZeroGradients();

    /// <inheritdoc cref="Optimizer.GradientNorm"/>
    public double GradientNorm() => _optimizer.GradientNorm();

    /// <inheritdoc cref="Optimizer.Update"/>
    public void Update(double learningRate, double weightDecay, long step, double gradientScale) =>
        _optimizer.Update(learningRate, weightDecay, step, gradientScale);

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
        _optimizer.Dispose();
        _validationArena.Dispose();
        _arena.Dispose();
        _store.Dispose();
    }

    (Func<Tensor> Forward, Action<Tensor> Backward) Network(Arena arena, ClipSegConfig config, Grid grid, bool training)
    {
        var scope = new LayerScope(arena, _store, "decoder", training);
        var reduction = new FeatureReduction(scope, config, Batch, 1 + grid.Cells);
        IMaskDecoder decoder = IMaskDecoder.Create(scope, config, images: Batch, prompts: Batch, grid);
        var hidden = new Tensor[config.Vision.Layers + 1];   // as the tower would give them, those missing that nothing extracts
        for (int i = 0; i < _features.Length; i++) hidden[config.ExtractLayers[i] + 1] = _features[i];
        return (() => decoder.Forward(reduction.Forward(hidden), _conditions), dLogits => reduction.BackwardParameters(decoder.Backward(dLogits)));
    }
}
