using System.Text.Json;
using ClipSegNative.Models.Clip;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Models.ClipSeg;

/// <summary>A CLIPSeg model as <c>config.json</c> describes it, with the defaults of Hugging Face's CLIPSegConfig.</summary>
/// <remarks>
/// <c>decoder_hidden_act</c> is not read: the reference decoder uses ReLU whatever it says.
/// Compared as a record, <see cref="ExtractLayers"/> counts by reference.
/// </remarks>
sealed record ClipSegConfig
{
    public const string FileName = ClipConfig.FileName;
    const string ModelType = "clipseg";

    static readonly JsonWriterOptions Indented = new() { Indented = true, NewLine = "\n" };

    public ClipTextConfig Text { get; init; } = new();
    public ClipVisionConfig Vision { get; init; } = new();
    /// <summary>Length of the conditional vector.</summary>
    public int ProjectionSize { get; init; } = 512;
    /// <summary>Numbers of the vision blocks, from 0, whose outputs the decoder reads; the last is used first.</summary>
    public IReadOnlyList<int> ExtractLayers { get; init; } = [3, 6, 9];
    /// <summary>The decoder's width.</summary>
    public int ReduceSize { get; init; } = 64;
    public int DecoderHeads { get; init; } = 4;
    public int DecoderIntermediateSize { get; init; } = 2048;
    /// <summary>The decoder step, from 0, at which FiLM applies the conditional vector.</summary>
    public int ConditionalLayer { get; init; }
    /// <summary>True: a 3x3 convolution and two transposed ones, each patch/4 wide, upsample; false: a single transposed one as wide as a patch.</summary>
    public bool ComplexUpsampler { get; init; }
    /// <summary>The convolutional decoder's sizes; null for CLIPSeg's own transformer decoder, whose sizes stand above.</summary>
    public ConvDecoderConfig? Conv { get; init; }

    /// <summary>Channels to which each extracted activation is reduced, the deepest activation first.</summary>
    public IReadOnlyList<int> FeatureWidths => Conv is null
        ? [.. ExtractLayers.Select(_ => ReduceSize)]
        : [.. Conv.Channels.Take(ExtractLayers.Count)];

    /// <summary>Side of the square of logits that a patch becomes; the patch's own side for the published models.</summary>
    public int LogitsPerPatch => Conv is null && ComplexUpsampler ? Vision.PatchSize / 4 * (Vision.PatchSize / 4) : Vision.PatchSize;

    /// <summary>The published models and this project's own sizes by name.</summary>
    public static IReadOnlyDictionary<string, ClipSegConfig> Presets { get; } = new Dictionary<string, ClipSegConfig>
    {
        ["clipseg-rd64-refined"] = Published() with { ComplexUpsampler = true },
        ["clipseg-rd64"] = Published(),
        ["clipseg-rd16"] = Published() with { ReduceSize = 16 },
        ["clipseg-rd128"] = Published() with { ReduceSize = 128 },
        ["clipseg-conv-small"] = Published() with { Conv = new ConvDecoderConfig { Channels = [64, 48, 32, 16, 8] } },
        ["clipseg-conv-base"] = Published() with { Conv = new ConvDecoderConfig { Channels = [112, 96, 64, 32, 16] } },
        ["clipseg-conv-large"] = Published() with { Conv = new ConvDecoderConfig { Channels = [192, 160, 96, 48, 24] } },
    };

    /// <param name="path">A config.json, or the folder that holds one.</param>
    /// <exception cref="ModelFileException">The file is missing or not JSON, describes another kind of model, or holds a value that makes no sense.</exception>
    public static ClipSegConfig Read(string path)
    {
        string file = Directory.Exists(path) ? Path.Combine(path, FileName) : path;
        using JsonDocument document = JsonSection.Load(file);
        JsonSection json = JsonSection.Top(file, document);
        if (json.Text("model_type") != ModelType) throw json.Refuse("model_type", $"\"{ModelType}\"");
        return Read(json);
    }

    /// <summary>Whether a config.json is a CLIPSeg's; a plain CLIP's is not.</summary>
    /// <param name="path">A config.json, or the folder that holds one.</param>
    /// <exception cref="ModelFileException">The file is missing or not JSON.</exception>
    public static bool Describes(string path)
    {
        string file = Directory.Exists(path) ? Path.Combine(path, FileName) : path;
        using JsonDocument document = JsonSection.Load(file);
        return JsonSection.Top(file, document).Text("model_type") == ModelType;
    }

    static ClipSegConfig Read(JsonSection json)
    {
        var fallback = new ClipSegConfig();
        (ClipTextConfig text, ClipVisionConfig vision, int projection) = ClipConfig.Read(json);
        int[] extract = json.Integers("extract_layers", ClipLimits.Layers, 0, vision.Layers - 1) ?? [.. fallback.ExtractLayers];
        if (extract.Max() >= vision.Layers) throw json.Refuse("extract_layers", $"numbers below the {vision.Layers} layers of vision_config");
        var config = new ClipSegConfig
        {
            Text = text,
            Vision = vision,
            ProjectionSize = projection,
            ExtractLayers = extract,
            ReduceSize = json.Integer("reduce_dim", fallback.ReduceSize, 1, ClipLimits.Width),
            DecoderHeads = json.Integer("decoder_num_attention_heads", fallback.DecoderHeads, 1, ClipLimits.Width),
            DecoderIntermediateSize = json.Integer("decoder_intermediate_size", fallback.DecoderIntermediateSize, 1, ClipLimits.FeedForward),
            ConditionalLayer = json.Integer("conditional_layer", fallback.ConditionalLayer, 0, extract.Length - 1),
            ComplexUpsampler = json.Flag("use_complex_transposed_convolution", fallback.ComplexUpsampler),
            Conv = ConvDecoderConfig.Read(json, vision, extract.Length),
        };
        if (config.Conv is not null) return config;
        if (config.ReduceSize % config.DecoderHeads != 0) throw json.Refuse("decoder_num_attention_heads", $"a divisor of reduce_dim {config.ReduceSize}");
        if (config.ComplexUpsampler && vision.PatchSize % 4 != 0)
            throw json.Refuse("use_complex_transposed_convolution", $"false, as patch_size {vision.PatchSize} is no multiple of 4");
        if (config.ComplexUpsampler && config.ReduceSize < 2) throw json.Refuse("reduce_dim", "2 or more for the complex upsampler, which halves it");
        return config;
    }

    /// <summary>
    /// The decoder's part follows from its shapes, as the authors' files carry no configuration; its heads are the 4 of every published model.
    /// </summary>
    /// <param name="decoder">Under canonical names.</param>
    /// <param name="clip">The CLIP that the decoder was trained on.</param>
    /// <param name="extractLayers">Not to be told from the weights either; null for those of the published models.</param>
    /// <exception cref="ModelFileException">A tensor is missing, or decoder, CLIP and layers do not fit each other.</exception>
    public static ClipSegConfig FromShapes(IWeightSource decoder, ClipConfig clip, IReadOnlyList<int>? extractLayers)
    {
        Shape film = Find("decoder.film_mul.weight"), reduction = Find("decoder.reduces.0.weight");
        if (reduction[1] != clip.Vision.HiddenSize || film[1] != clip.ProjectionSize)
        {
            throw Refuse($"belongs to a CLIP with an image tower of width {reduction[1]} and vectors of {film[1]}, "
                + $"not {clip.Vision.HiddenSize} and {clip.ProjectionSize}: is this its CLIP?");
        }
        var config = new ClipSegConfig
        {
            Text = clip.Text,
            Vision = clip.Vision,
            ProjectionSize = clip.ProjectionSize,
            ExtractLayers = extractLayers ?? [3, 6, 9],
            ReduceSize = film[0],
            DecoderIntermediateSize = Find("decoder.layers.0.mlp.fc1.weight")[0],
            ComplexUpsampler = decoder.TryFind("decoder.transposed_convolution.0.weight", out _),
        };
        int reductions = config.ExtractLayers.Count;
        if (decoder.TryFind($"decoder.reduces.{reductions}.weight", out _) || !decoder.TryFind($"decoder.reduces.{reductions - 1}.weight", out _)
            || config.ExtractLayers.Max() >= clip.Vision.Layers)
        {
            throw Refuse($"does not read the outputs of layers {string.Join(", ", config.ExtractLayers)} of {clip.Vision.Layers}: "
                + "say which, one for each 'decoder.reduces' (--extract-layers).");
        }
        if (config.ReduceSize % config.DecoderHeads != 0)
            throw Refuse($"has width {config.ReduceSize}, which {config.DecoderHeads} heads do not divide: is this a CLIPSeg decoder?");
        return config;

        Shape Find(string name) => decoder.TryFind(name, out WeightEntry entry) && entry.Shape is { Rank: 2, Elements: > 0 }
            ? entry.Shape
            : throw Refuse($"has no matrix '{name}': is this a CLIPSeg decoder?");

        ModelFileException Refuse(string problem) => new($"{decoder.Description}: the decoder {problem}");
    }

    /// <summary>Writes a config.json that Hugging Face transformers reads.</summary>
    public void WriteJson(Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, Indented);
        json.WriteStartObject();
        json.WriteString("model_type", ModelType);
        json.WriteStartArray("architectures");
        json.WriteStringValue("CLIPSegForImageSegmentation");
        json.WriteEndArray();
        json.WriteString("torch_dtype", "float32");
        json.WriteNumber("projection_dim", ProjectionSize);
        json.WriteNumber("logit_scale_init_value", 2.6592);
        json.WriteStartArray("extract_layers");
        foreach (int layer in ExtractLayers) json.WriteNumberValue(layer);
        json.WriteEndArray();
        json.WriteNumber("reduce_dim", ReduceSize);
        json.WriteNumber("decoder_num_attention_heads", DecoderHeads);
        json.WriteNumber("decoder_intermediate_size", DecoderIntermediateSize);
        json.WriteString("decoder_hidden_act", "relu");   // what the reference decoder runs, whatever stands here
        json.WriteNumber("conditional_layer", ConditionalLayer);
        json.WriteBoolean("use_complex_transposed_convolution", ComplexUpsampler);
        Conv?.WriteJson(json);
        json.WritePropertyName("text_config");
        Text.WriteJson(json, "clipseg_text_model");
        json.WritePropertyName("vision_config");
        Vision.WriteJson(json, "clipseg_vision_model");
        json.WriteEndObject();
    }

    static ClipSegConfig Published() => new() { Vision = new ClipVisionConfig { PatchSize = 16 } };
}
