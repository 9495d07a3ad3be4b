using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Reference;

/// <summary>Matrix products.</summary>
sealed partial class ReferenceBackend
{
    public void PackMatrix(Tensor weight, int firstOutput, PackedMatrix destination)
    {
        var from = new Matrix(weight);
        var to = (ReferenceMatrix)destination;
        for (int row = 0; row < weight.Rows; row++)
        {
            double[] inputs = [.. Enumerable.Range(0, to.Inputs).Select(input => from[row, input])];
            RoundTo(inputs, isWeight: true);
            for (int input = 0; input < to.Inputs; input++) to.Values[firstOutput + row, input] = inputs[input];
        }
    }

    public void Linear(Tensor x, PackedMatrix weight, Tensor bias, Tensor y)
    {
        Matrix from = new(x), to = new(y);
        double[,] w = ((ReferenceMatrix)weight).Values;
        double[] b = Elements(bias, weight.Outputs);
        var inputs = new double[weight.Inputs];
        for (int row = 0; row < x.Rows; row++)
        {
            for (int i = 0; i < inputs.Length; i++) inputs[i] = from[row, i];
            RoundTo(inputs, isWeight: false);
            for (int output = 0; output < weight.Outputs; output++)
            {
                double sum = b[output];
                for (int i = 0; i < inputs.Length; i++) sum += inputs[i] * w[output, i];
                to[row, output] = sum;
            }
        }
    }

    public void Attention(Tensor q, Tensor k, Tensor v, int heads, bool causal, Tensor y, PrecisionFloor floor)
    {
        Matrix queriesOf = new(q), keysOf = new(k), valuesOf = new(v), to = new(y);
        int batch = q.Shape[0], queries = q.Shape[1], keys = k.Shape[1], size = q.Columns / heads;
        bool bf16 = precision == Precision.Bf16 && floor != PrecisionFloor.Float32;
        double Operand(double value) => bf16 ? RoundToBits(value, 8) : value;
        var weights = new double[keys];
        for (int entry = 0; entry < batch; entry++)
            for (int head = 0; head < heads; head++)
                for (int query = 0; query < queries; query++)
                {
                    int visible = causal ? query + 1 + keys - queries : keys, row = entry * queries + query;
                    for (int key = 0; key < visible; key++)
                    {
                        double dot = 0;
                        for (int c = head * size; c < (head + 1) * size; c++) dot += Operand(queriesOf[row, c]) * Operand(keysOf[entry * keys + key, c]);
                        weights[key] = dot / Math.Sqrt(size);
                    }
                    double total = Exponentiate(weights.AsSpan(0, visible));
                    for (int c = head * size; c < (head + 1) * size; c++)
                    {
                        double sum = 0;
                        for (int key = 0; key < visible; key++)
                        {
                            double value = Operand(valuesOf[entry * keys + key, c]);
                            sum += doubt > 0 ? StepAtTie(weights[key]) * Math.Abs(value) : Operand(weights[key]) * value;
                        }
                        to[row, c] = sum / total;
                    }
                }
    }

    public void Convolution(Tensor x, PackedMatrix weight, Tensor bias, int kernel, Tensor y)
    {
        Matrix from = new(x), to = new(y);
        int batch = x.Shape[0], height = x.Shape[1], width = x.Shape[2], channels = x.Columns, padding = kernel / 2;
        double[,] w = ((ReferenceMatrix)weight).Values;
        double[] b = Elements(bias, weight.Outputs);
        for (int pixel = 0; pixel < batch * height * width; pixel++)
        {
            int column = pixel % width, row = pixel / width % height, entry = pixel / width / height;
            for (int output = 0; output < weight.Outputs; output++)
            {
                double sum = b[output];
                for (int tap = 0; tap < kernel * kernel; tap++)
                {
                    int fromRow = row + tap / kernel - padding, fromColumn = column + tap % kernel - padding;
                    if (fromRow < 0 || fromRow >= height || fromColumn < 0 || fromColumn >= width) continue;
                    int neighbour = (entry * height + fromRow) * width + fromColumn;
                    for (int c = 0; c < channels; c++) sum += from[neighbour, c] * w[output, tap * channels + c];
                }
                to[pixel, output] = sum;
            }
        }
    }

    static void Softmax(Span<double> values)
    {
        double sum = Exponentiate(values);
        foreach (ref double value in values) value /= sum;
    }

    /// <summary>exp(value - largest); returns their sum.</summary>
    static double Exponentiate(Span<double> values)
    {
        double max = double.NegativeInfinity, sum = 0;
        foreach (double value in values) max = Math.Max(max, value);
        foreach (ref double value in values) sum += value = Math.Exp(value - max);
        return sum;
    }
}
