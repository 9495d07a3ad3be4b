using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using ClipSegNative.Training;

namespace ClipSegNative.Cli;

/// <summary>
/// The settings of a training run as options: each is also a key of the configuration file, with _ for -, and an environment variable, as in
/// CLIPSEG_LEARNING_RATE. The command line wins over the environment, the environment over the file, the file over the defaults.
/// </summary>
sealed class TrainOptions
{
    const string VariablePrefix = "CLIPSEG_", About = "about";

    static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    static readonly (string Key, string HelpName, string Description)[] Table =
    [
        ("data", "REFER.json", "Phrases to learn from: an annotation file as PhraseCut has it, or a PhraseCut folder and its split, as in phrasecut/train"),
        ("images", "DIR", "Their pictures; else the folder images beside the annotations"),
        ("clip", "DIR", "A model folder with CLIP's towers, which stay as they are (weights init makes one)"),
        ("decoder", "transformer|conv", "CLIPSeg's decoder, or a convolutional one"),
        ("size", "SIZE", "small, base, large or a preset; else as --init or --clip has it, else base"),
        ("init", "DIR", "Start from the decoder of this model; else from random values"),
        ("loss", "LOSS", "bce, dice, focal, tversky, or a sum such as bce+dice"),
        ("steps", "N", "Optimiser steps; else --epochs decides"),
        ("epochs", "N", "Passes over the phrases"),
        ("batch", "N", "Phrases at once"),
        ("accumulate", "N", "Batches a step"),
        ("learning_rate", "R", "Highest learning rate of AdamW"),
        ("schedule", "cosine|constant", "How the learning rate goes on after the warm-up"),
        ("warm_up", "N", "Steps in which the learning rate rises"),
        ("min_learning_rate", "R", "Where the cosine ends"),
        ("weight_decay", "R", "Of every parameter"),
        ("clip_norm", "R", "Longer gradients are shortened to this; 0: never"),
        ("seed", "N", "The same seed gives the same weights"),
        ("negatives", "SHARE", "Share of phrases replaced by others that the picture does not answer"),
        ("crop", "author|none", "A random square as CLIPSeg's authors cut it, or whole pictures, whose features can be kept"),
        ("templates", "none|fixed|shuffle|shuffle+", "Sentences that phrases are put in"),
        ("visual_prompts", "", "Mix phrases with pictures that show the same thing, as CLIPSeg's authors do"),
        ("flip", "", "Mirror every second picture"),
        ("limit", "N", "Only the first so many phrases"),
        ("strict", "", "Stop at the first broken record or picture instead of leaving it out"),
        ("val", "REFER.json", "Phrases to validate on; the best decoder is kept"),
        ("val_images", "DIR", "Their pictures; else --images"),
        ("val_limit", "N", "Only the first so many of them"),
        ("validate_every", "N", "Steps from one validation to the next"),
        ("patience", "N", "Stop after so many validations that were no better; 0: never"),
        ("save_every", "N", "Steps from one checkpoint to the next"),
        ("samples", "N", "Phrases drawn at each validation, else checkpoint: photo, target, prediction"),
        ("workers", "N", "Threads that read pictures"),
        ("device", "DEVICE", "auto, cpu, cuda or cuda:N"),
        ("threads", "N", "CPU threads; else one a core"),
        ("feature_cache", "MB", "Memory for what the image tower makes of whole pictures"),
        ("feature_cache_disk", "MB", "Disk in the run folder for the same"),
    ];

    static readonly JsonObject Defaults = ToJson(new TrainingSettings());

    readonly Dictionary<string, Option<string?>> _options = [];

    public TrainOptions()
    {
        foreach ((string key, string helpName, string description) in Table)
        {
            string fallback = Defaults[key] is { } value && $"{value}" is not ("" or "0") && KindOf(key) != typeof(bool) ? $"; else {value}" : "";
            _options[key] = new Option<string?>($"--{key.Replace('_', '-')}")
            {
                Description = description + (description.Contains("else ", StringComparison.Ordinal) ? "" : fallback),
                HelpName = helpName.Length > 0 ? helpName : "BOOL",
                Arity = KindOf(key) == typeof(bool) ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
            };
            if (helpName.Contains('|', StringComparison.Ordinal)) _options[key].CompletionSources.Add(helpName.Split('|'));
        }
    }

    public IEnumerable<Option> All => Table.Select(row => _options[row.Key]);

    /// <summary>The settings, and for each that is not the default, who gave it.</summary>
    /// <param name="files">Configuration files, the weaker first.</param>
    /// <param name="parse">The command line.</param>
    /// <param name="host">Its environment.</param>
    /// <exception cref="UsageException">A file cannot be read, a key is unknown, or a value is not of its kind.</exception>
    public (TrainingSettings Settings, IReadOnlyDictionary<string, string> Sources) Merge(IEnumerable<string> files, ParseResult parse, Host host)
    {
        var json = (JsonObject)Defaults.DeepClone();
        var sources = new Dictionary<string, string>();
        foreach (string file in files)
            foreach ((string key, string text) in ReadFile(file)) Set(key, text, file, $"{file}: '{key}'");
        foreach ((string key, _, _) in Table)
        {
            string variable = VariablePrefix + key.ToUpperInvariant();
            if (host.Setting(variable) is { } text) Set(key, text, variable, variable);
        }
        foreach ((string key, Option<string?> option) in _options)
            if (parse.GetResult(option) is { Implicit: false } result) Set(key, result.Tokens.Count == 0 ? "true" : result.Tokens[0].Value, "command line", option.Name);
        return (json.Deserialize(TrainingJson.Default.TrainingSettings)!, sources);

        void Set(string key, string text, string source, string place)
        {
            json[key] = Value(key, text, place);
            sources[key] = source;
        }
    }

    /// <summary>The merged settings as a configuration file that says where each comes from.</summary>
    public static string Print(TrainingSettings settings, IReadOnlyDictionary<string, string> sources)
    {
        JsonObject json = ToJson(settings);
        return "{\n" + string.Concat(json.Select((pair, i) =>
            $"  \"{pair.Key}\": {pair.Value?.ToJsonString() ?? "null"}{(i < json.Count - 1 ? "," : "")}{(sources.TryGetValue(pair.Key, out string? source) ? $"   // {source}" : "")}\n")) + "}";
    }

    public static JsonObject ToJson(TrainingSettings settings) => JsonSerializer.SerializeToNode(settings, TrainingJson.Default.TrainingSettings)!.AsObject();

    static IEnumerable<(string Key, string Text)> ReadFile(string path)
    {
        using JsonDocument document = Parse(path);
        foreach (JsonProperty property in document.RootElement.EnumerateObject())
        {
            if (property.NameEquals(About)) continue;
            if (!Defaults.ContainsKey(property.Name)) throw new UsageException($"{path}: there is no setting '{property.Name}'; there are {string.Join(", ", Defaults.Select(pair => pair.Key))}.");
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

    static JsonValue Value(string key, string text, string place)
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

    static Type KindOf(string key)
    {
        JsonPropertyInfo property = TrainingJson.Default.TrainingSettings.Properties.Single(property => property.Name == key);
        return Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
    }
}
