using ClipSegNative.Tensors;

namespace ClipSegNative.Models.Clip;

/// <summary>Names and shapes of every CLIP tensor, under the canonical prefix <c>clip.</c>; linear weights are [out, in].</summary>
static class ClipTensors
{
    public const string Text = "clip.text_model.";
    public const string Vision = "clip.vision_model.";
    public const string LogitScale = "clip.logit_scale";

    public static IEnumerable<(string Name, Shape Shape)> All(ClipTextConfig text, ClipVisionConfig vision, int projectionSize) =>
    [
        (LogitScale, new Shape()),
        ($"{Text}embeddings.token_embedding.weight", new Shape(text.VocabularySize, text.HiddenSize)),
        ($"{Text}embeddings.position_embedding.weight", new Shape(text.Positions, text.HiddenSize)),
        .. Blocks($"{Text}encoder.layers", text.Layers, text.HiddenSize, text.IntermediateSize),
        .. LayerNorm($"{Text}final_layer_norm", text.HiddenSize),
        ($"{Vision}embeddings.class_embedding", new Shape(vision.HiddenSize)),
        ($"{Vision}embeddings.patch_embedding.weight", new Shape(vision.HiddenSize, vision.ImageChannels, vision.PatchSize, vision.PatchSize)),
        ($"{Vision}embeddings.position_embedding.weight", new Shape(vision.Positions, vision.HiddenSize)),
        .. LayerNorm($"{Vision}pre_layrnorm", vision.HiddenSize),   // the checkpoints' own spelling
        .. Blocks($"{Vision}encoder.layers", vision.Layers, vision.HiddenSize, vision.IntermediateSize),
        .. LayerNorm($"{Vision}post_layernorm", vision.HiddenSize),
        ("clip.visual_projection.weight", new Shape(projectionSize, vision.HiddenSize)),
        ("clip.text_projection.weight", new Shape(projectionSize, text.HiddenSize)),
    ];

    /// <summary>A stack of transformer blocks; the decoder's have the same names.</summary>
    public static IEnumerable<(string Name, Shape Shape)> Blocks(string prefix, int count, int channels, int feedForward) =>
        Enumerable.Range(0, count).SelectMany(i => Block($"{prefix}.{i}", channels, feedForward));

    public static IEnumerable<(string Name, Shape Shape)> Linear(string name, int inputs, int outputs) =>
        [($"{name}.weight", new Shape(outputs, inputs)), ($"{name}.bias", new Shape(outputs))];

    static IEnumerable<(string Name, Shape Shape)> Block(string name, int channels, int feedForward) =>
    [
        .. Linear($"{name}.self_attn.k_proj", channels, channels),
        .. Linear($"{name}.self_attn.v_proj", channels, channels),
        .. Linear($"{name}.self_attn.q_proj", channels, channels),
        .. Linear($"{name}.self_attn.out_proj", channels, channels),
        .. LayerNorm($"{name}.layer_norm1", channels),
        .. Linear($"{name}.mlp.fc1", channels, feedForward),
        .. Linear($"{name}.mlp.fc2", feedForward, channels),
        .. LayerNorm($"{name}.layer_norm2", channels),
    ];

    static IEnumerable<(string Name, Shape Shape)> LayerNorm(string name, int channels) =>
        [($"{name}.weight", new Shape(channels)), ($"{name}.bias", new Shape(channels))];
}
