using System.Text.Json;
using ClipSegNative.Backends;
using ClipSegNative.Weights;

namespace ClipSegNative.Models.Clip;

/// <summary>The image tower, with the defaults of Hugging Face's CLIPSegVisionConfig.</summary>
sealed record ClipVisionConfig
{
    /// <summary>Pictures reach the engine as red, green and blue.</summary>
    const int Colours = 3;

    public int HiddenSize { get; init; } = 768;
    public int IntermediateSize { get; init; } = 3072;
    public int Layers { get; init; } = 12;
    public int Heads { get; init; } = 12;
    public int ImageChannels { get; init; } = Colours;
    /// <summary>Side in pixels of the picture that the position table was learned on; not the size CLIPSeg works at.</summary>
    public int ImageSize { get; init; } = 224;
    /// <summary>Side of a patch in pixels.</summary>
    public int PatchSize { get; init; } = 32;
    public float LayerNormEpsilon { get; init; } = 1e-5f;
    public Activation Activation { get; init; } = Activation.QuickGelu;

    /// <summary>Side of the learned position grid in patches.</summary>
    public int NativeGrid => ImageSize / PatchSize;

    /// <summary>Rows of the position table: the class token and the native grid.</summary>
    public int Positions => 1 + NativeGrid * NativeGrid;

    /// <exception cref="ModelFileException">A value has the wrong type, is out of range, or contradicts another.</exception>
    public static ClipVisionConfig Read(JsonSection json)
    {
        var fallback = new ClipVisionConfig();
        var config = new ClipVisionConfig
        {
            HiddenSize = json.Integer("hidden_size", fallback.HiddenSize, 1, ClipLimits.Width),
            IntermediateSize = json.Integer("intermediate_size", fallback.IntermediateSize, 1, ClipLimits.FeedForward),
            Layers = json.Integer("num_hidden_layers", fallback.Layers, 1, ClipLimits.Layers),
            Heads = json.Integer("num_attention_heads", fallback.Heads, 1, ClipLimits.Width),
            ImageChannels = json.Integer("num_channels", Colours, Colours, Colours),
            ImageSize = json.Integer("image_size", fallback.ImageSize, 1, ClipLimits.Image),
            PatchSize = json.Integer("patch_size", fallback.PatchSize, 1, ClipLimits.Image),
            LayerNormEpsilon = (float)json.Real("layer_norm_eps", fallback.LayerNormEpsilon, ClipLimits.MinEpsilon, ClipLimits.MaxEpsilon),
            Activation = HiddenActivations.Read(json, "hidden_act"),
        };
        if (config.HiddenSize % config.Heads != 0) throw json.Refuse("num_attention_heads", $"a divisor of hidden_size {config.HiddenSize}");
        if (config.PatchSize > config.ImageSize) throw json.Refuse("patch_size", $"at most image_size {config.ImageSize}");
        return config;
    }

    public void WriteJson(Utf8JsonWriter json, string modelType)
    {
        json.WriteStartObject();
        json.WriteString("model_type", modelType);
        json.WriteNumber("hidden_size", HiddenSize);
        json.WriteNumber("intermediate_size", IntermediateSize);
        json.WriteNumber("num_hidden_layers", Layers);
        json.WriteNumber("num_attention_heads", Heads);
        json.WriteNumber("num_channels", ImageChannels);
        json.WriteNumber("image_size", ImageSize);
        json.WriteNumber("patch_size", PatchSize);
        json.WriteNumber("layer_norm_eps", LayerNormEpsilon);
        json.WriteString("hidden_act", Activation.Spelling());
        json.WriteEndObject();
    }
}
