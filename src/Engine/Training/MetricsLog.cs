using System.Globalization;
using System.Text;

namespace ClipSegNative.Training;

/// <summary>One line of <c>metrics.csv</c>.</summary>
/// <param name="Step">Optimiser steps done.</param>
/// <param name="Epoch">Passes over the phrases, with its fraction.</param>
/// <param name="Split">train or val.</param>
/// <param name="Loss">Mean over the phrases of the step or of the split.</param>
/// <param name="Iou">Mean over phrases: train at probability 0.5, val at the best threshold.</param>
/// <param name="LearningRate">Of the step.</param>
/// <param name="ImagesPerSecond">Phrases a second, loading included.</param>
/// <param name="GpuMemoryMb">Null without a GPU.</param>
readonly record struct MetricsLine(
    long Step, double Epoch, string Split, double Loss, double Iou, double LearningRate, double ImagesPerSecond, double? GpuMemoryMb = null)
{
    public const string Train = "train", Val = "val", Header = "step,epoch,split,loss,iou,learning_rate,images_per_second,gpu_memory_mb";

    public string ToCsv() => string.Create(CultureInfo.InvariantCulture,
        $"{Step},{Epoch:0.####},{Split},{Loss:G6},{Iou:0.#####},{LearningRate:G6},{ImagesPerSecond:0.##},{GpuMemoryMb:0.#}");
}

/// <summary>A run's <c>metrics.csv</c>: a header and a line a step, each handed to the system at once.</summary>
sealed class MetricsLog : IDisposable
{
    public const string FileName = "metrics.csv";

    readonly StreamWriter _writer;

    /// <summary>Goes on after a step: lines of later ones, and a last one that was cut short, are taken out.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="header">Names of the columns; the first is the step.</param>
    /// <param name="step">The step of the checkpoint; 0 begins anew.</param>
    public MetricsLog(string folder, string header, long step)
    {
        string path = Path.Combine(folder, FileName);
        string[] lines = File.Exists(path) ? File.ReadAllText(path).Split('\n')[..^1] : [];   // what follows the last line feed is no line
        byte[] kept = Encoding.UTF8.GetBytes(string.Concat(lines.Skip(1).Where(line => StepOf(line) <= step).Prepend(header).Select(line => line + '\n')));
        AtomicFile.Write(path, stream => stream.Write(kept));
        _writer = new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read)) { AutoFlush = true, NewLine = "\n" };
    }

    public void Write(string line) => _writer.WriteLine(line);

    public void Dispose() => _writer.Dispose();

    static long StepOf(string line) => long.TryParse(line.AsSpan(0, Math.Max(0, line.IndexOf(',', StringComparison.Ordinal))), out long step) ? step : long.MaxValue;
}
