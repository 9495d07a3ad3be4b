using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace ClipSegNative.Cli;

/// <summary>What a setting is called in help, and what it does.</summary>
/// <param name="Key">Of the configuration file.</param>
/// <param name="HelpName">What its value is; choices are separated by |; empty for a flag.</param>
/// <param name="Description">One line.</param>
readonly record struct SettingHelp(string Key, string HelpName, string Description);

/// <summary>
/// The settings of a run as options: each is also a key of the configuration file, with _ for -, and an environment variable, as in
/// CLIPSEG_LEARNING_RATE. The command line wins over the environment, the environment over the file, the file over the defaults.
/// </summary>
/// <typeparam name="T">A record of settings that all have defaults.</typeparam>
sealed class SettingOptions<T> where T : new()
{
    const string VariablePrefix = "CLIPSEG_", About = "about";

    static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    readonly IReadOnlyList<SettingHelp> _table;
    readonly JsonTypeInfo<T> _json;
    readonly JsonObject _defaults;
    readonly Dictionary<string, Option<string?>> _options = [];

    /// <param name="table">Every setting, in order of the help.</param>
    /// <param name="json">Keys and kinds.</param>
    public SettingOptions(IReadOnlyList<SettingHelp> table, JsonTypeInfo<T> json)
    {
        (_table, _json) = (table, json);
        _defaults = ToJson(new T());
        foreach ((string key, string helpName, string description) in _table)
        {
            string fallback = _defaults[key] is { } value && $"{value}" is not ("" or "0") && KindOf(key) != typeof(bool) ? $"; else {value}" : "";
            _options[key] = new Option<string?>($"--{key.Replace('_', '-')}")
            {
                Description = description + (description.Contains("else ", StringComparison.Ordinal) ? "" : fallback),
                HelpName = helpName.Length > 0 ? helpName : "BOOL",
                Arity = KindOf(key) == typeof(bool) ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
            };
            if (helpName.Contains('|', StringComparison.Ordinal)) _options[key].CompletionSources.Add(helpName.Split('|'));
        }
    }

    public IEnumerable<Option> All => _table.Select(row => _options[row.Key]);

    /// <summary>The settings, and for each that is not the default, who gave it.</summary>
    /// <param name="files">Configuration files, the weaker first.</param>
    /// <param name="parse">The command line.</param>
    /// <param name="host">Its environment.</param>
    /// <exception cref="UsageException">A file cannot be read, a key is unknown, or a value is not of its kind.</exception>
    public (T Settings, IReadOnlyDictionary<string, string> Sources) Merge(IEnumerable<string> files, ParseResult parse, Host host)
    {
        var json = (JsonObject)_defaults.DeepClone();
        var sources = new Dictionary<string, string>();
        foreach (string file in files)
            foreach ((string key, string text) in ReadFile(file)) Set(key, text, file, $"{file}: '{key}'");
        foreach ((string key, _, _) in _table)
        {
            string variable = VariablePrefix + key.ToUpperInvariant();
            if (host.Setting(variable) is { } text) Set(key, text, variable, variable);
        }
        foreach ((string key, Option<string?> option) in _options)
            if (parse.GetResult(option) is { Implicit: false } result) Set(key, result.Tokens.Count == 0 ? "true" : result.Tokens[0].Value, "command line", option.Name);
        return (json.Deserialize(_json)!, sources);

        void Set(string key, string text, string source, string place)
        {
            json[key] = Value(key, text, place);
            sources[key] = source;
        }
    }

    /// <summary>The merged settings as a configuration file that says where each comes from.</summary>
    public string Print(T settings, IReadOnlyDictionary<string, string> sources)
    {
        JsonObject json = ToJson(settings);
        return "{\n" + string.Concat(json.Select((pair, i) =>
            $"  \"{pair.Key}\": {pair.Value?.ToJsonString() ?? "null"}{(i < json.Count - 1 ? "," : "")}{(sources.TryGetValue(pair.Key, out string? source) ? $"   // {source}" : "")}\n")) + "}";
    }

    public JsonObject ToJson(T settings) => JsonSerializer.SerializeToNode(settings, _json)!.AsObject();

    IEnumerable<(string Key, string Text)> ReadFile(string path)
    {
        using JsonDocument document = Parse(path);
        foreach (JsonProperty property in document.RootElement.EnumerateObject())
        {
            if (property.NameEquals(About)) continue;
            if (!_defaults.ContainsKey(property.Name)) throw new UsageException($"{path}: there is no setting '{property.Name}'; there are {string.Join(", ", _defaults.Select(pair => pair.Key))}.");
            if (property.Value.ValueKind != JsonValueKind.Null) yield return (property.Name, property.Value.ToString());
        }
    }

    static JsonDocument Parse(string path)
    {
        try
        {
            var document = JsonDocument.Parse(File.ReadAllBytes(path), Lenient);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document : throw new UsageException($"{path}: is not a JSON object of settings.");
        }
        catch (JsonException error)
        {
            throw new UsageException($"{path}: is not valid JSON ({error.Message.TrimEnd('.')}).");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path}: cannot be read ({error.Message.TrimEnd('.')}).");
        }
    }

    JsonValue Value(string key, string text, string place)
    {
        Type kind = KindOf(key);
        if (kind == typeof(string)) return JsonValue.Create(text);
        if (kind == typeof(bool)) return JsonValue.Create(bool.TryParse(text, out bool flag) ? flag : throw Refuse("true or false"));
        if (kind == typeof(double))
            return JsonValue.Create(double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double real) && double.IsFinite(real) ? real : throw Refuse("a number"));
        if (kind == typeof(ulong))
            return JsonValue.Create(ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong natural) ? natural : throw Refuse("a whole number from 0"));
        long most = kind == typeof(long) ? long.MaxValue : int.MaxValue;
        return JsonValue.Create(long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole) && Math.Abs(whole) <= most ? whole : throw Refuse("a whole number"));

        UsageException Refuse(string expected) => new($"{place} is '{text}'; it must be {expected}.");
    }

    Type KindOf(string key)
    {
        JsonPropertyInfo property = _json.Properties.Single(property => property.Name == key);
        return Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
    }
}
