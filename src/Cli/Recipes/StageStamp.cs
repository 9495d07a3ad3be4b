using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ClipSegNative.Cli.Recipes;

/// <summary>What is noted of a stage beside its results.</summary>
/// <param name="Key">Differs where its command, or that of a stage it needs, differs.</param>
/// <param name="Command">As people would type it.</param>
/// <param name="Seconds">How long it took over all its starts.</param>
/// <param name="Finished">Whether it ended well.</param>
sealed record StageStamp(string Key, string Command, double Seconds, bool Finished)
{
    /// <summary>Null where there is none that can be read.</summary>
    public static StageStamp? Read(string file)
    {
        try { return File.Exists(file) ? JsonSerializer.Deserialize(File.ReadAllBytes(file), RecipeJson.Default.StageStamp) : null; }
        catch (JsonException) { return null; }
    }

    public void Write(string file) => AtomicFile.Write(file, stream => JsonSerializer.Serialize(stream, this, RecipeJson.Default.StageStamp));

    /// <summary>The keys of stages in their order.</summary>
    public static IReadOnlyDictionary<string, string> Keys(IReadOnlyList<Stage> stages)
    {
        var keys = new Dictionary<string, string>();
        for (int i = 0; i < stages.Count; i++)
        {
            IEnumerable<string> needed = stages.Take(i).Where(stages[i].Needs).Select(other => keys[other.Name]);
            byte[] text = Encoding.UTF8.GetBytes(string.Join('\n', needed.Prepend(stages[i].Shown)));
            keys[stages[i].Name] = Convert.ToHexStringLower(SHA256.HashData(text));
        }
        return keys;
    }
}
