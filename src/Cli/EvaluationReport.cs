using System.Text.Json.Nodes;
using ClipSegNative.Evaluation;

namespace ClipSegNative.Cli;

/// <summary>What <c>evaluate</c> says, for programs and for people; the keys are listed in docs/formats.md.</summary>
/// <param name="evaluator">Has seen all tasks.</param>
/// <param name="presence">The score below which masks were empty; null without a model.</param>
/// <param name="failed">Tasks that could not be judged.</param>
sealed class EvaluationReport(Evaluator evaluator, float? presence, int failed)
{
    const int NameWidth = 18, NumberWidth = 8, Gap = 2;

    /// <summary>Places among the 49 thresholds of those that the authors report: 0.1, 0.2, 0.3 and 0.5.</summary>
    static readonly int[] Reported = [4, 9, 14, 24];

    public JsonObject ToJson()
    {
        PhraseCutMetrics all = evaluator.Official;
        var json = new JsonObject
        {
            ["protocol"] = evaluator.Protocol == EvaluationProtocol.PhraseCut ? "phrasecut" : "clipseg",
            ["threshold"] = evaluator.Threshold,
        };
        if (presence is not null) json["presence"] = presence;
        json["evaluated"] = all.Tasks;
        json["skipped"] = evaluator.LeftOut;
        json["missing"] = evaluator.Missing;
        json["failed"] = failed;
        AddOfficial(json, all);
        json["mean_iou_all"] = all.MeanIoU * all.Tasks / (all.Tasks + evaluator.Missing + failed);
        json["accuracy"] = evaluator.Plain.Accuracy;
        json["dice"] = evaluator.Plain.Dice;
        json["iou"] = evaluator.Plain.IntersectionOverUnion;
        PixelCounts pooled = evaluator.Plain.Pooled;
        json["accuracy_pooled"] = pooled.Accuracy;
        json["dice_pooled"] = pooled.Dice;
        json["iou_pooled"] = pooled.IntersectionOverUnion;
        if (evaluator.Protocol == EvaluationProtocol.ClipSeg) AddThresholds(json, evaluator.Thresholds);
        if (evaluator.EmptyTargets > 0)
        {
            json["empty_targets"] = evaluator.EmptyTargets;
            json["empty_rate"] = evaluator.EmptyMasks / (double)evaluator.EmptyTargets;
        }
        var subsets = new JsonObject();
        foreach ((string name, PhraseCutMetrics metrics) in evaluator.Subsets.OrderBy(subset => subset.Key, StringComparer.Ordinal))
        {
            var subset = new JsonObject { ["evaluated"] = metrics.Tasks };
            AddOfficial(subset, metrics);
            subsets[name] = subset;
        }
        json["subsets"] = subsets;
        return json;
    }

    public void Print(TextWriter output)
    {
        JsonObject json = ToJson();
        foreach ((string name, JsonNode? value) in json)
            if (value is JsonValue number) output.WriteLine($"{name,-NameWidth}{Shown(number),NumberWidth}");
        if (json["subsets"] is not JsonObject { Count: > 0 } subsets) return;
        output.WriteLine();
        WriteRow("", subsets[0]!, column => column.Key);
        foreach ((string name, JsonNode? row) in subsets) WriteRow(name, row!, column => Shown(column.Value!.AsValue()));

        void WriteRow(string name, JsonNode row, Func<KeyValuePair<string, JsonNode?>, string> cell)
        {
            output.Write($"{name,-NameWidth}");
            foreach (KeyValuePair<string, JsonNode?> column in row.AsObject()) output.Write(cell(column).PadLeft(Math.Max(column.Key.Length, NumberWidth) + Gap));
            output.WriteLine();
        }
    }

    static void AddOfficial(JsonObject json, PhraseCutMetrics metrics)
    {
        json["mean_iou"] = metrics.MeanIoU;
        json["cumulative_iou"] = metrics.CumulativeIoU;
        for (int level = 0; level < PhraseCutMetrics.Levels.Length; level++) json[$"pr@{PhraseCutMetrics.Levels[level]:0.0}"] = metrics.Precision(level);
    }

    static void AddThresholds(JsonObject json, ThresholdMetrics metrics)
    {
        foreach ((string name, Func<int, double> metric) in new (string, Func<int, double>)[]
            { ("miou", metrics.MeanIoU), ("iou_fg", metrics.ForegroundIoU), ("iou_bin", metrics.BinaryIoU) })
        {
            int best = ThresholdMetrics.Best(metric);
            json[name] = metric(best);
            json[$"{name}_threshold"] = Math.Round(ThresholdCounts.Threshold(best), 2);
            foreach (int index in Reported) json[$"{name}@{ThresholdCounts.Threshold(index):0.0}"] = metric(index);
        }
        json["ap"] = metrics.AveragePrecision();
    }

    static string Shown(JsonValue value) => value.TryGetValue(out double number) ? $"{number:0.0000}" : value.ToString();
}
