using ClipSegNative.Backends;
using ClipSegNative.Weights;

namespace ClipSegNative.Export;

/// <summary>The layers of CLIPSeg as ONNX nodes. Tokens are [batch, tokens, channels], maps [batch, channels, height, width], as ONNX's convolutions want them.</summary>
static class OnnxLayers
{
    /// <summary>x · Wᵀ + bias. The stored [outputs, inputs] is turned, because MatMul takes [inputs, outputs].</summary>
    public static string Linear(this OnnxGraph graph, string name, string x, bool bias = true)
    {
        string product = graph.Add("MatMul", [x, graph.Weight($"{name}.weight", Turned)]);
        return bias ? graph.Add("Add", [product, graph.Weight($"{name}.bias")]) : product;
    }

    public static string LayerNorm(this OnnxGraph graph, string name, string x, float epsilon) =>
        graph.Add("LayerNormalization", [x, graph.Weight($"{name}.weight"), graph.Weight($"{name}.bias")], ("axis", -1L), ("epsilon", epsilon));

    public static string Activate(this OnnxGraph graph, string x, Activation activation) => activation switch
    {
        Activation.None => x,
        Activation.Relu => graph.Add("Relu", [x]),
        Activation.Sigmoid => graph.Add("Sigmoid", [x]),
        Activation.QuickGelu => graph.Add("Mul", [x, graph.Add("Sigmoid", [graph.Add("Mul", [x, graph.Scalar(1.702f)])])]),
        _ => graph.Add("Mul", [graph.Add("Mul", [x, graph.Scalar(0.5f)]), ErrorFunction(graph, x)]),
    };

    /// <param name="graph">The graph.</param>
    /// <param name="name">Of the attention, as in <c>….self_attn</c>.</param>
    /// <param name="x">[batch, tokens, channels].</param>
    /// <param name="channels">Of x.</param>
    /// <param name="heads">Divides the channels.</param>
    /// <param name="mask">Added to the scores [tokens, tokens]; null: every token sees every other.</param>
    public static string Attention(this OnnxGraph graph, string name, string x, int channels, int heads, string? mask = null)
    {
        int size = channels / heads;
        string q = graph.Add("Mul", [Head("q_proj", [0, 2, 1, 3]), graph.Scalar(1 / MathF.Sqrt(size))]);
        string scores = graph.Add("MatMul", [q, Head("k_proj", [0, 2, 3, 1])]);
        if (mask is not null) scores = graph.Add("Add", [scores, mask]);
        string mixed = graph.Add("MatMul", [graph.Add("Softmax", [scores], ("axis", -1L)), Head("v_proj", [0, 2, 1, 3])]);
        string joined = graph.Add("Reshape", [graph.Add("Transpose", [mixed], ("perm", [0, 2, 1, 3])), graph.Integers(0, 0, channels)]);
        return graph.Linear($"{name}.out_proj", joined);

        string Head(string projection, long[] order) =>
            graph.Add("Transpose", [graph.Add("Reshape", [graph.Linear($"{name}.{projection}", x), graph.Integers(0, 0, heads, size)])], ("perm", order));
    }

    public static string Mlp(this OnnxGraph graph, string name, string x, Activation activation) =>
        graph.Linear($"{name}.fc2", graph.Activate(graph.Linear($"{name}.fc1", x), activation));

    /// <summary>A block of the towers; see <see cref="Layers.PreNormBlock"/>.</summary>
    public static string PreNormBlock(this OnnxGraph graph, string name, string x, int channels, int heads, Activation activation, float epsilon, string? mask = null)
    {
        x = graph.Add("Add", [graph.Attention($"{name}.self_attn", graph.LayerNorm($"{name}.layer_norm1", x, epsilon), channels, heads, mask), x]);
        return graph.Add("Add", [graph.Mlp($"{name}.mlp", graph.LayerNorm($"{name}.layer_norm2", x, epsilon), activation), x]);
    }

    /// <summary>A block of the decoder; see <see cref="Layers.PostNormBlock"/>.</summary>
    public static string PostNormBlock(this OnnxGraph graph, string name, string x, int channels, int heads, Activation activation, float epsilon)
    {
        x = graph.LayerNorm($"{name}.layer_norm1", graph.Add("Add", [graph.Attention($"{name}.self_attn", x, channels, heads), x]), epsilon);
        return graph.LayerNorm($"{name}.layer_norm2", graph.Add("Add", [graph.Mlp($"{name}.mlp", x, activation), x]), epsilon);
    }

    /// <summary>FiLM on tokens: one picture's serve every prompt, as both are broadcast.</summary>
    public static string Film(this OnnxGraph graph, string name, string x, string condition)
    {
        return graph.Add("Add", [graph.Add("Mul", [x, Factor("film_mul")]), Factor("film_add")]);

        string Factor(string part) => graph.Add("Unsqueeze", [graph.Linear($"{name}.{part}", condition), graph.Integers(1)]);
    }

    public static string Convolution(this OnnxGraph graph, string name, string x, int kernel)
    {
        long padding = kernel / 2;
        return graph.Add("Conv", [x, graph.Weight($"{name}.weight"), graph.Weight($"{name}.bias")],
            ("kernel_shape", [kernel, kernel]), ("pads", [padding, padding, padding, padding]));
    }

    public static string ConvTranspose(this OnnxGraph graph, string name, string x, int kernel) =>
        graph.Add("ConvTranspose", [x, graph.Weight($"{name}.weight"), graph.Weight($"{name}.bias")], ("kernel_shape", [kernel, kernel]), ("strides", [kernel, kernel]));

    /// <summary>On a map; GroupNormalization of ONNX is right from operator set 21 on only, so it is an instance norm of the groups.</summary>
    public static string GroupNorm(this OnnxGraph graph, string name, string x, int channels, int height, int width, int groups, float epsilon)
    {
        string ones = graph.Constant($"ones_{groups}", [groups], () => [.. Enumerable.Repeat(1f, groups)]);
        string zeros = graph.Constant($"zeros_{groups}", [groups], () => new float[groups]);
        string grouped = graph.Add("Reshape", [x, graph.Integers(0, groups, -1)]);
        string normalised = graph.Add("Reshape", [graph.Add("InstanceNormalization", [grouped, ones, zeros], ("epsilon", epsilon)), graph.Integers(0, channels, height, width)]);
        return graph.Add("Add", [graph.Add("Mul", [normalised, PerChannel("weight")]), PerChannel("bias")]);

        string PerChannel(string part) => graph.Weight($"{name}.{part}", entry => ([channels, 1, 1], () => OnnxGraph.Values(entry)));
    }

    /// <summary>Tokens without the class token as a map.</summary>
    public static string Map(this OnnxGraph graph, string tokens, int channels, int height, int width)
    {
        string cells = graph.Add("Slice", [tokens, graph.Integers(1), graph.Integers(1 + height * width), graph.Integers(1)]);
        return graph.Add("Reshape", [graph.Add("Transpose", [cells], ("perm", [0, 2, 1])), graph.Integers(0, channels, height, width)]);
    }

    /// <summary>1 + erf(x / √2).</summary>
    static string ErrorFunction(OnnxGraph graph, string x) =>
        graph.Add("Add", [graph.Add("Erf", [graph.Add("Mul", [x, graph.Scalar(1 / MathF.Sqrt(2))])]), graph.Scalar(1)]);

    static (int[] Extents, Func<float[]> Make) Turned(WeightEntry entry)
    {
        (int rows, int columns) = (entry.Shape[0], entry.Shape[1]);
        return ([columns, rows], () =>
        {
            float[] stored = OnnxGraph.Values(entry), turned = new float[stored.Length];
            for (int row = 0; row < rows; row++)
                for (int column = 0; column < columns; column++) turned[column * rows + row] = stored[row * columns + column];
            return turned;
        }
        );
    }
}
