namespace ClipSegNative;

/// <summary>
/// In what the products of a model are computed on the CPU. Sums, norms, softmax, residuals and FiLM are float32 in all of them;
/// docs/numerics.md says what each rounds.
/// </summary>
public enum Precision
{
    /// <summary>Weights and activations in float32.</summary>
    Fp32,

    /// <summary>Weights and activations of products in bfloat16: half the weights, needs a processor with AVX512_BF16.</summary>
    Bf16,

    /// <summary>Weights and activations of products as bytes, with a scale for each output and each token: a quarter of the weights.</summary>
    Int8,

    /// <summary>Weights kept as F16 and widened when they are used, everything else float32: half the weights.</summary>
    F16Weights,
}

static class Precisions
{
    /// <summary>As options spell it.</summary>
    public static string Name(this Precision precision) => precision switch
    {
        Precision.Bf16 => "bf16",
        Precision.Int8 => "int8",
        Precision.F16Weights => "f16-weights",
        _ => "fp32",
    };
}
