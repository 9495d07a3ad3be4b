using System.Text.Json;
using ClipSegNative.Weights;

namespace ClipSegNative.Calibration;

/// <summary>What a calibration was fitted on, and how it did there.</summary>
/// <param name="Present">Phrases that name something in their picture.</param>
/// <param name="Absent">Phrases that name nothing in it.</param>
/// <param name="NearMisses">Phrases that name nothing in it, but nearly something.</param>
/// <param name="MeanIoU">Mean over the present ones, in [0, 1]; an emptied mask counts 0.</param>
/// <param name="AbsentEmpty">Share of the absent ones whose mask is empty, in [0, 1]; 1 where there are none.</param>
/// <param name="NearMissEmpty">Share of the near misses whose mask is empty, in [0, 1]; 1 where there are none.</param>
/// <param name="FloorsMet">Whether all three reach what was asked for.</param>
sealed record CalibrationOutcome(int Present, int Absent, int NearMisses, double MeanIoU, double AbsentEmpty, double NearMissEmpty, bool FloorsMet)
{
    public static CalibrationOutcome Read(JsonSection json) => new(
        json.Integer("present", 0, 0, int.MaxValue),
        json.Integer("absent", 0, 0, int.MaxValue),
        json.Integer("near_misses", 0, 0, int.MaxValue),
        SegmentationConfig.Required(json, "mean_iou", 0, 1),
        SegmentationConfig.Required(json, "absent_empty", 0, 1),
        SegmentationConfig.Required(json, "near_miss_empty", 0, 1),
        json.Flag("floors_met", fallback: false));

    /// <summary>Writes the object into the open one.</summary>
    public void WriteJson(Utf8JsonWriter json)
    {
        json.WriteStartObject("fitted");
        json.WriteNumber("present", Present);
        json.WriteNumber("absent", Absent);
        json.WriteNumber("near_misses", NearMisses);
        json.WriteNumber("mean_iou", MeanIoU);
        json.WriteNumber("absent_empty", AbsentEmpty);
        json.WriteNumber("near_miss_empty", NearMissEmpty);
        json.WriteBoolean("floors_met", FloorsMet);
        json.WriteEndObject();
    }
}
