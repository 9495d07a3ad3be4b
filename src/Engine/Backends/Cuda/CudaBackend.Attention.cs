using ClipSegNative.Interop;
using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cuda;

/// <summary>Attention: src/Kernels/attention.cu, and tensorcores.cu for rounded operands; its gradient is float32 in every precision.</summary>
sealed partial class CudaBackend
{
    const int AttentionTile = 32, TensorCoreTile = 64, AttentionThreads = 128;

    /// <summary>Floats that the gradient keeps of every query.</summary>
    const int QueryStatistics = 3;

    public void Attention(Tensor q, Tensor k, Tensor v, int heads, bool causal, Tensor y)
    {
        AttentionKernels kernels = KernelsOf(q.Columns / heads);
        (int queries, int keys, int size, float scale) = Problem(q, k, heads);
        (string kernel, int tile) = precision switch
        {
            CudaPrecision.BFloat16 => (kernels.BFloat16, TensorCoreTile),
            CudaPrecision.Float16 => (kernels.Float16, TensorCoreTile),
            _ => (kernels.Float32, AttentionTile),
        };
        Launch(kernel, Tiles(queries, tile, heads, q), AttentionThreads,
            At(q), q.Pitch, At(k), k.Pitch, At(v), v.Pitch, At(y), y.Pitch, queries, keys, size, causal ? 1 : 0, scale);
    }

    public void AttentionBackward(Tensor q, Tensor k, Tensor v, Tensor y, Tensor dy, int heads, bool causal, Tensor dq, Tensor dk, Tensor dv)
    {
        AttentionKernels kernels = KernelsOf(q.Columns / heads);
        (int queries, int keys, int size, float scale) = Problem(q, k, heads);
        int masked = causal ? 1 : 0;
        ulong statistics = Scratch((long)q.Shape[0] * heads * queries * QueryStatistics * sizeof(float));
        Launch(kernels.Statistics, Tiles(queries, AttentionTile, heads, q), AttentionThreads,
            At(q), q.Pitch, At(k), k.Pitch, At(y), y.Pitch, At(dy), dy.Pitch, statistics, queries, keys, size, masked, scale);
        Launch(kernels.Queries, Tiles(queries, AttentionTile, heads, q), AttentionThreads,
            At(q), q.Pitch, At(k), k.Pitch, At(v), v.Pitch, At(dy), dy.Pitch, statistics, At(dq), dq.Pitch, queries, keys, size, masked, scale);
        Launch(kernels.Keys, Tiles(keys, AttentionTile, heads, q), AttentionThreads,
            At(q), q.Pitch, At(k), k.Pitch, At(v), v.Pitch, At(dy), dy.Pitch, statistics, At(dk), dk.Pitch, At(dv), dv.Pitch, queries, keys, size, masked, scale);
    }

    static (int Queries, int Keys, int Size, float Scale) Problem(Tensor q, Tensor k, int heads)
    {
        int size = q.Columns / heads;
        return (q.Shape[1], k.Shape[1], size, 1 / MathF.Sqrt(size));
    }

    static CudaExtent Tiles(int tokens, int tile, int heads, Tensor q) => new(Parts(tokens, tile), (uint)heads, (uint)q.Shape[0]);

    static AttentionKernels KernelsOf(int size)
    {
        foreach (AttentionKernels kernels in Attentions)
            if (size <= kernels.Size) return kernels;
        throw new DeviceException($"The CUDA kernels have heads of up to {Attentions[^1].Size} channels, but the model's have {size}: use the device cpu.");
    }

    static readonly AttentionKernels[] Attentions = [new(16), new(32), new(64)];

    /// <summary>The kernels for heads of up to so many channels.</summary>
    sealed class AttentionKernels(int size)
    {
        public int Size => size;

        public string Float32 { get; } = $"attention_f32_h{size}";

        public string BFloat16 { get; } = $"tensorcores_attention_bf16_h{size}";

        public string Float16 { get; } = $"tensorcores_attention_f16_h{size}";

        public string Statistics { get; } = $"attention_statistics_f32_h{size}";

        public string Queries { get; } = $"attention_backward_queries_f32_h{size}";

        public string Keys { get; } = $"attention_backward_keys_f32_h{size}";
    }
}
