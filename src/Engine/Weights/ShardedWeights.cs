using System.Text.Json;
using static ClipSegNative.Weights.MessageText;

namespace ClipSegNative.Weights;

/// <summary>Several .safetensors files behind one index, as Hugging Face splits large models: <c>{"weight_map": {name: file}}</c>.</summary>
sealed class ShardedWeights : IWeightSource
{
    const int MaxIndexBytes = 100_000_000;

    readonly Dictionary<string, SafetensorsFile> _shards = [];
    readonly Dictionary<string, string> _shardOf = [];

    /// <param name="indexPath">model.safetensors.index.json; the shards lie beside it.</param>
    /// <exception cref="ModelFileException">The index or a shard is missing, damaged or at odds with the other.</exception>
    public ShardedWeights(string indexPath)
    {
        Description = indexPath;
        string folder = Path.GetDirectoryName(Path.GetFullPath(indexPath))!;
        try
        {
            ReadIndex(indexPath);
            string[] files = [.. _shardOf.Values.Distinct().Order(StringComparer.Ordinal)];
            string[] missing = [.. files.Where(file => !File.Exists(Path.Combine(folder, file)))];
            if (missing.Length > 0) throw Refuse($"{Shown(string.Join(", ", missing))} {(missing.Length == 1 ? "is" : "are")} missing beside it: fetch every shard");
            foreach (string file in files) _shards.Add(file, new SafetensorsFile(Path.Combine(folder, file)));
            foreach ((string name, string file) in _shardOf)
                if (!_shards[file].Contains(name)) throw Refuse($"says that '{Shown(name)}' is in {Shown(file)}, which does not hold it: fetch index and shards again");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Description { get; }

    public IReadOnlyCollection<string> Names => _shardOf.Keys;

    public bool TryFind(string name, out WeightEntry entry)
    {
        entry = default;
        return _shardOf.TryGetValue(name, out string? file) && _shards[file].TryFind(name, out entry);
    }

    public void Dispose()
    {
        foreach (SafetensorsFile shard in _shards.Values) shard.Dispose();
    }

    void ReadIndex(string path)
    {
        using JsonDocument document = JsonSection.Load(path, MaxIndexBytes);
        if (document.RootElement.ValueKind != JsonValueKind.Object
            || !document.RootElement.TryGetProperty("weight_map", out JsonElement map) || map.ValueKind != JsonValueKind.Object)
            throw Refuse("has no object 'weight_map': is this a safetensors index?");
        foreach (JsonProperty pair in map.EnumerateObject())
        {
            if (pair.Value.ValueKind != JsonValueKind.String) throw Refuse($"'{Shown(pair.Name)}' maps to {Shown(pair.Value.GetRawText())}, expected a file name");
            string file = pair.Value.GetString()!;
            // A name must not lead out of the folder: no separators of either system, no drives or streams, no hidden climb.
            if (file.AsSpan().ContainsAny("/\\:\0") || file.Contains("..") || !file.EndsWith(WeightFiles.Extension, StringComparison.Ordinal))
                throw Refuse($"'{Shown(pair.Name)}' maps to '{Shown(file)}', expected the plain name of a {WeightFiles.Extension} file in the same folder");
            if (!_shardOf.TryAdd(pair.Name, file)) throw Refuse($"names '{Shown(pair.Name)}' twice");
        }
    }

    ModelFileException Refuse(string problem) => new($"{Description}: {problem}.");
}
