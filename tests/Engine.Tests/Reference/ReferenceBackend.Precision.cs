namespace ClipSegNative.Tests.Reference;

/// <summary>What each precision makes of the operands of a product: a token of x, or the weights of one output.</summary>
sealed partial class ReferenceBackend
{
    static void RoundTo(Precision precision, double[] row, bool isWeight)
    {
        // 127 over the largest size and its product with each value are float32 by definition: which neighbour a tie goes to depends on it.
        float largest = row.Max(value => Math.Abs((float)value)), inverse = largest > 1e-30f ? 127 / largest : 0, scale = largest / 127;
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

    /// <summary>So many significant bits, to nearest, ties to even.</summary>
    static double RoundToBits(double value, int bits)
    {
        if (value == 0 || !double.IsFinite(value)) return value;
        int shift = bits - 1 - Math.ILogB(value);
        return Math.ScaleB(Math.Round(Math.ScaleB(value, shift), MidpointRounding.ToEven), -shift);
    }
}
