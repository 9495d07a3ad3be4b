using ClipSegNative.Backends.Cuda;
using ClipSegNative.Tests.Conformance;
using ClipSegNative.Tests.Kernels.Ptx.Execution;

namespace ClipSegNative.Tests.Kernels.Emulation;

/// <summary>Whether the op table would notice a mistake in a kernel: by a wrong result, or by what the interpreter checks.</summary>
public sealed class MutationTests
{
    /// <summary>Kernel, mistake, which of its places, the operation that must notice.</summary>
    public static TheoryData<string, string, int, string> Mutants => new()
    {
        { "sums_columns_f32", "barrier forgotten", 0, "AddBackward" },
        { "sums_columns_f32", "bound off by one", 0, "AddBackward" },
        { "sums_columns_f32", "sum with the wrong sign", 0, "AddBackward" },
        { "rows_transpose_f32", "barrier forgotten", 0, "PackTransposed" },
        { "rows_transpose_f32", "product forgotten", 0, "PackTransposed" },
        { "sums_film_f32", "barrier forgotten", 0, "FilmBackward" },
        { "sums_squares_f32", "barrier forgotten", 0, "SumOfSquares" },
        { "sums_pool_f32", "bound off by one", 0, "PoolTokens" },
        { "rows_add_f32", "bound off by one", 0, "Add" },
        { "rows_slice_f32", "product forgotten", 0, "SliceTokens" },
        { "rows_film_f32", "product forgotten", 1, "Film" },
        { "norms_layer_f32", "bound off by one", 0, "LayerNorm" },
        { "norms_layer_f32", "reduction step twice", 0, "LayerNorm" },
        { "norms_layer_f32", "result not stored", 0, "LayerNorm" },
        { "norms_layer_backward_f32", "reduction step twice", 2, "LayerNormBackward" },
        { "norms_layer_parameters_f32", "barrier forgotten", 0, "LayerNormBackward" },
        { "norms_layer_parameters_f32", "sum with the wrong sign", 3, "LayerNormBackward" },
        { "norms_group_sums_f32", "barrier forgotten", 0, "GroupNorm" },
        { "norms_group_sums_f32", "bound off by one", 1, "GroupNorm" },
        { "norms_group_gradient_sums_f32", "barrier forgotten", 0, "GroupNormBackward" },
        { "maps_fold_f32", "bound off by one", 0, "Fold" },
        { "maps_unfold_f32", "product forgotten", 0, "Convolution" },
        { "maps_resize_bicubic_f32", "product forgotten", 0, "Resize" },
        { "losses_mask_sums_f32", "barrier forgotten", 0, "MaskLoss" },
        { "losses_mask_f32", "warp barrier forgotten", 0, "MaskLoss" },
        { "losses_mask_backward_f32", "barrier forgotten", 0, "MaskLossBackward" },
        { "contrast_lines_f32", "barrier forgotten", 1, "ContrastiveLoss" },
        { "attention_f32_h16", "barrier forgotten", 0, "Attention" },
        { "attention_f32_h16", "barrier forgotten", 1, "Attention" },
        { "attention_f32_h16", "warp barrier forgotten", 1, "Attention" },
        { "attention_backward_keys_f32_h16", "warp barrier forgotten", 2, "AttentionBackward" },
        { "attention_f32_h16", "reduction step twice", 3, "Attention" },
        { "attention_backward_keys_f32_h16", "barrier forgotten", 1, "AttentionBackward" },
        { "tensorcores_attention_bf16_h16", "barrier forgotten", 0, "Attention" },
        { "tensorcores_attention_bf16_h16", "barrier forgotten", 1, "Attention" },
        { "tensorgradients_statistics_bf16_h16", "barrier forgotten", 1, "AttentionBackward" },
        { "tensorgradients_backward_queries_bf16_h16", "barrier forgotten", 0, "AttentionBackward" },
        { "tensorgradients_backward_keys_bf16_h16", "barrier forgotten", 0, "AttentionBackward" },
        { "tensorgradients_backward_keys_bf16_h16", "barrier forgotten", 1, "AttentionBackward" },
        { "tensorgradients_backward_keys_bf16_h16", "bound off by one", 0, "AttentionBackward" },
        { "optimiser_adamw_f32", "scale forgotten", 0, "AdamW" },
    };

    [Theory, MemberData(nameof(Mutants))]
    public void Kernel_WithAMistake_IsNoticed(string kernel, string mistake, int occurrence, string operation)
    {
        using var device = new InterpretedDevice(new Mutant(kernel, mistake, occurrence).Modules()) { StepLimit = 1_000_000 };
        CudaPrecision precision = kernel.Contains("bf16", StringComparison.Ordinal) ? CudaPrecision.BFloat16 : CudaPrecision.Float32;
        using var backend = new CudaBackend(new EmulatedRuntime(device), precision);
        Assert.Contains(OpTable.All.Where(op => op.Operation == operation), op => CudaTolerance.Of(op, precision) is { } tolerance && IsNoticed(op, backend, tolerance));
    }

    static bool IsNoticed(OpCase op, CudaBackend backend, Tolerance tolerance)
    {
        try
        {
            float[] actual = op.Run(backend);
            return !op.Expected.Zip(actual).All(pair => Math.Abs((double)pair.First - pair.Second) <= tolerance.Allowance(pair.First));
        }
        catch (Exception error) when (error is KernelFaultException or DeviceMemoryException or Xunit.Sdk.XunitException)
        {
            return true;
        }
    }
}
