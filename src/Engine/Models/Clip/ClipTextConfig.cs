using System.Text.Json;
using ClipSegNative.Backends;
using ClipSegNative.Weights;

namespace ClipSegNative.Models.Clip;

/// <summary>The text tower, with the defaults of Hugging Face's CLIPSegTextConfig.</summary>
sealed record ClipTextConfig
{
    public int VocabularySize { get; init; } = 49_408;
    public int HiddenSize { get; init; } = 512;
    public int IntermediateSize { get; init; } = 2048;
    public int Layers { get; init; } = 12;
    public int Heads { get; init; } = 8;
    /// <summary>Longest phrase in tokens, begin and end included.</summary>
    public int Positions { get; init; } = 77;
    public float LayerNormEpsilon { get; init; } = 1e-5f;
    public Activation Activation { get; init; } = Activation.QuickGelu;
    public int BeginTokenId { get; init; } = 49_406;
    /// <summary>Only carried along: configurations written before mid-2023 say 2, which is no end token; the vocabulary's own is what counts.</summary>
    public int EndTokenId { get; init; } = 49_407;

    /// <exception cref="ModelFileException">A value has the wrong type, is out of range, or contradicts another.</exception>
    public static ClipTextConfig Read(JsonSection json)
    {
        var fallback = new ClipTextConfig();
        var config = new ClipTextConfig
        {
            VocabularySize = json.Integer("vocab_size", fallback.VocabularySize, 1, ClipLimits.Vocabulary),
            HiddenSize = json.Integer("hidden_size", fallback.HiddenSize, 1, ClipLimits.Width),
            IntermediateSize = json.Integer("intermediate_size", fallback.IntermediateSize, 1, ClipLimits.FeedForward),
            Layers = json.Integer("num_hidden_layers", fallback.Layers, 1, ClipLimits.Layers),
            Heads = json.Integer("num_attention_heads", fallback.Heads, 1, ClipLimits.Width),
            Positions = json.Integer("max_position_embeddings", fallback.Positions, 2, ClipLimits.Positions),
            LayerNormEpsilon = (float)json.Real("layer_norm_eps", fallback.LayerNormEpsilon, ClipLimits.MinEpsilon, ClipLimits.MaxEpsilon),
            Activation = HiddenActivations.Read(json, "hidden_act"),
            BeginTokenId = json.Integer("bos_token_id", fallback.BeginTokenId, 0, ClipLimits.Vocabulary),
            EndTokenId = json.Integer("eos_token_id", fallback.EndTokenId, 0, ClipLimits.Vocabulary),
        };
        if (config.HiddenSize % config.Heads != 0) throw json.Refuse("num_attention_heads", $"a divisor of hidden_size {config.HiddenSize}");
        return config;
    }

    public void WriteJson(Utf8JsonWriter json, string modelType)
    {
        json.WriteStartObject();
        json.WriteString("model_type", modelType);
        json.WriteNumber("vocab_size", VocabularySize);
        json.WriteNumber("hidden_size", HiddenSize);
        json.WriteNumber("intermediate_size", IntermediateSize);
        json.WriteNumber("num_hidden_layers", Layers);
        json.WriteNumber("num_attention_heads", Heads);
        json.WriteNumber("max_position_embeddings", Positions);
        json.WriteNumber("layer_norm_eps", LayerNormEpsilon);
        json.WriteString("hidden_act", Activation.Spelling());
        json.WriteNumber("bos_token_id", BeginTokenId);
        json.WriteNumber("eos_token_id", EndTokenId);
        json.WriteEndObject();
    }
}
