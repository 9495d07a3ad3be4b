using System.Text.Json;

namespace ClipSegNative.Data.Scenes;

/// <summary>The lists of a scene set, written as the scenes come and put in place when all are there.</summary>
sealed class SceneLists : IDisposable
{
    /// <summary>Diffable, and the same on every system.</summary>
    public static readonly JsonWriterOptions Readable = new() { Indented = true, NewLine = "\n" };

    readonly Dictionary<string, JsonList> _lists;

    public SceneLists(string folder)
    {
        string[] names =
        [
            SceneSet.Train, SceneSet.Seen, SceneSet.Unseen, SceneSet.UnseenShapes, SceneSet.Relations, SceneSet.Negative, SceneSet.NearMiss, SceneSet.Captions, SceneSet.Scenes,
        ];
        _lists = names.ToDictionary(name => name, name => new JsonList(Path.Combine(folder, name)));
    }

    public void Add(RenderedScene scene)
    {
        ScenePhrases phrases = PhraseMaker.Make(scene.View.Scene);
        WriteTasks(SceneSet.Seen, scene, "s", phrases.Seen);
        WriteTasks(SceneSet.Unseen, scene, "u", phrases.Unseen);
        WriteTasks(SceneSet.UnseenShapes, scene, "h", phrases.UnseenShapes);
        WriteTasks(SceneSet.Relations, scene, "r", phrases.Relations);
        WriteTasks(SceneSet.Negative, scene, "n", phrases.Negative);
        WriteTasks(SceneSet.NearMiss, scene, "m", phrases.NearMiss);
        // Nothing held out, and two absent things to some four that are there.
        WriteTasks(SceneSet.Train, scene, "t", [.. phrases.Seen, .. phrases.Relations, .. phrases.Negative, .. phrases.NearMiss]);
        WriteCaptions(scene);
        WriteObjects(scene);
    }

    /// <summary>All scenes are there; without this, disposing removes the lists.</summary>
    public void Complete()
    {
        foreach (JsonList list in _lists.Values) list.Complete();
    }

    public void Dispose()
    {
        foreach (JsonList list in _lists.Values) list.Dispose();
    }

    void WriteTasks(string file, RenderedScene scene, string prefix, IReadOnlyList<ScenePhrase> phrases)
    {
        Utf8JsonWriter json = _lists[file].Json;
        for (int i = 0; i < phrases.Count; i++)
        {
            ScenePhrase phrase = phrases[i];
            json.WriteStartObject();
            json.WriteString("task_id", $"{scene.Number}__{prefix}{i}");
            json.WriteNumber("image_id", scene.Number);
            json.WriteString("phrase", phrase.Text);
            WriteStructure(json, phrase);
            json.WriteStartArray("instance_boxes");
            foreach (int target in phrase.Targets) WriteNumbers(json, scene.View.Box(target));
            json.WriteEndArray();
            json.WriteStartArray("Polygons");
            foreach (int target in phrase.Targets) WritePolygons(json, scene.View.Polygons(target));
            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    static void WriteStructure(Utf8JsonWriter json, ScenePhrase phrase)
    {
        SceneQuery query = phrase.Query;
        json.WriteStartObject("phrase_structure");
        json.WriteString("name", SceneWords.Word(query.Shape!.Value));
        json.WriteStartArray("attributes");
        foreach (string word in SceneWords.Noun(query.Size, query.Colour, query.Pattern, null).Split(' ')[..^1]) json.WriteStringValue(word);
        json.WriteEndArray();
        json.WriteStartArray("relation_descriptions");
        if (phrase.Relation is { } relation)
        {
            json.WriteStartArray();
            json.WriteStringValue(relation.Predicate);
            json.WriteStringValue(relation.Name);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteString("type", phrase.Relation is null ? "attribute" : "relation");
        json.WriteEndObject();
    }

    void WriteCaptions(RenderedScene scene)
    {
        Utf8JsonWriter json = _lists[SceneSet.Captions].Json;
        json.WriteStartObject();
        json.WriteString("file_name", scene.FileName);
        json.WriteStartArray("captions");
        json.WriteStringValue(SceneCaptions.Of(scene.View.Scene));
        json.WriteEndArray();
        json.WriteStartArray("regions");
        for (int i = 0; i < scene.View.Objects.Count; i++)
        {
            SceneObject thing = scene.View.Objects[i];
            json.WriteStartObject();
            json.WritePropertyName("box");
            WriteNumbers(json, scene.View.Box(i));
            json.WriteStartArray("captions");
            foreach (string caption in SceneCaptions.Of(scene.View.Scene, thing)) json.WriteStringValue(caption);
            json.WriteEndArray();
            WriteAttributes(json, thing);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    void WriteObjects(RenderedScene scene)
    {
        Utf8JsonWriter json = _lists[SceneSet.Scenes].Json;
        json.WriteStartObject();
        json.WriteNumber("image_id", scene.Number);
        json.WriteString("file_name", scene.FileName);
        json.WriteStartArray("objects");
        for (int i = 0; i < scene.View.Objects.Count; i++)
        {
            json.WriteStartObject();
            WriteAttributes(json, scene.View.Objects[i]);
            json.WriteNumber("visible_pixels", scene.View.VisiblePixels(i));
            json.WritePropertyName("polygons");
            WritePolygons(json, scene.View.Polygons(i));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    static void WriteAttributes(Utf8JsonWriter json, SceneObject thing)
    {
        json.WriteStartObject("attributes");
        json.WriteString("size", SceneWords.Word(thing.Size));
        json.WriteString("colour", SceneWords.Word(thing.Colour));
        json.WriteString("pattern", SceneWords.Word(thing.Pattern));
        json.WriteString("shape", SceneWords.Word(thing.Shape));
        json.WriteEndObject();
    }

    static void WritePolygons(Utf8JsonWriter json, IReadOnlyList<int[]> polygons)
    {
        json.WriteStartArray();
        foreach (int[] polygon in polygons)
        {
            json.WriteStartArray();
            for (int i = 0; i < polygon.Length; i += 2) WriteNumbers(json, polygon.AsSpan(i, 2));
            json.WriteEndArray();
        }
        json.WriteEndArray();
    }

    static void WriteNumbers(Utf8JsonWriter json, ReadOnlySpan<int> numbers)
    {
        json.WriteStartArray();
        foreach (int number in numbers) json.WriteNumberValue(number);
        json.WriteEndArray();
    }
}
