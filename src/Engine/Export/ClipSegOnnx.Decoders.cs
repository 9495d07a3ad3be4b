using ClipSegNative.Backends;
using ClipSegNative.Models.ClipSeg;

namespace ClipSegNative.Export;

sealed partial class ClipSegOnnx
{
    const float DecoderEpsilon = 1e-5f;   // of both decoders; not in the config

    /// <summary>See <see cref="TransformerDecoder"/>.</summary>
    string Transformer(OnnxGraph graph, string[] features, string condition)
    {
        string x = features[0];
        for (int i = 0; i < features.Length; i++)
        {
            if (i > 0) x = graph.Add("Add", [x, features[i]]);
            if (i == config.ConditionalLayer) x = graph.Film("decoder", x, condition);
            x = graph.PostNormBlock($"decoder.layers.{i}", x, config.ReduceSize, config.DecoderHeads, Activation.Relu, DecoderEpsilon);
        }
        const string Upsampler = "decoder.transposed_convolution";
        string map = graph.Map(x, config.ReduceSize, grid.Height, grid.Width);
        if (!config.ComplexUpsampler) return graph.ConvTranspose(Upsampler, map, config.Vision.PatchSize);
        int kernel = config.Vision.PatchSize / 4;
        map = graph.Add("Relu", [graph.Convolution($"{Upsampler}.0", map, kernel: 3)]);
        map = graph.Add("Relu", [graph.ConvTranspose($"{Upsampler}.2", map, kernel)]);
        return graph.ConvTranspose($"{Upsampler}.4", map, kernel);
    }

    /// <summary>See <see cref="ConvDecoder"/>.</summary>
    string Convolutions(OnnxGraph graph, ConvDecoderConfig conv, string[] features, string condition)
    {
        string map = "";
        for (int stage = 0; stage < conv.Channels.Count; stage++)
        {
            string name = $"decoder.stages.{stage}";
            int channels = conv.Channels[stage], height = grid.Height << stage, width = grid.Width << stage;
            if (stage > 0) map = graph.ConvTranspose($"{name}.upsample", map, kernel: 2);
            if (stage < features.Length)
            {
                string feature = graph.Map(features[stage], channels, grid.Height, grid.Width);
                if (stage > 0) feature = Enlarged(graph, feature, 1 << stage);
                map = stage == 0 ? feature : graph.Add("Add", [map, feature]);
            }
            map = FilmMap(graph, name, map, condition);
            for (int i = 0; i < 2; i++)
                map = graph.Add("Relu", [graph.GroupNorm($"{name}.norms.{i}", graph.Convolution($"{name}.convolutions.{i}", map, kernel: 3), channels, height, width, conv.Groups, DecoderEpsilon)]);
        }
        return graph.Add("Conv",
            [map, graph.Weight("decoder.head.weight", entry => ([1, conv.Channels[^1], 1, 1], () => OnnxGraph.Values(entry))), graph.Weight("decoder.head.bias")], ("kernel_shape", [1, 1]));
    }

    static string Enlarged(OnnxGraph graph, string map, int factor)
    {
        string scales = graph.Constant($"scales_{factor}", [4], () => [1, 1, factor, factor]);
        return graph.Add("Resize", [map, "", scales], ("mode", "linear"), ("coordinate_transformation_mode", "half_pixel"));
    }

    static string FilmMap(OnnxGraph graph, string name, string map, string condition)
    {
        return graph.Add("Add", [graph.Add("Mul", [map, Factor("film_mul")]), Factor("film_add")]);

        string Factor(string part) => graph.Add("Unsqueeze", [graph.Linear($"{name}.{part}", condition), graph.Integers(2, 3)]);
    }
}
