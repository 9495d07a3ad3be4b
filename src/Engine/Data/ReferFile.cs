using System.Text.Json;

namespace ClipSegNative.Data;

/// <summary>Reads PhraseCut's <c>refer_*.json</c> record by record, so that a file of any length takes little memory.</summary>
/// <remarks>The format: VGPhraseCut_v0 of github.com/ChenyunWu/PhraseCutDataset.</remarks>
static class ReferFile
{
    /// <summary>The tasks of a file in their order. Memory holds one record and the ids seen.</summary>
    /// <param name="path">The file; problems name it as given here.</param>
    /// <param name="problems">Gets broken and repeated records, polygons of fewer than two points, and an early end; all these are left out.</param>
    /// <exception cref="DataFileException">The file cannot be opened or read; strict problems.</exception>
    public static IEnumerable<PhraseTask> Read(string path, DataProblems problems) =>
        JsonRecords.Read(path, "task", "task_id", (fields, id) => Task(fields, path, id, problems), problems);

    static PhraseTask Task(JsonElement fields, string path, string id, DataProblems problems)
    {
        double[][] Instance(JsonElement instance) => Polygons(instance, path, id, problems);

        string phrase = JsonFields.Text(fields, "phrase", fallback: "");
        if (string.IsNullOrWhiteSpace(phrase)) throw new FormatException("has no phrase");
        return new PhraseTask(
            JsonFields.Name(fields, "task_id"),
            JsonFields.Whole(fields, "image_id"),
            phrase,
            JsonFields.Find(fields, "Polygons") is { } instances ? JsonFields.Each(instances, "Polygons", Instance) : null,
            JsonFields.Find(fields, "instance_boxes") is { } boxes ? JsonFields.Each(boxes, "instance_boxes", Box) : [],
            JsonFields.Find(fields, "phrase_structure") is { } structure ? Structure(structure) : null);
    }

    static double[][] Polygons(JsonElement instance, string path, string id, DataProblems problems)
    {
        double[][] polygons = JsonFields.Each(instance, "Polygons", Polygon);
        if (Array.TrueForAll(polygons, IsPolygon)) return polygons;
        // Without the record: what lost all its polygons is there all the same, and an empty answer would say that it is not.
        if (!Array.Exists(polygons, IsPolygon)) throw new FormatException("has an instance without a polygon of two points or more");
        problems.Skip(DataProblem.BrokenPolygon, path, id, $"has a polygon of {polygons.First(polygon => !IsPolygon(polygon)).Length / 2} points");
        return Array.FindAll(polygons, IsPolygon);

        // Two are enough: the official evaluation draws them as a line.
        static bool IsPolygon(double[] polygon) => polygon.Length >= 4;
    }

    static double[] Polygon(JsonElement points)
    {
        if (points.ValueKind != JsonValueKind.Array) throw new FormatException("has a polygon that is not a list of points");
        var polygon = new double[2 * points.GetArrayLength()];
        int i = 0;
        foreach (JsonElement point in points.EnumerateArray())
        {
            if (point.ValueKind != JsonValueKind.Array || point.GetArrayLength() != 2) throw new FormatException("has a point that is not [x, y]");
            polygon[i++] = JsonFields.Coordinate(point[0]);
            polygon[i++] = JsonFields.Coordinate(point[1]);
        }
        return polygon;
    }

    static double[] Box(JsonElement box)
    {
        double[] sides = JsonFields.Each(box, "instance_boxes", JsonFields.Coordinate);
        return sides.Length == 4 ? sides : throw new FormatException("has a box that is not [x, y, width, height]");
    }

    static PhraseStructure Structure(JsonElement parts) => new(
        JsonFields.Text(parts, "name", fallback: ""),
        JsonFields.Find(parts, "attributes") is { } attributes ? JsonFields.Each(attributes, "attributes", JsonFields.Text) : [],
        JsonFields.Find(parts, "relation_descriptions") is { } relations ? JsonFields.Each(relations, "relation_descriptions", Relation) : [],
        JsonFields.Text(parts, "type", fallback: ""));

    static (string Predicate, string Name) Relation(JsonElement relation)
    {
        string[] parts = JsonFields.Each(relation, "relation_descriptions", JsonFields.Text);
        return parts.Length == 2 ? (parts[0], parts[1]) : throw new FormatException("has a relation that is not [predicate, name]");
    }
}
