using ClipSegNative.Models.ClipSeg;

namespace ClipSegNative.Tests.Reference;

/// <summary>
/// The convolutional decoder written a second time, from its description in docs/formats.md: loops over double arrays, one picture and one prompt,
/// nothing of the engine but the tensors' names.
/// </summary>
/// <param name="conv">Channels and groups.</param>
/// <param name="weights">Every decoder tensor by its name.</param>
sealed class NaiveConvDecoder(ConvDecoderConfig conv, Func<string, double[]> weights)
{
    /// <summary>[height, width, channels].</summary>
    readonly record struct Map(double[] Values, int Height, int Width, int Channels)
    {
        public double this[int y, int x, int c] => Values[(y * Width + x) * Channels + c];

        public static Map From(int height, int width, int channels, Func<int, int, int, double> value) => new(
            [.. from y in Enumerable.Range(0, height) from x in Enumerable.Range(0, width) from c in Enumerable.Range(0, channels) select value(y, x, c)],
            height, width, channels);
    }

    /// <param name="features">[1 + height · width, channels] each, the class token first; deepest first.</param>
    /// <param name="condition">The conditional vector.</param>
    /// <param name="height">Of the token grid.</param>
    /// <param name="width">Of the token grid.</param>
    /// <returns>Logits row by row.</returns>
    public double[] Run(double[][] features, double[] condition, int height, int width)
    {
        Map x = default;
        for (int stage = 0; stage < conv.Channels.Count; stage++)
        {
            string name = $"decoder.stages.{stage}";
            int channels = conv.Channels[stage];
            if (stage > 0) x = Double(x, weights($"{name}.upsample.weight"), weights($"{name}.upsample.bias"), channels);
            if (stage < features.Length)
            {
                double[] tokens = features[stage];
                Map cells = Map.From(height, width, channels, (row, column, c) => tokens[(1 + row * width + column) * channels + c]);
                Map feature = Enlarge(cells, height << stage, width << stage), sum = x;
                x = stage == 0 ? feature : Map.From(feature.Height, feature.Width, channels, (row, column, c) => sum[row, column, c] + feature[row, column, c]);
            }
            x = Modulate(x, Linear($"{name}.film_mul", condition), Linear($"{name}.film_add", condition));
            for (int i = 0; i < 2; i++)
                x = Normalise(Convolve(x, weights($"{name}.convolutions.{i}.weight"), weights($"{name}.convolutions.{i}.bias")),
                    weights($"{name}.norms.{i}.weight"), weights($"{name}.norms.{i}.bias"));
        }
        double[] head = weights("decoder.head.weight");
        double bias = weights("decoder.head.bias")[0];
        return Map.From(x.Height, x.Width, 1, (row, column, _) => bias + Enumerable.Range(0, x.Channels).Sum(c => head[c] * x[row, column, c])).Values;
    }

    double[] Linear(string name, double[] x)
    {
        double[] w = weights($"{name}.weight"), b = weights($"{name}.bias");
        return [.. b.Select((bias, output) => bias + x.Select((value, input) => value * w[output * x.Length + input]).Sum())];
    }

    static Map Modulate(Map x, double[] scale, double[] shift) =>
        Map.From(x.Height, x.Width, x.Channels, (row, column, c) => x[row, column, c] * scale[c] + shift[c]);

    /// <summary>Weight [in, out, 2, 2]: each pixel becomes four.</summary>
    static Map Double(Map x, double[] weight, double[] bias, int outputs) => Map.From(2 * x.Height, 2 * x.Width, outputs, (row, column, c) =>
    {
        double sum = bias[c];
        for (int input = 0; input < x.Channels; input++)
            sum += x[row / 2, column / 2, input] * weight[((input * outputs + c) * 2 + row % 2) * 2 + column % 2];
        return sum;
    });

    /// <summary>Bilinear, half-pixel centres, edges repeated.</summary>
    static Map Enlarge(Map x, int height, int width) => Map.From(height, width, x.Channels, (row, column, c) =>
    {
        (int top, int bottom, double down) = Neighbours(row, height, x.Height);
        (int left, int right, double across) = Neighbours(column, width, x.Width);
        return (x[top, left, c] * (1 - across) + x[top, right, c] * across) * (1 - down) + (x[bottom, left, c] * (1 - across) + x[bottom, right, c] * across) * down;
    });

    static (int First, int Second, double Share) Neighbours(int at, int size, int from)
    {
        double source = Math.Clamp((at + 0.5) * from / size - 0.5, 0, from - 1);
        int first = (int)source;
        return (first, Math.Min(first + 1, from - 1), source - first);
    }

    /// <summary>Weight [out, in, 3, 3], zeros around the map.</summary>
    static Map Convolve(Map x, double[] weight, double[] bias) => Map.From(x.Height, x.Width, bias.Length, (row, column, c) =>
    {
        double sum = bias[c];
        for (int dy = -1; dy <= 1; dy++)
            for (int dx = -1; dx <= 1; dx++)
            {
                if (row + dy < 0 || row + dy >= x.Height || column + dx < 0 || column + dx >= x.Width) continue;
                for (int input = 0; input < x.Channels; input++)
                    sum += x[row + dy, column + dx, input] * weight[((c * x.Channels + input) * 3 + dy + 1) * 3 + dx + 1];
            }
        return sum;
    });

    /// <summary>Group norm, then ReLU.</summary>
    Map Normalise(Map x, double[] gamma, double[] beta)
    {
        int size = x.Channels / conv.Groups;
        (double Mean, double Deviation)[] groups = [.. Enumerable.Range(0, conv.Groups).Select(group =>
        {
            double[] members = [.. x.Values.Where((_, i) => i % x.Channels / size == group)];
            double mean = members.Average();
            return (mean, Math.Sqrt(members.Average(value => (value - mean) * (value - mean)) + 1e-5));
        })];
        return Map.From(x.Height, x.Width, x.Channels, (row, column, c) =>
            Math.Max(0, (x[row, column, c] - groups[c / size].Mean) / groups[c / size].Deviation * gamma[c] + beta[c]));
    }
}
