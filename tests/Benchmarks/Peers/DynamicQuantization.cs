using System.Runtime.InteropServices;
using ClipSegNative.Export;
using ClipSegNative.Weights;

namespace ClipSegNative.Benchmarks.Peers;

/// <summary>
/// A graph with its products in 8 bits, node for node as <c>onnxruntime.quantization.quantize_dynamic</c> writes it by default for MatMul: activations
/// unsigned and measured in every run, weights signed and symmetric, one scale a tensor. ONNX Runtime fuses these nodes into its integer kernels.
/// The one convolution, 1 % of the work, stays in float32: its integer kernel is slower.
/// </summary>
static class DynamicQuantization
{
    public static OnnxGraph Apply(OnnxGraph source, IWeightSource weights)
    {
        var result = new OnnxGraph($"{source.Name}_int8", weights, halve: false);
        var tensors = source.Tensors.ToDictionary(tensor => tensor.Name);
        var names = new Dictionary<string, string>();
        var quantized = new Dictionary<string, IReadOnlyList<string>>();
        HashSet<string> outputs = [.. source.Outputs.Select(output => output.Name)];
        foreach (OnnxValue input in source.Inputs) result.Input(input.Name, input.Type, input.Extents);
        foreach (OnnxNode node in source.Nodes)
        {
            if (node.Operator == "MatMul" && tensors.TryGetValue(node.Inputs[1], out OnnxTensor? weight) && weight.Extents.Count == 2)
                names[node.Outputs[0]] = Product(result, quantized, Known(node.Inputs[0]), weight);
            else if (outputs.Contains(node.Outputs[0]))
                result.Output(Known(node.Inputs[0]), node.Outputs[0], source.Outputs.First(output => output.Name == node.Outputs[0]).Extents);
            else
                names[node.Outputs[0]] = result.Add(node.Operator, [.. node.Inputs.Select(Known)], node.Attributes);
        }
        return result;

        string Known(string value)
        {
            if (names.TryGetValue(value, out string? name)) return name;
            return tensors.TryGetValue(value, out OnnxTensor? tensor) ? result.Constant(value, tensor.Type, tensor.Extents, tensor.Write) : value;
        }
    }

    static string Product(OnnxGraph graph, Dictionary<string, IReadOnlyList<string>> quantized, string x, OnnxTensor weight)
    {
        if (!quantized.TryGetValue(x, out IReadOnlyList<string>? activation))
            quantized[x] = activation = graph.AddMany("DynamicQuantizeLinear", [x], outputs: 3);
        float[] values = Values(weight);
        float scale = values.Max(Math.Abs) / sbyte.MaxValue;
        string integers = graph.Constant($"{weight.Name}_quantized", OnnxType.I8, weight.Extents, bytes =>
        {
            for (int i = 0; i < values.Length; i++) bytes[i] = (byte)(sbyte)MathF.Round(values[i] / scale);
        });
        string scales = graph.Constant($"{weight.Name}_scale", [], () => [scale]);
        string zero = graph.Constant($"{weight.Name}_zero_point", OnnxType.I8, [], bytes => bytes[0] = 0);
        string sums = graph.Add("Cast", [graph.Add("MatMulInteger", [activation[0], integers, activation[2], zero])], ("to", (long)OnnxType.F32));
        return graph.Add("Mul", [sums, graph.Add("Mul", [activation[1], scales])]);
    }

    static float[] Values(OnnxTensor tensor)
    {
        var values = new float[tensor.Bytes / sizeof(float)];
        tensor.Write(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }
}
