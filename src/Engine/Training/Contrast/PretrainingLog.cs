using System.Globalization;

namespace ClipSegNative.Training.Contrast;

/// <summary>One line of a pre-training's <c>metrics.csv</c>.</summary>
/// <param name="Step">Optimiser steps done.</param>
/// <param name="Stage">crops or pictures.</param>
/// <param name="Loss">Symmetric cross entropy over the pairs, before the step.</param>
/// <param name="LearningRate">Of the step.</param>
/// <param name="PairsPerSecond">Drawing included.</param>
/// <param name="Accuracies">Of the probe, in order of its attributes; null where none was done.</param>
sealed record PretrainingLine(long Step, string Stage, double Loss, double LearningRate, double PairsPerSecond, IReadOnlyList<double>? Accuracies)
{
    public const string Crops = "crops", Pictures = "pictures";
}

/// <summary>Who is told how a pre-training goes.</summary>
interface IPretrainingWatcher : INewsWatcher
{
    void Measured(PretrainingLine line);
}

/// <summary>Puts what a run measures where people look: <c>metrics.csv</c>, TensorBoard and the watcher.</summary>
/// <param name="folder">The run folder.</param>
/// <param name="step">Where the run begins.</param>
/// <param name="attributes">What the probe asks for.</param>
/// <param name="watcher">Is told too.</param>
sealed class PretrainingLog(string folder, long step, IReadOnlyList<string> attributes, IPretrainingWatcher watcher) : IDisposable
{
    readonly MetricsLog _log = new(folder, string.Concat(attributes.Select(attribute => $",{attribute}").Prepend("step,stage,loss,learning_rate,pairs_per_second")), step);
    readonly EventFile _events = new(folder, step);

    public void Write(PretrainingLine line)
    {
        string accuracies = string.Concat(attributes.Select((_, i) => FormattableString.Invariant($",{line.Accuracies?[i]:0.####}")));
        _log.Write(string.Create(CultureInfo.InvariantCulture, $"{line.Step},{line.Stage},{line.Loss:G6},{line.LearningRate:G6},{line.PairsPerSecond:0.##}{accuracies}"));
        _events.Scalar("train/loss", line.Step, line.Loss);
        _events.Scalar("train/learning_rate", line.Step, line.LearningRate);
        watcher.Measured(line);
        if (line.Accuracies is null) return;
        for (int i = 0; i < attributes.Count; i++) _events.Scalar($"probe/{attributes[i]}", line.Step, line.Accuracies[i]);
        watcher.Said($"step {line.Step}: probe {string.Join(", ", attributes.Select((attribute, i) => FormattableString.Invariant($"{attribute} {line.Accuracies[i]:0.000}")))}");
    }

    public void Dispose()
    {
        _log.Dispose();
        _events.Dispose();
    }
}
