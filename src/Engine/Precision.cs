namespace ClipSegNative;

/// <summary>
/// In what the products of a model are computed on the CPU. Sums, norms, softmax, residuals and FiLM are float32 in all of them; docs/numerics.md has
/// the measured error of each.
/// </summary>
public enum Precision
{
    /// <summary>Weights and activations in float32.</summary>
    Fp32,

    /// <summary>Weights and activations of products in bfloat16: half the weights, needs a processor with AVX512_BF16.</summary>
    Bf16,
}

static class Precisions
{
    /// <summary>As options spell it.</summary>
    public static string Name(this Precision precision) => precision switch
    {
        Precision.Bf16 => "bf16",
        _ => "fp32",
    };
}
