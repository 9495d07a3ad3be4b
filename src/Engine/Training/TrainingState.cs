using System.Globalization;
using ClipSegNative.Layers;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Weights;

namespace ClipSegNative.Training;

/// <summary>Where a run stands, beside its weights and moments: with them, all that its future depends on.</summary>
/// <param name="Step">Optimiser steps done, those that <see cref="LossScale"/> skipped among them.</param>
/// <param name="Sample">The next place in the order of the training phrases.</param>
/// <param name="Judged">The step of the last validation.</param>
/// <param name="BestScore">Of the best validation so far; minus infinity before the first.</param>
/// <param name="BestStep">When that was.</param>
/// <param name="Worse">Validations since then.</param>
sealed record TrainingState(long Step, long Sample, long Judged, double BestScore, long BestStep, int Worse)
{
    const string FirstMoments = "moments.first.", SecondMoments = "moments.second.", ScaleKey = "loss_scale";

    public static TrainingState Start { get; } = new(0, 0, 0, double.NegativeInfinity, 0, 0);

    /// <summary>Stays as it is in precisions that need none.</summary>
    public LossScale LossScale { get; init; } = LossScale.Start;

    /// <summary>One file for all: weights, moments and these counters can never belong to different steps.</summary>
    /// <exception cref="IOException">The file cannot be written; the old one is as it was.</exception>
    public void Write(string path, DecoderTraining decoder) => SafetensorsWriter.Write(
        path,
        [
            .. decoder.Tensors(ParameterBlock.Weights),
            .. decoder.Tensors(ParameterBlock.FirstMoments, FirstMoments),
            .. decoder.Tensors(ParameterBlock.SecondMoments, SecondMoments),
        ],
        Counters());

    /// <summary>Puts weights and moments back where <see cref="Write"/> took them from.</summary>
    /// <exception cref="ModelFileException">The file is damaged, is no checkpoint, or belongs to another decoder.</exception>
    public static TrainingState Restore(string path, DecoderTraining decoder)
    {
        using var file = new SafetensorsFile(path);
        decoder.Restore(ParameterBlock.Weights, file);
        decoder.Restore(ParameterBlock.FirstMoments, file, FirstMoments);
        decoder.Restore(ParameterBlock.SecondMoments, file, SecondMoments);
        return new TrainingState(
            Number<long>(file, "step"), Number<long>(file, "sample"), Number<long>(file, "judged"),
            Number<double>(file, "best_score"), Number<long>(file, "best_step"), Number<int>(file, "worse"))
        {
            LossScale = file.Metadata.ContainsKey(ScaleKey)
                ? new LossScale(Number<double>(file, ScaleKey), Number<int>(file, "steps_at_loss_scale"), Number<long>(file, "skipped"))
                : LossScale.Start,
        };
    }

    Dictionary<string, string> Counters()
    {
        var counters = new Dictionary<string, string>
        {
            ["step"] = Text(Step),
            ["sample"] = Text(Sample),
            ["judged"] = Text(Judged),
            ["best_score"] = Text(BestScore),
            ["best_step"] = Text(BestStep),
            ["worse"] = Text(Worse),
        };
        if (LossScale == LossScale.Start) return counters;
        counters[ScaleKey] = Text(LossScale.Value);
        counters["steps_at_loss_scale"] = Text(LossScale.Steps);
        counters["skipped"] = Text(LossScale.Skipped);
        return counters;
    }

    static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);

    /// <summary>A number that a checkpoint's header must have.</summary>
    public static T Number<T>(SafetensorsFile file, string key) where T : IParsable<T> =>
        file.Metadata.TryGetValue(key, out string? text) && T.TryParse(text, CultureInfo.InvariantCulture, out T? value)
            ? value
            : throw new ModelFileException($"{file.Description}: its header has no '{key}': is it the checkpoint of a training run?");
}
