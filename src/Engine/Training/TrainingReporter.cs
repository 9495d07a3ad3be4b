using System.Diagnostics;

namespace ClipSegNative.Training;

/// <summary>Puts what a run measures where people look: <c>metrics.csv</c>, TensorBoard and the watcher.</summary>
sealed class TrainingReporter(RunFolder run, long step, ITrainingWatcher watcher) : IDisposable
{
    readonly MetricsLog _log = new(run.Location, MetricsLine.Header, step);
    long _since = Stopwatch.GetTimestamp();
    double _speed;

    public EventFile Events { get; } = new(run.Location, step);

    /// <summary>A step of training was done on so many phrases.</summary>
    public void Learnt(long step, double epoch, double loss, double iou, double learningRate, long phrases)
    {
        _speed = phrases / Stopwatch.GetElapsedTime(_since).TotalSeconds;
        Events.Scalar("train/learning_rate", step, learningRate);
        Report(new MetricsLine(step, epoch, MetricsLine.Train, loss, iou, learningRate, _speed));
    }

    public void Judged(long step, double epoch, ValidationResult result, double learningRate)
    {
        Events.Scalar("val/iou_at_default_threshold", step, result.FixedIou);
        Report(new MetricsLine(step, epoch, MetricsLine.Val, result.Loss, result.BestIou, learningRate, _speed));
        watcher.Said(FormattableString.Invariant(
            $"step {step}: validation loss {result.Loss:0.0000}, IoU {result.BestIou:0.000} at threshold {result.BestThreshold:0.00}, {result.FixedIou:0.000} at {Segmentation.DefaultThreshold:0.00}"));
    }

    public void Dispose()
    {
        _log.Dispose();
        Events.Dispose();
    }

    void Report(MetricsLine line)
    {
        Events.Scalar($"{line.Split}/loss", line.Step, line.Loss);
        Events.Scalar($"{line.Split}/iou", line.Step, line.Iou);
        _log.Write(line.ToCsv());
        watcher.Measured(line);
        _since = Stopwatch.GetTimestamp();
    }
}
