using ClipSegNative.Tensors;
using ClipSegNative.Weights;

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

    /// <summary>Refuses a source that lacks one of these tensors or holds one of another shape or of integers; reads no data.</summary>
    /// <param name="source">Asked by canonical names.</param>
    /// <param name="tensors">What the model consists of.</param>
    /// <param name="advice">What a message about a tensor says after the colon or full stop, from its name and the shape that was found, if any.</param>
    /// <exception cref="ModelFileException">The first problem.</exception>
    public static void Verify(IWeightSource source, IEnumerable<(string Name, Shape Shape)> tensors, Func<string, Shape?, string>? advice = null)
    {
        string file = source.Description;
        foreach ((string name, Shape expected) in tensors)
        {
            if (!source.TryFind(name, out WeightEntry entry)) throw new ModelFileException($"{file}: '{name}' {expected} is missing{Advice(name, null)}");
            if (entry.Type is not (DType.F32 or DType.F16 or DType.BF16))
                throw new ModelFileException($"{file}: '{name}' holds {entry.Type}, expected F32, F16 or BF16: is this a file of weights?");
            if (!Fits(entry.Shape, expected))
                throw new ModelFileException($"{file}: '{name}' has shape {entry.Shape}, expected {expected}{Advice(name, entry.Shape)}");
        }

        string Advice(string name, Shape? found) => advice?.Invoke(name, found) ?? ": are these the weights of this model?";
    }

    /// <summary>A scalar is stored as [] or as [1].</summary>
    static bool Fits(Shape found, Shape expected) => found == expected || (IsScalar(found) && IsScalar(expected));

    static bool IsScalar(Shape shape) => shape.Rank <= 1 && shape.Elements == 1;

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
