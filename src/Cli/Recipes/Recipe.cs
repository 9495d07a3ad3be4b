using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace ClipSegNative.Cli.Recipes;

/// <summary>
/// A recipe: command lines of this program with placeholders, and the numbers that fill them. Everything that may be tuned stands in one file; what
/// runs are the very commands that a person would type.
/// </summary>
sealed partial record Recipe
{
    const string Resource = "ClipSegNative.Cli.Recipes.scenes.json";

    /// <summary>Filled in last, so that a folder with spaces stays one argument.</summary>
    const string OutPlace = "{out}";

    // Set, not init: the generated reader gives absent init properties null.

    /// <summary>Placeholder to value: numbers, words, or a whole piece of a command line.</summary>
    public Dictionary<string, JsonElement> Numbers { get; set; } = [];

    /// <summary>What <c>--quick</c> puts over <see cref="Numbers"/>.</summary>
    public Dictionary<string, JsonElement> Quick { get; set; } = [];

    /// <summary>In the order in which they run.</summary>
    public IReadOnlyList<StageTemplate> Stages { get; set; } = [];

    /// <summary>The recipe of the default model, as it is built into the program.</summary>
    public static string BuiltIn
    {
        get
        {
            using var reader = new StreamReader(typeof(Recipe).Assembly.GetManifestResourceStream(Resource)!);
            return reader.ReadToEnd();
        }
    }

    /// <param name="text">JSON; comments are allowed.</param>
    /// <param name="source">For messages.</param>
    /// <exception cref="UsageException">The text is no recipe.</exception>
    public static Recipe Parse(string text, string source)
    {
        try
        {
            return JsonSerializer.Deserialize(text, RecipeJson.Default.Recipe) ?? throw new UsageException($"{source}: is no JSON object with numbers and stages.");
        }
        catch (JsonException error)
        {
            throw new UsageException($"{source}: is no recipe ({error.Message.TrimEnd('.')}).");
        }
    }

    /// <summary>This recipe with another one's numbers over its own, and its stages in place of its own where it has any.</summary>
    public Recipe With(Recipe other) => this with
    {
        Numbers = Over(Numbers, other.Numbers),
        Quick = Over(Quick, other.Quick),
        Stages = other.Stages.Count > 0 ? other.Stages : Stages,
    };

    /// <summary>The stages with everything filled in.</summary>
    /// <param name="folder">Where all of it goes.</param>
    /// <param name="seed">Fills <c>{seed}</c>.</param>
    /// <param name="quick">Whether to use the quick numbers.</param>
    /// <exception cref="UsageException">A placeholder has no value, or two stages have one name.</exception>
    public IReadOnlyList<Stage> Expand(string folder, ulong seed, bool quick)
    {
        Dictionary<string, string> values = (quick ? Over(Numbers, Quick) : Numbers).ToDictionary(pair => pair.Key, pair => pair.Value.ToString());
        values["seed"] = $"{seed}";
        Stage[] stages = [.. Stages.SelectMany(template => template.Cases().Select(each => Make(template, each)))];
        string? twice = stages.GroupBy(stage => stage.Name).FirstOrDefault(group => group.Count() > 1)?.Key;
        return twice is null ? stages : throw new UsageException($"the recipe has two stages '{twice}'.");

        Stage Make(StageTemplate template, IReadOnlyDictionary<string, string> each)
        {
            string command = Fill(template.Run), makes = Fill(template.Makes);
            return new Stage(
                Fill(template.Name), Split(command), Path.GetFullPath(makes.Replace(OutPlace, folder, StringComparison.Ordinal)),
                template.Resume is null ? null : Split(Fill(template.Resume)), template.Scores, command.Replace(OutPlace, "DIR", StringComparison.Ordinal));

            string Fill(string text) => Placeholder().Replace(text, match =>
            {
                string name = match.Groups[1].Value;
                return each.GetValueOrDefault(name) ?? values.GetValueOrDefault(name)
                    ?? (match.Value == OutPlace ? OutPlace : throw new UsageException($"stage '{template.Name}' of the recipe asks for {match.Value}, which has no value."));
            });
        }

        string[] Split(string command) =>
            [.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(argument => argument.Replace(OutPlace, folder, StringComparison.Ordinal))];
    }

    static Dictionary<string, JsonElement> Over(Dictionary<string, JsonElement> lower, Dictionary<string, JsonElement> upper)
    {
        var merged = new Dictionary<string, JsonElement>(lower);
        foreach ((string key, JsonElement value) in upper) merged[key] = value;
        return merged;
    }

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Placeholder();
}

/// <summary>One or more stages of a recipe; every text may hold placeholders.</summary>
/// <param name="Name">Unique once filled in.</param>
/// <param name="Run">A command line without the program's name.</param>
/// <param name="Makes">The file or folder that it makes; stages that name it, or something in it, need this one.</param>
/// <param name="Resume">What to run instead where this stage was cut off; null to begin it again.</param>
/// <param name="Scores">Whether its standard output is what it makes.</param>
/// <param name="Each">Placeholder to values: the stage stands for one for each combination.</param>
sealed record StageTemplate(string Name, string Run, string Makes, string? Resume = null, bool Scores = false, Dictionary<string, string[]>? Each = null)
{
    public IEnumerable<IReadOnlyDictionary<string, string>> Cases()
    {
        IEnumerable<Dictionary<string, string>> cases = [[]];
        foreach ((string place, string[] values) in Each ?? [])
            cases = cases.SelectMany(one => values.Select(value => new Dictionary<string, string>(one) { [place] = value }));
        return cases;
    }
}

/// <summary>A stage with everything filled in.</summary>
/// <param name="Name">Unique.</param>
/// <param name="Arguments">Of this program.</param>
/// <param name="Makes">The full path.</param>
/// <param name="Resume">Arguments to go on with; null to begin again.</param>
/// <param name="Scores">Whether the standard output is what it makes.</param>
/// <param name="Shown">The command line for people, with DIR for the folder.</param>
sealed record Stage(string Name, string[] Arguments, string Makes, string[]? Resume, bool Scores, string Shown)
{
    /// <summary>Whether this stage reads what another one makes.</summary>
    public bool Needs(Stage other) => Arguments.Any(argument =>
    {
        string path = Path.GetFullPath(argument);
        return path == other.Makes || IsIn(path, other.Makes) || IsIn(other.Makes, path);
    });

    static bool IsIn(string path, string folder) => path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, WriteIndented = true, NewLine = "\n")]
[JsonSerializable(typeof(Recipe))]
[JsonSerializable(typeof(StageStamp))]
sealed partial class RecipeJson : JsonSerializerContext;
