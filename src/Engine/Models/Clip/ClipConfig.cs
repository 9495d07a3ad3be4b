using System.Text.Json;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Models.Clip;

/// <summary>A CLIP as <c>config.json</c> describes it, or as the shapes of its weights do.</summary>
/// <param name="Text">The text tower.</param>
/// <param name="Vision">The image tower.</param>
/// <param name="ProjectionSize">Length of the vectors that both towers end in.</param>
sealed record ClipConfig(ClipTextConfig Text, ClipVisionConfig Vision, int ProjectionSize)
{
    public const string FileName = "config.json";

    /// <summary>Of every CLIP that OpenAI published.</summary>
    const int HeadWidth = 64;

    static readonly JsonWriterOptions Indented = new() { Indented = true, NewLine = "\n" };

    /// <param name="path">A config.json, or the folder that holds one; a CLIPSeg's does as well.</param>
    /// <exception cref="ModelFileException">The file is missing or not JSON, describes another kind of model, or holds a value that makes no sense.</exception>
    public static ClipConfig Read(string path)
    {
        string file = Directory.Exists(path) ? Path.Combine(path, FileName) : path;
        using JsonDocument document = JsonSection.Load(file);
        JsonSection json = JsonSection.Top(file, document);
        if (json.Text("model_type") is not ("clip" or "clipseg")) throw json.Refuse("model_type", "\"clip\" or \"clipseg\"");
        return Read(json);
    }

    public static ClipConfig Read(JsonSection json) => new(
        ClipTextConfig.Read(Tower(json, "text_config")),
        ClipVisionConfig.Read(Tower(json, "vision_config")),
        json.Integer("projection_dim", 512, 1, ClipLimits.Width));

    /// <summary>What OpenAI's files do not say follows from their shapes; heads are 64 wide, and the vocabulary ends with the begin and end tokens.</summary>
    /// <param name="weights">Under canonical names.</param>
    /// <exception cref="ModelFileException">A tensor is missing, or its shape is none of a CLIP with an image transformer.</exception>
    public static ClipConfig FromShapes(IWeightSource weights)
    {
        Shape patches = Find($"{ClipTensors.Vision}embeddings.patch_embedding.weight", rank: 4, ClipLimits.Width);
        Shape words = Find($"{ClipTensors.Text}embeddings.token_embedding.weight", rank: 2, ClipLimits.Vocabulary);
        int cells = Find($"{ClipTensors.Vision}embeddings.position_embedding.weight", rank: 2, ClipLimits.Image)[0] - 1, grid = (int)Math.Sqrt(cells);
        if (grid == 0 || grid * grid != cells || grid * patches[3] > ClipLimits.Image)
            throw Refuse($"has positions for {cells} patches of {patches[3]} pixels, which make no square picture");
        return new ClipConfig(
            new ClipTextConfig
            {
                VocabularySize = words[0],
                HiddenSize = words[1],
                IntermediateSize = FeedForward(ClipTensors.Text),
                Layers = Layers(ClipTensors.Text),
                Heads = Heads(words[1]),
                Positions = Find($"{ClipTensors.Text}embeddings.position_embedding.weight", rank: 2, ClipLimits.Width)[0],
                BeginTokenId = Math.Max(0, words[0] - 2),
                EndTokenId = words[0] - 1,
            },
            new ClipVisionConfig
            {
                HiddenSize = patches[0],
                IntermediateSize = FeedForward(ClipTensors.Vision),
                Layers = Layers(ClipTensors.Vision),
                Heads = Heads(patches[0]),
                ImageSize = grid * patches[3],
                PatchSize = patches[3],
            },
            Find("clip.visual_projection.weight", rank: 2, ClipLimits.Width)[0]);

        int FeedForward(string tower) => Find($"{tower}encoder.layers.0.mlp.fc1.weight", rank: 2, ClipLimits.FeedForward)[0];

        int Heads(int width) => width % HeadWidth == 0 ? width / HeadWidth : throw Refuse($"is {width} wide, which is no multiple of the {HeadWidth} of a head");

        int Layers(string tower)
        {
            int layers = 1;   // the feed-forward width was found in one
            while (layers <= ClipLimits.Layers && weights.TryFind($"{tower}encoder.layers.{layers}.mlp.fc1.weight", out _)) layers++;
            return layers <= ClipLimits.Layers ? layers : throw Refuse($"has more than {ClipLimits.Layers} layers");
        }

        Shape Find(string name, int rank, int most)
        {
            if (!weights.TryFind(name, out WeightEntry entry)) throw Refuse($"lacks '{name}'");
            for (int axis = 0; axis < entry.Shape.Rank; axis++)
                if (entry.Shape.Rank != rank || entry.Shape[axis] < 1 || entry.Shape[axis] > most) throw Refuse($"has '{name}' of shape {entry.Shape}");
            return entry.Shape.Rank == rank ? entry.Shape : throw Refuse($"has '{name}' of shape {entry.Shape}");
        }

        ModelFileException Refuse(string problem) => new($"{weights.Description}: {problem}: is this a CLIP with an image transformer, such as ViT-B/16?");
    }

    /// <summary>Writes a config.json that Hugging Face transformers reads.</summary>
    public void WriteJson(Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, Indented);
        json.WriteStartObject();
        json.WriteString("model_type", "clip");
        json.WriteStartArray("architectures");
        json.WriteStringValue("CLIPModel");
        json.WriteEndArray();
        json.WriteNumber("projection_dim", ProjectionSize);
        json.WriteNumber("logit_scale_init_value", 2.6592);
        json.WritePropertyName("text_config");
        Text.WriteJson(json, "clip_text_model");
        json.WritePropertyName("vision_config");
        Vision.WriteJson(json, "clip_vision_model");
        json.WriteEndObject();
    }

    /// <summary>Old files carry <c>text_config_dict</c> beside <c>text_config</c>; Hugging Face lets it replace the whole section, defaults included.</summary>
    static JsonSection Tower(JsonSection json, string key) => json.Child(json.Has($"{key}_dict") ? $"{key}_dict" : key);
}
