namespace ClipSegNative;

/// <summary>
/// In what the products of a model are computed. Sums, norms, softmax, residuals and FiLM are float32 in all of them; docs/numerics.md says what each
/// rounds. A CPU that lacks one computes in float32 and says so; a GPU refuses those that it lacks.
/// </summary>
public enum Precision
{
    /// <summary>Weights and activations in float32.</summary>
    Fp32,

    /// <summary>Operands of products in bfloat16. On a CPU half the weights, needs AVX512_BF16.</summary>
    Bf16,

    /// <summary>CPU only. Weights and activations of products as bytes, with a scale for each output and each token: a quarter of the weights.</summary>
    Int8,

    /// <summary>CPU only. Weights kept as F16 and widened when they are used, everything else float32: half the weights.</summary>
    F16Weights,

    /// <summary>CUDA only. Operands of products in TF32: float32 with 10 bits of mantissa.</summary>
    Tf32,

    /// <summary>CUDA only. Operands of products in F16: 10 bits of mantissa, nothing beyond 65504.</summary>
    Fp16,
}

static class Precisions
{
    public static readonly Precision[] OfCpu = [Precision.Fp32, Precision.Bf16, Precision.Int8, Precision.F16Weights];

    /// <summary>As options spell it.</summary>
    public static string Name(this Precision precision) => precision switch
    {
        Precision.Bf16 => "bf16",
        Precision.Int8 => "int8",
        Precision.F16Weights => "f16-weights",
        Precision.Tf32 => "tf32",
        Precision.Fp16 => "fp16",
        _ => "fp32",
    };
}
