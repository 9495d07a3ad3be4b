using ClipSegNative.Export;
using ClipSegNative.Models.Clip;
using ClipSegNative.Text;
using ClipSegNative.Weights;

namespace ClipSegNative.Benchmarks.Peers;

/// <summary>The graphs that ONNX Runtime is given, written from the model folder.</summary>
static class GraphFiles
{
    public const string Int8 = "-int8", Vision = "vision.onnx", Text = "text.onnx", Decoder = "decoder.onnx", Whole = "whole.onnx";

    public const string VisionInt8 = $"vision{Int8}.onnx", TextInt8 = $"text{Int8}.onnx", DecoderInt8 = $"decoder{Int8}.onnx";

    /// <summary>Output of the whole graph that keeps all vision blocks alive.</summary>
    public const string Hidden = "last_hidden_state";

    public static void Write(PeerModel model, IEnumerable<string> files)
    {
        Directory.CreateDirectory(model.Graphs);
        using var weights = new PrefixedWeights(WeightFiles.Open(model.Folder));
        var graphs = new ClipSegOnnx(model.Config, weights, model.Grid, ClipVocabulary.Load(model.Folder).EndId, halve: false);
        foreach (string file in files.Distinct())
        {
            OnnxGraph graph = file.Replace(Int8, "", StringComparison.Ordinal) switch
            {
                Vision => graphs.Vision(),
                Text => graphs.Text(),
                Decoder => graphs.Decoder(),
                _ => WithAllBlocks(graphs.Whole(), model.Config.Vision, model.Config.ExtractLayers.Max() + 1, model.Grid.Cells + 1),
            };
            if (file.Contains(Int8, StringComparison.Ordinal)) graph = DynamicQuantization.Apply(graph, weights);
            OnnxFile.Write(Path.Combine(model.Graphs, file), graph, "benchmark", CancellationToken.None);
        }
    }

    /// <summary>Goes on where the export stops: Hugging Face's model runs the last blocks too, for an output that masks do not need.</summary>
    static OnnxGraph WithAllBlocks(OnnxGraph graph, ClipVisionConfig vision, int done, int tokens)
    {
        string x = graph.Nodes.First(node => node.Operator == "MatMul" && node.Inputs[1] == "decoder.reduces.0.weight").Inputs[0];
        for (int i = done; i < vision.Layers; i++)
            x = graph.PreNormBlock($"clip.vision_model.encoder.layers.{i}", x, vision.HiddenSize, vision.Heads, vision.Activation, vision.LayerNormEpsilon);
        graph.Output(x, Hidden, "pictures", tokens, vision.HiddenSize);
        return graph;
    }
}
