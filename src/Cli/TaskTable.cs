using System.Text;
using ClipSegNative.Data;
using ClipSegNative.Evaluation;

namespace ClipSegNative.Cli;

/// <summary>The CSV of <c>evaluate</c> (RFC 4180): a line a task. Kept as text, some hundred bytes a task, since the file appears whole or not at all.</summary>
sealed class TaskTable
{
    readonly StringBuilder _text = new("task_id,image_id,phrase,outcome,area,tp,fp,fn,tn,iou,dice,accuracy\n");

    public void Add(PhraseTask task, TaskScore score)
    {
        PixelCounts counts = score.Counts;
        switch (score.Outcome)
        {
            case Outcome.Evaluated:
                AddLine(task, $"evaluated,{score.Share:0.######},{counts.TruePositives},{counts.FalsePositives},{counts.FalseNegatives},{counts.TrueNegatives},"
                    + $"{counts.OfficialIntersectionOverUnion:0.######},{counts.Dice:0.######},{counts.Accuracy:0.######}");
                break;
            case Outcome.LeftOut:
                AddLine(task, $"skipped,{score.Share:0.######},,,,,,,");
                break;
            default:
                AddLine(task, "missing,,,,,,,,");
                break;
        }
    }

    public void AddFailure(PhraseTask task) => AddLine(task, "failed,,,,,,,,");

    public void Save(Stream stream) => stream.Write(Encoding.UTF8.GetBytes(_text.ToString()));

    void AddLine(PhraseTask task, string rest) => _text.Append(Quoted(task.TaskId)).Append(',').Append(task.ImageId).Append(',').Append(Quoted(task.Phrase)).Append(',').Append(rest).Append('\n');

    static string Quoted(string text) => text.AsSpan().ContainsAny(",\"\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
