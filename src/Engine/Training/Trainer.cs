using System.Numerics.Tensors;
using ClipSegNative.Backends;
using ClipSegNative.Data;
using ClipSegNative.Evaluation;
using ClipSegNative.Layers;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Weights;

namespace ClipSegNative.Training;

/// <summary>
/// One run: trains the decoder on the features of the frozen towers, validates, and keeps the run folder such that it can be killed at any moment, is a
/// readable model at every moment, and goes on to the same weights as if nothing had happened.
/// </summary>
sealed class Trainer : IDisposable
{
    /// <summary>Training phrases that <see cref="CollapseGuard"/> looks at.</summary>
    const int CollapseWindow = 512;

    readonly TrainingSettings _settings;
    readonly RunFolder _run;
    readonly ITrainingWatcher _watcher;
    readonly PreprocessorConfig _preprocessing;
    readonly FrozenTowers _towers;
    readonly bool _ownsTowers;
    readonly DecoderTraining _decoder;
    readonly MicroBatch _batch;
    readonly TrainingPhrases _phrases;
    readonly SampleLoader _training, _plain;
    readonly LearningRateSchedule _schedule;
    readonly CollapseGuard _guard = new(CollapseWindow);
    TrainingState _state;

    /// <param name="settings">Checked.</param>
    /// <param name="run">Prepared; where it holds a checkpoint, the run goes on from there.</param>
    /// <param name="phrases">Read for these settings.</param>
    /// <param name="backend">The device; not disposed with this.</param>
    /// <param name="watcher">Is told how it goes.</param>
    /// <param name="shared">Towers that several runs read, with what they remember; not disposed with this. Null for the run's own.</param>
    /// <exception cref="ModelFileException">The model or the checkpoint cannot be used.</exception>
    /// <exception cref="TrainingException">The model's working size is not square.</exception>
    public Trainer(TrainingSettings settings, RunFolder run, TrainingPhrases phrases, IBackend backend, ITrainingWatcher watcher, FrozenTowers? shared = null)
    {
        (_settings, _run, _phrases, _watcher) = (settings, run, phrases, watcher);
        Config = run.ReadConfig();
        _preprocessing = PreprocessorConfig.Read(run.Location);
        Grid grid = FrozenTowers.GridOf(_preprocessing, Config, settings.Clip);
        using (var weights = new PrefixedWeights(run.OpenModel()))
        {
            _ownsTowers = shared is null;
            _towers = shared ?? new FrozenTowers(backend, Config, weights, _preprocessing, run, settings);
            _decoder = new DecoderTraining(backend, Config, weights, settings.Batch, grid, settings.Losses, scalesLoss: settings.Arithmetic == Precision.Fp16);
        }
        _batch = new MicroBatch(_towers, _decoder, Config.ProjectionSize);
        _state = File.Exists(run.Last) ? TrainingState.Restore(run.Last, _decoder) : TrainingState.Start;

        _training = Loader(phrases.Training, settings.WholePictures);
        _plain = Loader(phrases.Plain, whole: true);
        Steps = settings.Steps > 0 ? settings.Steps : (long)Math.Ceiling(settings.Epochs * phrases.Training.EpochLength / settings.PhrasesAStep);
        _schedule = new LearningRateSchedule(
            settings.LearningRate, settings.Schedule == "constant" ? settings.LearningRate : settings.MinLearningRate, Steps, settings.WarmUp);

    }

    public ClipSegConfig Config { get; }

    /// <summary>Of the whole run.</summary>
    public long Steps { get; }

    public TrainingState State => _state;

    /// <summary>Numbers that are learnt.</summary>
    public long TrainedParameters => _decoder.ParameterCount;

    /// <summary>Numbers that stay as they are.</summary>
    public long FrozenParameters => ClipSegTensors.All(Config).Sum(tensor => tensor.Shape.Elements) - TrainedParameters;

    /// <summary>Bytes of device memory.</summary>
    public long DeviceBytes => _towers.DeviceBytes + _decoder.Bytes;

    /// <summary>Bytes of device memory of the features that are kept.</summary>
    public long FeatureBytes => _towers.FeatureBytes;

    double Epoch => (double)_state.Sample / _phrases.Training.EpochLength;

    /// <summary>Steps between validations, or only drawings.</summary>
    long JudgeEvery => _settings.Val is null ? _settings.SaveEvery : _settings.ValidateEvery;

    bool HasEnded => _state.Step >= Steps || (_settings.Patience > 0 && _state.Worse >= _settings.Patience);

    /// <summary>Trains to the end of the run, or until validations stop getting better.</summary>
    /// <exception cref="OperationCanceledException">Interrupted; the last finished step is saved.</exception>
    /// <exception cref="TrainingException">A loss or gradient is not finite; the last checkpoint is as it was.</exception>
    public void Run(CancellationToken interrupted)
    {
        using var reporter = new TrainingReporter(_run, _state.Step, _watcher);
        _batch.Forget();
        var sheets = new SampleSheets(_run, _preprocessing, _plain, reporter.Events);
        try
        {
            if (!File.Exists(_run.Last)) Save();
            using IEnumerator<TrainingSample> samples = _training.Read(_state.Sample, (Steps - _state.Step) * _settings.PhrasesAStep, interrupted).GetEnumerator();
            while (true)
            {
                if (IsDue(_state.Step, JudgeEvery) && _state.Judged < _state.Step) Judge(sheets, reporter, interrupted);
                if (IsDue(_state.Step, _settings.SaveEvery) || HasEnded) Save();
                if (HasEnded) return;
                TakeStep(samples, reporter, interrupted);
            }
        }
        catch (OperationCanceledException)
        {
            Save();
            throw;
        }
    }

    public void Dispose()
    {
        _batch.Dispose();
        _decoder.Dispose();
        if (_ownsTowers) _towers.Dispose();
    }

    SampleLoader Loader(PhraseSampler sampler, bool whole) => new(
        sampler,
        () => Segmenter.Preprocessor(_preprocessing, _preprocessing.Width, _preprocessing.Height),
        new SampleLoaderOptions { Workers = _settings.Workers, NeedsPixels = whole ? spec => !_towers.Knows(spec) : null },
        _phrases.Problems);

    void TakeStep(IEnumerator<TrainingSample> samples, TrainingReporter reporter, CancellationToken interrupted)
    {
        interrupted.ThrowIfCancellationRequested();
        double loss = 0, score = 0, scale = 1;
        if (_decoder.ScalesLoss) _decoder.ScaleLoss(scale = _state.LossScale.Value);
        _decoder.ZeroGradients();
        for (int i = 0; i < _settings.Accumulate; i++)
        {
            if (!_batch.IsFilled) _batch.Fill(samples, _training, interrupted);
            _batch.Learn();
            // The next samples are made ready while the device computes; a validation needs their places.
            if (i + 1 < _settings.Accumulate || !IsDue(_state.Step + 1, JudgeEvery)) _batch.Fill(samples, _training, interrupted);
            _batch.Await();
            for (int place = 0; place < _batch.Count; place++)
            {
                PixelCounts counts = _batch.Counts(place);
                loss += _batch.Losses[place];
                score += counts.IntersectionOverUnion;
                if (_guard.Look(counts) is { } collapse) _watcher.Warned($"step {_state.Step + 1}: {collapse}");
            }
            if (!double.IsFinite(loss)) throw Diagnosis.NotFinite("loss", loss, _state.Step + 1, _batch, _training, _decoder);
        }
        double norm = _decoder.GradientNorm() / _settings.Accumulate / scale, rate = _schedule.At(_state.Step);
        bool finite = double.IsFinite(norm);
        if (finite)
        {
            double clip = _settings.ClipNorm > 0 && norm > _settings.ClipNorm ? _settings.ClipNorm / norm : 1;
            _decoder.Update(rate, _settings.WeightDecay, _state.Step + 1 - _state.LossScale.Skipped, clip / _settings.Accumulate / scale);
        }
        else if (scale <= 1) throw Diagnosis.NotFinite("gradient's length", norm, _state.Step + 1, _batch, _training, _decoder);
        else if (_state.LossScale.Skipped == 0)
            _watcher.Warned($"step {_state.Step + 1}: the gradient is beyond fp16 at a loss scale of {scale}, so it is left out and the scale halved; further ones are only counted, in {RunFolder.LastName}");
        _state = _state with { Step = _state.Step + 1, Sample = _state.Sample + _settings.PhrasesAStep };
        if (_decoder.ScalesLoss)
        {
            _state = _state with { LossScale = _state.LossScale.After(finite) };
            reporter.Events.Scalar("train/loss_scale", _state.Step, scale);
        }
        reporter.Learnt(_state.Step, Epoch, loss / _settings.PhrasesAStep, score / _settings.PhrasesAStep, rate, _settings.PhrasesAStep);
    }

    /// <summary>Shows phrases, as they are and on whole pictures, to the decoder as it is now, each once and in the order of the sampler.</summary>
    /// <param name="phrases">Of any data.</param>
    /// <param name="seen">Gets each sample with its target and its probabilities, both [size, size] at the working size.</param>
    /// <param name="interrupted">Looked at between pictures.</param>
    public void Predict(PhraseData phrases, Action<TrainingSample, ReadOnlySpan<float>> seen, CancellationToken interrupted)
    {
        var sampler = new PhraseSampler(phrases, new SamplerOptions { Negatives = 0, Crop = TrainingCrop.None });
        SampleLoader loader = Loader(sampler, whole: true);
        using IEnumerator<TrainingSample> samples = loader.Read(0, sampler.EpochLength, interrupted).GetEnumerator();
        while (_batch.Fill(samples, loader, interrupted))
        {
            _batch.Predict();
            for (int place = 0; place < _batch.Count; place++)
            {
                Span<float> probabilities = _batch.Logits(place);
                TensorPrimitives.Sigmoid(probabilities, probabilities);
                seen(_batch[place], probabilities);
            }
        }
    }

    /// <summary>Makes the decoder as it is now that of the model folder, whichever validation found best.</summary>
    public void KeepLast() => WriteBest();

    /// <summary>Validates, or without validation phrases only draws.</summary>
    void Judge(SampleSheets sheets, TrainingReporter reporter, CancellationToken interrupted)
    {
        int count = Math.Min(_phrases.Plain.EpochLength, _settings.Val is null ? _settings.Samples : int.MaxValue);
        if (count == 0) return;
        ValidationResult result = new Validation(_plain, _batch, _decoder).Run(
            _state.Step,
            count,
            (number, sample, probabilities) =>
            {
                if (number < _settings.Samples) sheets.Draw(_state.Step, sample, probabilities);
            },
            interrupted);
        _state = _state with { Judged = _state.Step };
        if (_settings.Val is null) return;
        bool better = result.BestIou > _state.BestScore;
        _state = better ? _state with { BestScore = result.BestIou, BestStep = _state.Step, Worse = 0 } : _state with { Worse = _state.Worse + 1 };
        if (better) WriteBest();
        reporter.Judged(_state.Step, Epoch, result, _schedule.At(_state.Step - 1));
        if (result.Collapse is { } collapse) _watcher.Warned($"validation at step {_state.Step}: {collapse}");
    }

    /// <summary>The best decoder first: whenever the state says that there is one, it is there.</summary>
    void Save()
    {
        if (_state.BestStep == 0) WriteBest();   // until a validation chooses, the newest is the best
        _state.Write(_run.Last, _decoder);
    }

    void WriteBest() => SafetensorsWriter.Write(_run.Best, _decoder.Tensors(ParameterBlock.Weights));

    bool IsDue(long step, long every) => step > 0 && (step % every == 0 || step == Steps);
}
