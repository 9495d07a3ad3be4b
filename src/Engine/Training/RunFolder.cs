using System.Security.Cryptography;
using System.Text.Json;
using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Text;
using ClipSegNative.Weights;

namespace ClipSegNative.Training;

/// <summary>
/// The folder of a run, which is a model folder at the same time: the towers and the best decoder so far are the two shards of one model, so that a
/// better decoder replaces one small file. See docs/formats.md.
/// </summary>
/// <param name="path">Made by <see cref="Prepare"/>.</param>
sealed class RunFolder(string path)
{
    public const string SettingsName = "run.json", LastName = "last.safetensors";

    const string TowersName = "towers.safetensors", BestName = "best.safetensors";

    public string Location => path;

    /// <summary>All settings and where they came from: with it a run can be repeated, and one that was killed go on.</summary>
    public string Settings => Path.Combine(path, SettingsName);

    /// <summary>The decoder of the model that this folder is.</summary>
    public string Best => Path.Combine(path, BestName);

    /// <summary>What resuming needs; see <see cref="TrainingState"/>.</summary>
    public string Last => Path.Combine(path, LastName);

    public string Samples => Path.Combine(path, "samples");

    public string Features => Path.Combine(path, "features.cache");

    /// <summary>Whether something lies there that a new run must not touch; what a killed write left does not count.</summary>
    public bool IsTaken => Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any(entry => !Path.GetFileName(entry).StartsWith('.'));

    string Index => Path.Combine(path, WeightFiles.Index);

    /// <summary>
    /// Writes the settings, then, where that has not been done, makes the folder a model with the decoder that training begins with. What is wrong with
    /// the settings is found before anything is written.
    /// </summary>
    /// <param name="settings">Checked.</param>
    /// <param name="documents">Files about the run, <see cref="SettingsName"/> among them.</param>
    /// <exception cref="ModelFileException">A model that the settings name cannot be used.</exception>
    /// <exception cref="TrainingException">The settings ask for a decoder that does not exist.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public void Prepare(TrainingSettings settings, params ReadOnlySpan<(string Name, Action<Stream> Write)> documents)
    {
        ClipSegConfig config = DecoderChoice.Configure(settings);
        using var towers = new PrefixedWeights(WeightFiles.Open(settings.Clip));
        using PrefixedWeights? start = settings.Init is null ? null : new PrefixedWeights(WeightFiles.Open(settings.Init));
        (string Name, Shape Shape)[] frozen = [.. ClipTensors.All(config.Text, config.Vision, config.ProjectionSize)], trained = [.. ClipSegTensors.Decoder(config)];
        ClipSegTensors.Verify(towers, config, frozen);
        if (start is not null) ClipSegTensors.Verify(start, config, trained);

        Directory.CreateDirectory(Samples);
        foreach (string left in Directory.EnumerateFiles(path, ".*.tmp")) File.Delete(left);   // of a write that was killed
        foreach ((string name, Action<Stream> write) in documents) AtomicFile.Write(Path.Combine(path, name), write);
        if (File.Exists(Index)) return;
        ClipVocabulary.Copy(settings.Clip, path);
        // A plain CLIP's own is for its 224 pixels and its statistics; CLIPSeg has others on the same towers.
        PreprocessorConfig preprocessing = ClipSegConfig.Describes(settings.Clip) || PreprocessorConfig.IsForSegmentation(settings.Clip) ? PreprocessorConfig.Read(settings.Clip) : new PreprocessorConfig();
        AtomicFile.Write(Path.Combine(path, PreprocessorConfig.FileName), preprocessing.WriteJson);
        AtomicFile.Write(Path.Combine(path, ClipSegConfig.FileName), config.WriteJson);
        SafetensorsWriter.Write(Path.Combine(path, TowersName), [.. frozen.Select(tensor => Copy(towers, tensor.Name))]);
        SafetensorsWriter.Write(Best, [.. trained.Select(tensor => start is null
            ? new WeightToWrite(tensor.Name, tensor.Shape, values => RandomWeights.Fill(values, tensor.Name, tensor.Shape, config, settings.Seed))
            : Copy(start, tensor.Name))]);
        AtomicFile.Write(Index, stream => WriteIndex(stream, frozen, trained));   // last: from now on this is a model
    }

    public ClipSegConfig ReadConfig() => ClipSegConfig.Read(path);

    public IWeightSource OpenModel() => WeightFiles.Open(path);

    /// <summary>A text that differs where the towers, or what is done to pictures before them, differ.</summary>
    public string TowerFingerprint() => string.Concat(new[] { TowersName, ClipSegConfig.FileName, PreprocessorConfig.FileName }.Select(name =>
    {
        using FileStream file = File.OpenRead(Path.Combine(path, name));
        return Convert.ToHexString(SHA256.HashData(file));
    }));

    static WeightToWrite Copy(PrefixedWeights source, string name)
    {
        source.TryFind(name, out WeightEntry entry);   // Verify has found it
        return new WeightToWrite(name, entry.Shape, entry.ToSingle, entry.Type == DType.F16 ? DType.F16 : DType.F32);
    }

    static void WriteIndex(Stream stream, (string Name, Shape Shape)[] frozen, (string Name, Shape Shape)[] trained)
    {
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        json.WriteStartObject("metadata");
        json.WriteEndObject();
        json.WriteStartObject("weight_map");
        foreach ((string name, _) in frozen) json.WriteString(name, TowersName);
        foreach ((string name, _) in trained) json.WriteString(name, BestName);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
