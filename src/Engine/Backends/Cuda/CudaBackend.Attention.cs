using ClipSegNative.Interop;
using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cuda;

/// <summary>Attention: src/Kernels/attention.cu, and tensorcores.cu and tensorgradients.cu for operands rounded to 16 bits.</summary>
sealed partial class CudaBackend
{
    const int AttentionThreads = 128;

    /// <summary>Floats that the gradient keeps of every query.</summary>
    const int QueryStatistics = 3;

    readonly AttentionKernels[] _attentions = AttentionKernels.Of(precision), _exactAttentions = AttentionKernels.Of(CudaPrecision.Float32);

    public void Attention(Tensor q, Tensor k, Tensor v, int heads, bool causal, Tensor y, PrecisionFloor floor)
    {
        AttentionKernels kernels = KernelsOf(q.Columns / heads, floor);
        (int queries, int keys, int size, float scale) = Problem(q, k, heads);
        Launch(kernels.Forward, Tiles(queries, kernels.Tile, heads, q), AttentionThreads,
            At(q), q.Pitch, At(k), k.Pitch, At(v), v.Pitch, At(y), y.Pitch, queries, keys, size, causal ? 1 : 0, scale);
    }

    public void AttentionBackward(Tensor q, Tensor k, Tensor v, Tensor y, Tensor dy, int heads, bool causal, Tensor dq, Tensor dk, Tensor dv)
    {
        AttentionKernels kernels = KernelsOf(q.Columns / heads, PrecisionFloor.None);
        (int queries, int keys, int size, float scale) = Problem(q, k, heads);
        int masked = causal ? 1 : 0;
        ulong statistics = Scratch((long)q.Shape[0] * heads * queries * QueryStatistics * sizeof(float));
        Launch(kernels.Statistics, Tiles(queries, kernels.Tile, heads, q), AttentionThreads,
            At(q), q.Pitch, At(k), k.Pitch, At(y), y.Pitch, At(dy), dy.Pitch, statistics, queries, keys, size, masked, scale);
        Launch(kernels.Queries, Tiles(queries, kernels.Tile, heads, q), AttentionThreads,
            At(q), q.Pitch, At(k), k.Pitch, At(v), v.Pitch, At(dy), dy.Pitch, statistics, At(dq), dq.Pitch, queries, keys, size, masked, scale);
        Launch(kernels.Keys, Tiles(keys, kernels.Tile, heads, q), AttentionThreads,
            At(q), q.Pitch, At(k), k.Pitch, At(v), v.Pitch, At(dy), dy.Pitch, statistics, At(dk), dk.Pitch, At(dv), dv.Pitch, queries, keys, size, masked, scale);
    }

    static (int Queries, int Keys, int Size, float Scale) Problem(Tensor q, Tensor k, int heads)
    {
        int size = q.Columns / heads;
        return (q.Shape[1], k.Shape[1], size, 1 / MathF.Sqrt(size));
    }

    static CudaExtent Tiles(int tokens, int tile, int heads, Tensor q) => new(Parts(tokens, tile), (uint)heads, (uint)q.Shape[0]);

    AttentionKernels KernelsOf(int size, PrecisionFloor floor)
    {
        foreach (AttentionKernels kernels in floor == PrecisionFloor.Float32 ? _exactAttentions : _attentions)
            if (size <= kernels.Size) return kernels;
        throw new DeviceException($"The CUDA kernels have heads of up to {_attentions[^1].Size} channels, but the model's have {size}: use the device cpu.");
    }

    /// <summary>The kernels for heads of up to so many channels.</summary>
    /// <param name="size">Channels.</param>
    /// <param name="tile">Rows of a block.</param>
    /// <param name="forward">What the name begins with.</param>
    /// <param name="gradient">Likewise, of the gradient's.</param>
    /// <param name="type">Of operands.</param>
    sealed class AttentionKernels(int size, int tile, string forward, string gradient, string type)
    {
        public int Size => size;

        public int Tile => tile;

        public string Forward { get; } = $"{forward}_{type}_h{size}";

        public string Statistics { get; } = $"{gradient}_statistics_{type}_h{size}";

        public string Queries { get; } = $"{gradient}_backward_queries_{type}_h{size}";

        public string Keys { get; } = $"{gradient}_backward_keys_{type}_h{size}";

        /// <summary>From small heads to large ones.</summary>
        public static AttentionKernels[] Of(CudaPrecision precision)
        {
            return [Of(16), Of(32), Of(64)];

            AttentionKernels Of(int size) => precision switch
            {
                CudaPrecision.BFloat16 => new(size, 64, "tensorcores_attention", "tensorgradients", "bf16"),
                CudaPrecision.Float16 => new(size, 64, "tensorcores_attention", "tensorgradients", "f16"),
                _ => new(size, 32, "attention", "attention", "f32"),
            };
        }
    }
}
