using System.Text.Json;
using ClipSegNative.Data;
using ClipSegNative.Data.Scenes;
using ClipSegNative.Tests.Weights;

namespace ClipSegNative.Tests.Data.Scenes;

/// <summary>Scenes on disk, and what their files say, read as a stranger would.</summary>
sealed class SceneFolder : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public SceneFolder(ulong seed, int count, int side) => SceneSet.Write(_folder.Location, seed, count, side, _ => { }, CancellationToken.None);

    public string this[string name] => _folder[name];

    public string[] Files => [.. Directory.EnumerateFiles(_folder.Location, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(_folder.Location, file)).Order(StringComparer.Ordinal)];

    /// <summary>Words of the attributes of each object, by picture.</summary>
    public Dictionary<long, List<ObjectWords>> Objects()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(this[SceneSet.Scenes]));
        return document.RootElement.EnumerateArray().ToDictionary(
            scene => scene.GetProperty("image_id").GetInt64(),
            scene => scene.GetProperty("objects").EnumerateArray().Select(thing => thing.GetProperty("attributes")).Select(thing => new ObjectWords(
                Word(thing, "size"), Word(thing, "colour"), Word(thing, "pattern"), Word(thing, "shape"))).ToList());

        static string Word(JsonElement thing, string key) => thing.GetProperty(key).GetString()!;
    }

    /// <summary>The tasks of a file; nothing in it may be a problem.</summary>
    public PhraseTask[] Tasks(string name)
    {
        var problems = new DataProblems(strict: true);
        PhraseTask[] tasks = [.. ReferFile.Read(this[name], problems)];
        Assert.Equal(0, problems.Total);
        Assert.NotEmpty(tasks);
        return tasks;
    }

    public void Dispose() => _folder.Dispose();
}

sealed record ObjectWords(string Size, string Colour, string Pattern, string Shape)
{
    public bool Answers(PhraseStructure phrase) => Shape == phrase.Name && phrase.Attributes.All(word => word == Size || word == Colour || word == Pattern);
}
