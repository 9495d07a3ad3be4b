using ClipSegNative.Layers;
using ClipSegNative.Models.Clip;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Tensors;
using ClipSegNative.Weights;

namespace ClipSegNative.Export;

/// <summary>
/// CLIPSeg as ONNX graphs of free batch and number of prompts, at one working size: the picture's part, the phrase's, the decoder's, and all of it in one.
/// </summary>
/// <param name="config">The model's sizes.</param>
/// <param name="weights">Verified against them.</param>
/// <param name="grid">Patches down and across: the working size.</param>
/// <param name="endToken">The vocabulary's own.</param>
/// <param name="halve">Store the weights as F16.</param>
sealed partial class ClipSegOnnx(ClipSegConfig config, IWeightSource weights, Grid grid, int endToken, bool halve)
{
    const string Pictures = "pictures", Prompts = "prompts", Length = "length", Pixels = "pixel_values", Ids = "input_ids", Condition = "conditional_embeddings", Logits = "logits";

    int Tokens => 1 + grid.Cells;

    /// <summary>The files and what makes each.</summary>
    public IReadOnlyList<(string File, Func<OnnxGraph> Make)> Files => [("vision.onnx", Vision), ("text.onnx", Text), ("decoder.onnx", Decoder), ("model.onnx", Whole)];

    /// <summary>pixel_values [pictures, 3, height, width] -> features_i [pictures, tokens, width], deepest first: what one picture's phrases share.</summary>
    public OnnxGraph Vision()
    {
        OnnxGraph graph = Graph("clipseg_vision");
        string[] features = Features(graph, PixelInput(graph));
        for (int i = 0; i < features.Length; i++) graph.Output(features[i], FeatureName(i), Pictures, Tokens, config.FeatureWidths[i]);
        return graph;
    }

    /// <summary>input_ids [prompts, length], anything behind the end token -> conditional_embeddings [prompts, projection].</summary>
    public OnnxGraph Text()
    {
        OnnxGraph graph = Graph("clipseg_text");
        graph.Output(Embedding(graph, IdInput(graph)), Condition, Prompts, config.ProjectionSize);
        return graph;
    }

    /// <summary>features_i [pictures, tokens, width] of one picture or of one a prompt, conditional_embeddings [prompts, projection] -> logits [prompts, height, width].</summary>
    public OnnxGraph Decoder()
    {
        OnnxGraph graph = Graph("clipseg_decoder");
        string[] features = [.. config.FeatureWidths.Select((width, i) => graph.Input(FeatureName(i), OnnxType.F32, Pictures, Tokens, width))];
        LogitOutput(graph, Decode(graph, features, graph.Input(Condition, OnnxType.F32, Prompts, config.ProjectionSize)));
        return graph;
    }

    /// <summary>pixel_values of one picture or of one a prompt, input_ids -> logits.</summary>
    public OnnxGraph Whole()
    {
        OnnxGraph graph = Graph("clipseg");
        string pixels = PixelInput(graph), ids = IdInput(graph);
        LogitOutput(graph, Decode(graph, Features(graph, pixels), Embedding(graph, ids)));
        return graph;
    }

    OnnxGraph Graph(string name) => new(name, weights, halve);

    string PixelInput(OnnxGraph graph)
    {
        int patch = config.Vision.PatchSize;
        return graph.Input(Pixels, OnnxType.F32, Pictures, config.Vision.ImageChannels, grid.Height * patch, grid.Width * patch);
    }

    static string IdInput(OnnxGraph graph) => graph.Input(Ids, OnnxType.I64, Prompts, Length);

    void LogitOutput(OnnxGraph graph, string logits)
    {
        int side = config.LogitsPerPatch;
        graph.Output(graph.Add("Squeeze", [logits, graph.Integers(1)]), Logits, Prompts, grid.Height * side, grid.Width * side);
    }

    static string FeatureName(int index) => $"features_{index}";

    /// <summary>The image tower as far as something is extracted, then the reductions.</summary>
    string[] Features(OnnxGraph graph, string pixels)
    {
        const string Tower = "clip.vision_model";
        ClipVisionConfig vision = config.Vision;
        string x = graph.LayerNorm($"{Tower}.pre_layrnorm", PatchTokens(graph, $"{Tower}.embeddings", pixels), vision.LayerNormEpsilon);
        var hidden = new string[config.ExtractLayers.Max() + 1];
        for (int i = 0; i < hidden.Length; i++)
            hidden[i] = x = graph.PreNormBlock($"{Tower}.encoder.layers.{i}", x, vision.HiddenSize, vision.Heads, vision.Activation, vision.LayerNormEpsilon);
        return [.. config.ExtractLayers.Reverse().Select((layer, i) => graph.Linear($"decoder.reduces.{i}", hidden[layer]))];
    }

    string PatchTokens(OnnxGraph graph, string name, string pixels)
    {
        (int channels, int patch) = (config.Vision.HiddenSize, config.Vision.PatchSize);
        string patches = graph.Add("Conv", [pixels, graph.Weight($"{name}.patch_embedding.weight")], ("kernel_shape", [patch, patch]), ("strides", [patch, patch]));
        string cells = graph.Add("Transpose", [graph.Add("Reshape", [patches, graph.Integers(0, channels, -1)])], ("perm", [0, 2, 1]));
        string batch = graph.Add("Shape", [pixels], ("start", 0L), ("end", 1L));
        string classTokens = graph.Add("Expand",
        [
            graph.Weight($"{name}.class_embedding", entry => ([1, 1, channels], () => OnnxGraph.Values(entry))),
            graph.Add("Concat", [batch, graph.Integers(1, 1)], ("axis", 0L)),
        ]);
        return graph.Add("Add", [graph.Add("Concat", [classTokens, cells], ("axis", 1L)), graph.Weight($"{name}.position_embedding.weight", Positions)]);
    }

    /// <summary>The learned positions, resampled to the working size as <see cref="PatchEmbedding"/> does it.</summary>
    (int[] Extents, Func<float[]> Make) Positions(WeightEntry entry)
    {
        (int side, int channels) = (config.Vision.NativeGrid, config.Vision.HiddenSize);
        return ([Tokens, channels], () =>
        {
            float[] stored = OnnxGraph.Values(entry);
            if (grid == new Grid(side, side)) return stored;
            var resized = new float[Tokens * channels];
            stored.AsSpan(0, channels).CopyTo(resized);
            ResizeTaps across = ResizeTaps.Bicubic(side, grid.Width), down = ResizeTaps.Bicubic(side, grid.Height);
            var rows = new float[side * grid.Width * channels];
            int row = grid.Width * channels;
            for (int y = 0; y < side; y++)
                MapResizer.Across(stored.AsSpan(channels + y * side * channels, side * channels), channels, across, rows.AsSpan(y * row, row));
            for (int y = 0; y < grid.Height; y++) MapResizer.Down(rows, row, down, y, resized.AsSpan(channels + y * row, row));
            return resized;
        }
        );
    }

    string Embedding(OnnxGraph graph, string ids)
    {
        const string Tower = "clip.text_model";
        ClipTextConfig text = config.Text;
        int positions = text.Positions;
        string length = graph.Add("Shape", [ids], ("start", 1L), ("end", 2L)), zero = graph.Integers(0);
        string learned = graph.Add("Slice", [graph.Weight($"{Tower}.embeddings.position_embedding.weight"), zero, length, zero]);
        string x = graph.Add("Add", [graph.Add("Gather", [graph.Weight($"{Tower}.embeddings.token_embedding.weight"), ids], ("axis", 0L)), learned]);
        string causal = graph.Constant("causal_mask", [positions, positions], () => CausalMask(positions));
        string mask = graph.Add("Slice", [causal, graph.Integers(0, 0), graph.Add("Concat", [length, length], ("axis", 0L)), graph.Integers(0, 1)]);
        for (int i = 0; i < text.Layers; i++)
            x = graph.PreNormBlock($"{Tower}.encoder.layers.{i}", x, text.HiddenSize, text.Heads, text.Activation, text.LayerNormEpsilon, mask);
        string normalised = graph.LayerNorm($"{Tower}.final_layer_norm", x, text.LayerNormEpsilon);
        return graph.Linear("clip.text_projection", AtEndToken(graph, normalised, ids), bias: false);
    }

    /// <summary>The row of each prompt's first end token: nothing behind it can have reached it.</summary>
    string AtEndToken(OnnxGraph graph, string x, string ids)
    {
        string isEnd = graph.Add("Cast", [graph.Add("Equal", [ids, graph.Integers(endToken)])], ("to", (long)OnnxType.F32));
        string at = graph.Add("Unsqueeze", [graph.Add("ArgMax", [isEnd], ("axis", 1L), ("keepdims", 1L)), graph.Integers(2)]);
        string prompts = graph.Add("Shape", [ids], ("start", 0L), ("end", 1L));
        string everyChannel = graph.Add("Expand", [at, graph.Add("Concat", [prompts, graph.Integers(1, config.Text.HiddenSize)], ("axis", 0L))]);
        return graph.Add("Squeeze", [graph.Add("GatherElements", [x, everyChannel], ("axis", 1L)), graph.Integers(1)]);
    }

    static float[] CausalMask(int positions)
    {
        var mask = new float[positions * positions];
        for (int row = 0; row < positions; row++) mask.AsSpan(row * positions + row + 1, positions - row - 1).Fill(float.NegativeInfinity);
        return mask;
    }

    string Decode(OnnxGraph graph, string[] features, string condition) => config.Conv is { } conv ? Convolutions(graph, conv, features, condition) : Transformer(graph, features, condition);
}
