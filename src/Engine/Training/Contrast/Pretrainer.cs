using System.Diagnostics;
using ClipSegNative.Backends;
using ClipSegNative.Data;
using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;
using ClipSegNative.Weights;

namespace ClipSegNative.Training.Contrast;

/// <summary>
/// One run: teaches both towers of a CLIP that regions and what is said of them belong together, first on regions cut out, then within their pictures.
/// The run folder can be killed at any moment, is a readable model at every moment, and goes on to the same weights as if nothing had happened.
/// </summary>
/// <remarks>Radford et al. 2021, section 2.3, with the captions of regions beside those of pictures (as in Zhong et al. 2022, RegionCLIP).</remarks>
sealed class Pretrainer : IDisposable
{
    readonly PretrainingSettings _settings;
    readonly PretrainingFolder _run;
    readonly IPretrainingWatcher _watcher;
    readonly ContrastSampler _sampler;
    readonly ClipTraining _clip;
    readonly ContrastBatch? _crops;
    readonly ContrastBatch _pictures;
    readonly AttributeProbe _probe;
    readonly LearningRateSchedule _schedule;
    readonly float[] _positives;

    /// <param name="settings">Checked.</param>
    /// <param name="run">Prepared; where it holds a checkpoint, the run goes on from there.</param>
    /// <param name="pictures">To learn from.</param>
    /// <param name="probed">To probe.</param>
    /// <param name="probes">The phrase of each value of each attribute.</param>
    /// <param name="backend">The device; not disposed with this.</param>
    /// <param name="watcher">Is told how it goes.</param>
    /// <exception cref="ModelFileException">The model or the checkpoint cannot be used.</exception>
    /// <exception cref="PictureException">A picture of the probe cannot be read.</exception>
    public Pretrainer(
        PretrainingSettings settings, PretrainingFolder run, IReadOnlyList<CaptionedPicture> pictures, IReadOnlyList<CaptionedPicture> probed,
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> probes, IBackend backend, IPretrainingWatcher watcher)
    {
        (_settings, _run, _watcher) = (settings, run, watcher);
        ClipConfig config = run.ReadConfig();
        var tokenizer = ClipTokenizer.Load(run.Location);
        PreprocessorConfig preprocessing = PreprocessorConfig.Read(run.Location);
        var cutter = new PictureCutter(preprocessing, settings.CropSize, settings.Patch);
        _sampler = new ContrastSampler(settings, pictures, new CaptionPool(tokenizer, config.Text.Positions), cutter);
        using (IWeightSource weights = run.OpenModel()) _clip = new ClipTraining(backend, config, weights);
        if (settings.CropSteps > 0) _crops = _clip.Prepare(_sampler.CropShape);
        _pictures = _clip.Prepare(_sampler.PictureShape);
        Step = run.Restore(_clip);
        _probe = new AttributeProbe(probes, probed.Take(settings.ProbePictures), cutter, tokenizer, _sampler.CropShape, _sampler.PictureShape);
        _schedule = new LearningRateSchedule(settings.LearningRate, settings.MinLearningRate, settings.Steps, settings.WarmUp);
        _positives = new float[Math.Max(_sampler.CropShape.Rows * _sampler.CropShape.Rows, _sampler.PictureShape.Rows * _sampler.PictureShape.Rows)];
    }

    /// <summary>Steps done.</summary>
    public long Step { get; private set; }

    /// <summary>Numbers that are learnt.</summary>
    public int ParameterCount => _clip.ParameterCount;

    /// <summary>Bytes of device memory.</summary>
    public long DeviceBytes => _clip.Bytes;

    /// <summary>Trains to the end of the run.</summary>
    /// <exception cref="OperationCanceledException">Interrupted; the last finished step is saved.</exception>
    /// <exception cref="PictureException">A picture cannot be read; the last finished step is saved.</exception>
    /// <exception cref="TrainingException">A loss or gradient is not finite; the last checkpoint is as it was.</exception>
    public void Run(CancellationToken interrupted)
    {
        using var log = new PretrainingLog(_run.Location, Step, _probe.Attributes, _watcher);
        Task<ContrastDraw>? next = null;
        try
        {
            while (Step < _settings.Steps)
            {
                interrupted.ThrowIfCancellationRequested();
                long start = Stopwatch.GetTimestamp();
                ContrastDraw draw = next is null ? _sampler.At(Step) : next.GetAwaiter().GetResult();
                long following = Step + 1;
                next = following < _settings.Steps ? Task.Run(() => _sampler.At(following), CancellationToken.None) : null;
                PretrainingLine line = TakeStep(draw);
                bool probes = _probe.Attributes.Count > 0 && (Step % _settings.ProbeEvery == 0 || Step == _settings.Steps);
                log.Write(line with { PairsPerSecond = draw.Rows.Length / Stopwatch.GetElapsedTime(start).TotalSeconds, Accuracies = probes ? Probe() : null });
                if (Step % _settings.SaveEvery == 0 || Step == _settings.Steps) _run.Save(_clip, Step);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or PictureException)
        {
            _run.Save(_clip, Step);
            throw;
        }
        finally
        {
            next?.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).Wait(CancellationToken.None);   // it reads the sampler
        }
    }

    public void Dispose() => _clip.Dispose();

    /// <summary>On what the step was taken on.</summary>
    double[] Probe()
    {
        bool cropped = Step <= _settings.CropSteps;
        return _probe.Run(cropped ? _crops! : _pictures, cropped);
    }

    PretrainingLine TakeStep(ContrastDraw draw)
    {
        bool cropped = Step < _settings.CropSteps;
        ContrastBatch batch = cropped ? _crops! : _pictures;
        Place(draw, batch);
        _clip.ZeroGradients();
        double loss = batch.Accumulate(), norm = _clip.GradientNorm();
        if (!double.IsFinite(loss) || !double.IsFinite(norm))
            throw new TrainingException(FormattableString.Invariant(
                $"step {Step + 1}: the loss is {loss}, the gradient's length {norm}; the checkpoint before is whole: resume it with a lower --learning-rate."));
        double rate = _schedule.At(Step), clip = _settings.ClipNorm > 0 && norm > _settings.ClipNorm ? _settings.ClipNorm / norm : 1;
        _clip.Update(rate, _settings.WeightDecay, Step + 1, clip);
        Step++;
        return new PretrainingLine(Step, cropped ? PretrainingLine.Crops : PretrainingLine.Pictures, loss, rate, 0, null);
    }

    void Place(ContrastDraw draw, ContrastBatch batch)
    {
        for (int picture = 0; picture < draw.Pixels.Length; picture++) batch.PlacePicture(picture, draw.Pixels[picture]);
        int rows = draw.Rows.Length;
        for (int row = 0; row < rows; row++)
        {
            ContrastRow pair = draw.Rows[row];
            if (pair.Cells is { } cells) batch.PlaceRegion(row, pair.Pixels, cells);
            batch.PlaceCaption(row, pair.Ids);
            for (int other = 0; other < rows; other++) _positives[row * rows + other] = pair.Truths.Contains(draw.Rows[other].Caption) ? 1 : 0;
        }
        batch.PlacePositives(_positives.AsSpan(0, rows * rows));
    }
}
