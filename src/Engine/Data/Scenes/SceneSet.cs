using System.Text.Json;

namespace ClipSegNative.Data.Scenes;

/// <summary>A folder of scenes: pictures, PhraseCut-format phrases by split, captions, what the objects are.</summary>
static class SceneSet
{
    public const string Pictures = "images", Captions = "captions.json", Probes = "probes.json", Scenes = "scenes.json";

    public const string Train = "refer_train.json", Seen = "refer_seen.json", Unseen = "refer_unseen.json", UnseenShapes = "refer_unseen_shapes.json",
        Relations = "refer_relations.json", Negative = "refer_negative.json", NearMiss = "refer_nearmiss.json";

    /// <param name="folder">There, empty.</param>
    /// <param name="seed">The same seed gives the same bytes, and a larger count the same first pictures.</param>
    /// <param name="count">Pictures.</param>
    /// <param name="side">Of each, in pixels.</param>
    /// <param name="written">Is told how many pictures there are so far.</param>
    /// <param name="cancellation">Stops between two pictures.</param>
    public static void Write(string folder, ulong seed, int count, int side, Action<int> written, CancellationToken cancellation)
    {
        string pictures = Directory.CreateDirectory(Path.Combine(folder, Pictures)).FullName;
        using var lists = new SceneLists(folder);
        foreach (RenderedScene scene in RenderedScene.Render(seed, count, side, cancellation))
        {
            AtomicFile.Write(Path.Combine(pictures, scene.FileName), stream => stream.Write(scene.Png));
            lists.Add(scene);
            written(scene.Number);
        }
        AtomicFile.Write(Path.Combine(folder, Probes), WriteProbes);
        lists.Complete();
    }

    static void WriteProbes(Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, SceneLists.Readable);
        json.WriteStartObject();
        Probe<SceneColour>("colour", value => SceneWords.Noun(null, value, null, null));
        Probe<SceneShape>("shape", value => SceneWords.Noun(null, null, null, value));
        Probe<ScenePattern>("pattern", value => SceneWords.Noun(null, null, value, null));
        Probe<SceneSize>("size", value => SceneWords.Noun(value, null, null, null));
        json.WriteEndObject();

        void Probe<T>(string attribute, Func<T, string> noun) where T : struct, Enum
        {
            json.WriteStartObject(attribute);
            foreach (T value in Enum.GetValues<T>()) json.WriteString(SceneWords.Word(value), SceneWords.WithArticle(noun(value)));
            json.WriteEndObject();
        }
    }
}
