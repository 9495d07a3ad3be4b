using System.Text.Json;
using ClipSegNative.Weights;

namespace ClipSegNative.Calibration;

/// <summary>
/// How a model's maps become answers, as <c>segmentation_config.json</c> in its folder says: from which probability a pixel counts as found, how likely
/// it is that the thing is there at all, and from which such score on there is a mask. Folders of published models have no such file.
/// </summary>
sealed record SegmentationConfig
{
    public const string FileName = "segmentation_config.json";

    const double MostWeight = 1e6;

    static readonly JsonWriterOptions Indented = new() { Indented = true, NewLine = "\n" };

    /// <summary>In (0, 1).</summary>
    public required float Threshold { get; init; }

    public required PresenceModel Presence { get; init; }

    /// <summary>In [0, 1]: with a lower score, the mask is empty.</summary>
    public required float PresenceThreshold { get; init; }

    /// <summary>What the values were fitted on, and how they did there; null where the file does not say.</summary>
    public CalibrationOutcome? Fitted { get; init; }

    /// <param name="folder">A model folder.</param>
    /// <returns>Null where the folder has no such file.</returns>
    /// <exception cref="ModelFileException">The file is damaged or holds a value that makes no sense.</exception>
    public static SegmentationConfig? Read(string folder)
    {
        string file = Path.Combine(folder, FileName);
        if (!File.Exists(file)) return null;
        using JsonDocument document = JsonSection.Load(file);
        JsonSection json = JsonSection.Top(file, document), presence = json.Child("presence");
        float threshold = (float)Required(json, "threshold", 0, 1);
        if (threshold is 0 or 1) throw json.Refuse("threshold", "a number between 0 and 1");
        return new SegmentationConfig
        {
            Threshold = threshold,
            Presence = new PresenceModel(
                Required(presence, "bias", -MostWeight, MostWeight), Required(presence, "peak", -MostWeight, MostWeight),
                Required(presence, "firmness", -MostWeight, MostWeight), Required(presence, "extent", -MostWeight, MostWeight)),
            PresenceThreshold = (float)Required(presence, "threshold", 0, 1),
            Fitted = json.Has("fitted") ? CalibrationOutcome.Read(json.Child("fitted")) : null,
        };
    }

    public void WriteJson(Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, Indented);
        json.WriteStartObject();
        json.WriteNumber("threshold", Threshold);
        json.WriteStartObject("presence");
        json.WriteNumber("bias", Presence.Bias);
        json.WriteNumber("peak", Presence.Peak);
        json.WriteNumber("firmness", Presence.Firmness);
        json.WriteNumber("extent", Presence.Extent);
        json.WriteNumber("threshold", PresenceThreshold);
        json.WriteEndObject();
        Fitted?.WriteJson(json);
        json.WriteEndObject();
    }

    /// <summary>Replaces the file of a folder; it appears whole or not at all.</summary>
    public void Write(string folder) => AtomicFile.Write(Path.Combine(folder, FileName), WriteJson);

    /// <summary>For weights that were written anew: the calibration that belongs to them, or none. An old one would be wrong.</summary>
    public static void Replace(string folder, SegmentationConfig? config)
    {
        if (config is null) File.Delete(Path.Combine(folder, FileName));
        else config.Write(folder);
    }

    internal static double Required(JsonSection json, string key, double min, double max)
    {
        double value = json.Real(key, double.NaN, min, max);
        return double.IsNaN(value) ? throw json.Refuse(key, $"a number from {min} to {max}") : value;
    }
}
