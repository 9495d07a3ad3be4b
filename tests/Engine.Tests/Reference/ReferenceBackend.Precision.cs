namespace ClipSegNative.Tests.Reference;

/// <summary>What each precision makes of the operands of a product: a token of x, or the weights of one output.</summary>
sealed partial class ReferenceBackend
{
    void RoundTo(double[] row, bool isWeight)
    {
        (float extent, int steps) = isWeight ? (Largest(row), 127) : ((float)Math.Max(0, row.Max()) - (float)Math.Min(0, row.Min()), paired ? 179 : 254);
        // The inverse of the scale and its product with each value are float32 by definition: which neighbour a tie goes to depends on it.
        float inverse = extent > 1e-30f ? steps / extent : 0, scale = extent / steps;
        for (int i = 0; i < row.Length; i++)
        {
            row[i] = precision switch
            {
                Precision.Bf16 => RoundToBits(row[i], 8),
                Precision.Int8 => scale * (double)MathF.Round((float)row[i] * inverse, MidpointRounding.ToEven),
                Precision.F16Weights when isWeight => (double)(Half)(float)row[i],
                _ => row[i],
            };
        }
    }

    /// <summary>Of the weights of one output: the largest size, of pairs of them too where these are bounded.</summary>
    float Largest(double[] row)
    {
        float largest = row.Max(value => Math.Abs((float)value));
        return paired ? row.Chunk(2).Max(pair => Math.Max(largest, Math.Abs((float)pair[0] + (float)pair[^1] * (pair.Length - 1)) * (127f / 181))) : largest;
    }

    /// <summary>The distance between a positive number's neighbours in bfloat16, if it is nearly in their middle; else 0.</summary>
    double StepAtTie(double value)
    {
        double step = Math.ScaleB(1, Math.ILogB(value) - 7), beyond = value / step - Math.Floor(value / step) - 0.5;
        return Math.Abs(beyond) * step <= doubt * value ? step : 0;
    }

    /// <summary>So many significant bits, to nearest, ties to even.</summary>
    static double RoundToBits(double value, int bits)
    {
        if (value == 0 || !double.IsFinite(value)) return value;
        int shift = bits - 1 - Math.ILogB(value);
        return Math.ScaleB(Math.Round(Math.ScaleB(value, shift), MidpointRounding.ToEven), -shift);
    }
}
