using System.Text;
using System.Text.Json.Nodes;

namespace ClipSegNative.Cli.Recipes;

/// <summary>
/// What the scoring stages of a recipe measured. Their names say what each is: <c>scores.READER.PHRASES.TARGETS</c>, as in
/// <c>scores.transformer.seen.large</c>.
/// </summary>
sealed class ScoreTable
{
    const string Prefix = "scores";

    readonly List<(string Reader, string Row, double Score, int Phrases)> _cells = [];

    /// <param name="stages">Finished; those that are not scores are passed over.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ScoreTable Read(IEnumerable<Stage> stages)
    {
        var table = new ScoreTable();
        foreach (Stage stage in stages.Where(stage => stage.Scores))
        {
            if (stage.Name.Split('.') is not [Prefix, string reader, string phrases, string targets]) continue;
            JsonObject json = JsonNode.Parse(File.ReadAllText(stage.Makes))!.AsObject();
            int evaluated = (int)json["evaluated"]!, empty = (int?)json["empty_targets"] ?? 0;
            bool negatives = empty == evaluated;
            table._cells.Add((
                reader, $"{phrases}, {targets} | {(negatives ? "empty masks" : "mean IoU")}", (double)(negatives ? json["empty_rate"] : json["mean_iou"])!, evaluated));
        }
        return table;
    }

    /// <summary>A row for each set of phrases, a column for each reader.</summary>
    public string ToMarkdown()
    {
        string[] readers = [.. _cells.Select(cell => cell.Reader).Distinct()];
        if (readers.Length == 0) return "";
        var text = new StringBuilder($"| phrases | measure | number | {string.Join(" | ", readers)} |\n|---|---|---|{string.Concat(readers.Select(_ => "---|"))}\n");
        foreach (IGrouping<string, (string Reader, string Row, double Score, int Phrases)> row in _cells.GroupBy(cell => cell.Row))
        {
            IEnumerable<string> scores = readers.Select(reader => row.Where(cell => cell.Reader == reader).Select(cell => FormattableString.Invariant($"{cell.Score:0.000}")).FirstOrDefault(""));
            text.Append($"| {row.Key} | {row.First().Phrases} | {string.Join(" | ", scores)} |\n");
        }
        return text.ToString();
    }
}
