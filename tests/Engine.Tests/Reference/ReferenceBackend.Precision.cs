namespace ClipSegNative.Tests.Reference;

/// <summary>What each precision makes of the operands of a product: a token of x, or the weights of one output.</summary>
sealed partial class ReferenceBackend
{
    static void RoundTo(Precision precision, double[] row)
    {
        if (precision == Precision.Bf16)
            for (int i = 0; i < row.Length; i++) row[i] = RoundToBits(row[i], 8);
    }

    /// <summary>So many significant bits, to nearest, ties to even.</summary>
    static double RoundToBits(double value, int bits)
    {
        if (value == 0 || !double.IsFinite(value)) return value;
        int shift = bits - 1 - Math.ILogB(value);
        return Math.ScaleB(Math.Round(Math.ScaleB(value, shift), MidpointRounding.ToEven), -shift);
    }
}
