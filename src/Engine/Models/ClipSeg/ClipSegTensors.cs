using ClipSegNative.Models.Clip;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Models.ClipSeg;

/// <summary>Names and shapes of every tensor of a CLIPSeg model, as Hugging Face stores them.</summary>
static class ClipSegTensors
{
    const string Upsampler = "decoder.transposed_convolution";
    const string NotThisModel = "are these the weights of this model";

    /// <summary>Towers first, under <c>clip.</c>, then the decoder. Linear weights are [out, in], transposed convolutions [in, out, height, width].</summary>
    public static IEnumerable<(string Name, Shape Shape)> All(ClipSegConfig config) =>
        ClipTensors.All(config.Text, config.Vision, config.ProjectionSize).Concat(Decoder(config));

    public static IEnumerable<(string Name, Shape Shape)> Decoder(ClipSegConfig config) =>
        config.Conv is null ? TransformerDecoder(config) : ConvDecoder(config, config.Conv);

    static IEnumerable<(string Name, Shape Shape)> TransformerDecoder(ClipSegConfig config)
    {
        int channels = config.ReduceSize, depth = config.ExtractLayers.Count, patch = config.Vision.PatchSize;
        return
        [
            .. ClipTensors.Linear("decoder.film_mul", config.ProjectionSize, channels),
            .. ClipTensors.Linear("decoder.film_add", config.ProjectionSize, channels),
            .. config.ComplexUpsampler ? ComplexUpsampler(channels, patch / 4) : SimpleUpsampler(channels, patch),
            .. Reductions(config),
            .. ClipTensors.Blocks("decoder.layers", depth, channels, config.DecoderIntermediateSize),
        ];
    }

    static IEnumerable<(string Name, Shape Shape)> ConvDecoder(ClipSegConfig config, ConvDecoderConfig conv) =>
    [
        .. Reductions(config),
        .. conv.Channels.SelectMany((channels, stage) => ConvStage($"decoder.stages.{stage}", stage == 0 ? 0 : conv.Channels[stage - 1], channels, config.ProjectionSize)),
        .. ClipTensors.Linear("decoder.head", conv.Channels[^1], 1),
    ];

    static IEnumerable<(string Name, Shape Shape)> Reductions(ClipSegConfig config) =>
        config.FeatureWidths.SelectMany((channels, i) => ClipTensors.Linear($"decoder.reduces.{i}", config.Vision.HiddenSize, channels));

    /// <param name="name">Of the stage.</param>
    /// <param name="inputs">Channels of the stage before; 0 for the first, which enlarges nothing.</param>
    /// <param name="channels">Its own.</param>
    /// <param name="condition">Length of the conditional vector.</param>
    static IEnumerable<(string Name, Shape Shape)> ConvStage(string name, int inputs, int channels, int condition) =>
    [
        .. inputs == 0 ? [] : new[] { ($"{name}.upsample.weight", new Shape(inputs, channels, 2, 2)), ($"{name}.upsample.bias", new Shape(channels)) },
        .. ClipTensors.Linear($"{name}.film_mul", condition, channels),
        .. ClipTensors.Linear($"{name}.film_add", condition, channels),
        .. Enumerable.Range(0, 2).SelectMany(i => new[]
        {
            ($"{name}.convolutions.{i}.weight", new Shape(channels, channels, 3, 3)),
            ($"{name}.convolutions.{i}.bias", new Shape(channels)),
            ($"{name}.norms.{i}.weight", new Shape(channels)),
            ($"{name}.norms.{i}.bias", new Shape(channels)),
        }),
    ];

    /// <summary>Refuses a source that lacks a tensor of the configuration or holds one of another shape or of integers; reads no data.</summary>
    /// <remarks>The source is asked by canonical names: a file of another spelling goes in as <see cref="PrefixedWeights"/>.</remarks>
    /// <exception cref="ModelFileException">The first problem, with what the configuration says about that tensor.</exception>
    public static void Verify(IWeightSource source, ClipSegConfig config) => Verify(source, config, All(config));

    /// <summary>As <see cref="Verify(IWeightSource, ClipSegConfig)"/>, for some of the configuration's tensors.</summary>
    /// <exception cref="ModelFileException">The first problem, with what the configuration says about that tensor.</exception>
    public static void Verify(IWeightSource source, ClipSegConfig config, IEnumerable<(string Name, Shape Shape)> tensors) => ClipTensors.Verify(
        source, tensors, (name, found) => $". {Settings(name, config)}: {(found is { } shape ? Guess(name, shape) : NotThisModel)}?");

    /// <summary>Names the presets whose tensor has the shape that was found, unless they are many.</summary>
    static string Guess(string name, Shape found)
    {
        string[] matches = [.. ClipSegConfig.Presets.Where(preset => All(preset.Value).Contains((name, found))).Select(preset => preset.Key)];
        return matches.Length == 0 || matches.Length > 2 ? NotThisModel : $"is this the {string.Join(" or ", matches)} model";
    }

    /// <summary>What decides whether a tensor is there and how large.</summary>
    static string Settings(string name, ClipSegConfig config)
    {
        (ClipTextConfig text, ClipVisionConfig vision) = (config.Text, config.Vision);
        string settings = name switch
        {
            _ when name.StartsWith(Upsampler, StringComparison.Ordinal) =>
                $"use_complex_transposed_convolution {(config.ComplexUpsampler ? "true" : "false")}, reduce_dim {config.ReduceSize}, patch_size {vision.PatchSize}",
            _ when name.StartsWith("decoder.film", StringComparison.Ordinal) =>
                $"reduce_dim {config.ReduceSize}, projection_dim {config.ProjectionSize}",
            _ when name.StartsWith(PrefixedWeights.Decoder, StringComparison.Ordinal) && config.Conv is { } conv =>
                $"decoder_type conv, conv_channels {string.Join(", ", conv.Channels)}, {config.ExtractLayers.Count} extract_layers",
            _ when name.StartsWith(PrefixedWeights.Decoder, StringComparison.Ordinal) =>
                $"reduce_dim {config.ReduceSize}, decoder_intermediate_size {config.DecoderIntermediateSize}, {config.ExtractLayers.Count} extract_layers",
            _ when name.StartsWith(ClipTensors.Text, StringComparison.Ordinal) =>
                $"text_config hidden_size {text.HiddenSize}, intermediate_size {text.IntermediateSize}, num_hidden_layers {text.Layers}",
            _ when name.StartsWith(ClipTensors.Vision, StringComparison.Ordinal) =>
                $"vision_config hidden_size {vision.HiddenSize}, num_hidden_layers {vision.Layers}, patch_size {vision.PatchSize}, image_size {vision.ImageSize}",
            _ => $"projection_dim {config.ProjectionSize}",
        };
        return $"{ClipSegConfig.FileName} says {settings}";
    }

    static IEnumerable<(string Name, Shape Shape)> SimpleUpsampler(int channels, int patch) =>
        [($"{Upsampler}.weight", new Shape(channels, 1, patch, patch)), ($"{Upsampler}.bias", new Shape(1))];

    static IEnumerable<(string Name, Shape Shape)> ComplexUpsampler(int channels, int kernel) =>
    [
        ($"{Upsampler}.0.weight", new Shape(channels, channels, 3, 3)),
        ($"{Upsampler}.0.bias", new Shape(channels)),
        ($"{Upsampler}.2.weight", new Shape(channels, channels / 2, kernel, kernel)),
        ($"{Upsampler}.2.bias", new Shape(channels / 2)),
        ($"{Upsampler}.4.weight", new Shape(channels / 2, 1, kernel, kernel)),
        ($"{Upsampler}.4.bias", new Shape(1)),
    ];
}
