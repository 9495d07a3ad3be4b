using ClipSegNative.Calibration;
using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;
using ClipSegNative.Weights;

namespace ClipSegNative.Cli;

/// <summary>What a model folder holds, as its configuration and the weight file's header tell.</summary>
sealed record ModelInfo(
    string Folder,
    string Type,
    string Decoder,
    IReadOnlyList<int> FeatureWidths,
    IReadOnlyList<int> ExtractLayers,
    string Vision,
    string Text,
    int ProjectionSize,
    int WorkingWidth,
    int WorkingHeight,
    long Parameters,
    string File,
    long FileBytes,
    string Stored,
    int Vocabulary,
    float Threshold,
    float? Presence,
    CalibrationOutcome? Calibration)
{
    /// <exception cref="ModelFileException">A file is missing or damaged, or the weights do not fit the configuration.</exception>
    public static ModelInfo Read(string model)
    {
        string folder = WeightFiles.FolderOf(model);
        ClipSegConfig config = ClipSegConfig.Read(folder);
        PreprocessorConfig preprocessing = PreprocessorConfig.Read(folder);
        SegmentationConfig? answers = SegmentationConfig.Read(folder);
        using var weights = new PrefixedWeights(WeightFiles.Open(model));
        ClipSegTensors.Verify(weights, config);
        (ClipVisionConfig vision, ClipTextConfig text) = (config.Vision, config.Text);
        return new ModelInfo(
            folder,
            "clipseg",
            config.Conv is { } conv
                ? $"convolutional, stages of {string.Join(", ", conv.Channels)} channels"
                : $"transformer with the {(config.ComplexUpsampler ? "refined (three-step)" : "simple")} upsampler",
            config.FeatureWidths,
            config.ExtractLayers,
            $"{vision.Layers} layers of {vision.HiddenSize}, {vision.Heads} heads, patches of {vision.PatchSize}, trained at {vision.ImageSize}",
            $"{text.Layers} layers of {text.HiddenSize}, {text.Heads} heads, up to {text.Positions} tokens",
            config.ProjectionSize,
            preprocessing.Width,
            preprocessing.Height,
            ClipSegTensors.All(config).Sum(tensor => tensor.Shape.Elements),
            weights.Description,
            BytesOf(weights.Description),
            string.Join(", ", ClipSegTensors.All(config).Select(tensor => TypeOf(weights, tensor.Name)).Distinct().Order(StringComparer.Ordinal)),
            ClipVocabulary.Load(folder).Size,
            answers?.Threshold ?? Segmentation.DefaultThreshold,
            answers?.PresenceThreshold,
            answers?.Fitted);
    }

    /// <summary>Of an index, those of every shard beside it.</summary>
    static long BytesOf(string file) => file.EndsWith(WeightFiles.Index, StringComparison.OrdinalIgnoreCase)
        ? Directory.EnumerateFiles(Path.GetDirectoryName(file)!, $"*{WeightFiles.Extension}").Sum(shard => new FileInfo(shard).Length)
        : new FileInfo(file).Length;

    static string TypeOf(PrefixedWeights weights, string name) => weights.TryFind(name, out WeightEntry entry) ? $"{entry.Type}" : "";
}
