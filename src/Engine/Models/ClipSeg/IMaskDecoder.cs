using ClipSegNative.Layers;
using ClipSegNative.Tensors;

namespace ClipSegNative.Models.ClipSeg;

/// <summary>What both decoders are to the model: reduced features of pictures and conditional vectors of prompts in, a map of logits each out.</summary>
interface IMaskDecoder
{
    /// <param name="features">[images, 1 + cells, width] each, the deepest activation first. One image serves every prompt, or each prompt has its own.</param>
    /// <param name="condition">[prompts, projection].</param>
    /// <returns>[prompts, height, width, 1] at the working size.</returns>
    Tensor Forward(Tensor[] features, Tensor condition);

    /// <returns>The gradients of the features, in their order.</returns>
    Tensor[] Backward(Tensor dLogits);

    /// <summary>The gradient of the condition, after <see cref="Backward"/>: for those who train what it comes from.</summary>
    Tensor BackwardCondition();

    /// <summary>The decoder that the configuration asks for.</summary>
    static IMaskDecoder Create(LayerScope scope, ClipSegConfig config, int images, int prompts, Grid grid) => config.Conv is null
        ? new TransformerDecoder(scope, config, images, prompts, grid)
        : new ConvDecoder(scope, config, config.Conv, images, prompts, grid);
}
