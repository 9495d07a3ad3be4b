using System.Text.Json;
using System.Text.Json.Serialization;

namespace ClipSegNative.Cli.Study;

/// <summary>What came of one run: its <c>result.json</c>, whose presence says that the run has ended.</summary>
sealed record RunResult
{
    public const string FileName = "result.json";

    public required StudyRun Run { get; init; }
    /// <summary>Numbers that were learnt.</summary>
    public long Parameters { get; init; }
    /// <summary>The median step, loading included, on one thread, beside the other runs that go on at the same time.</summary>
    public double MillisecondsAStep { get; init; }
    public required IReadOnlyList<LossPoint> Curve { get; init; }
    /// <summary>By the name of the set.</summary>
    public required IReadOnlyDictionary<string, SetScore> Sets { get; init; }
}

/// <summary>A line of <c>metrics.csv</c>; training lines are means over the steps since the last validation.</summary>
/// <param name="Step">Optimiser steps done.</param>
/// <param name="Split">train or val.</param>
/// <param name="Loss">Mean over phrases.</param>
/// <param name="Iou">Mean over phrases: train at one half, val at the best threshold, two empty masks counting 1.</param>
sealed record LossPoint(long Step, string Split, double Loss, double Iou);

/// <summary>The study's files.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n")]
[JsonSerializable(typeof(StudyPlan))]
[JsonSerializable(typeof(RunResult))]
[JsonSerializable(typeof(Dictionary<string, Dictionary<string, SetScore>>), TypeInfoPropertyName = "Baselines")]
sealed partial class StudyJson : JsonSerializerContext
{
    /// <exception cref="DataFileException">The file is damaged, or was written by another version.</exception>
    public static T Read<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type) ?? throw new JsonException("it is empty");
        }
        catch (JsonException error)
        {
            throw new DataFileException($"{path}: is not what compare writes ({error.Message.TrimEnd('.')}); delete it to have it made again.", error);
        }
    }

    public static void Write<T>(string path, T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, value, type));
}
