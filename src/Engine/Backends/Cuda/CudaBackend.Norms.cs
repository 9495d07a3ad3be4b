using ClipSegNative.Interop;
using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cuda;

/// <summary>Norms and their gradients: src/Kernels/norms.cu.</summary>
sealed partial class CudaBackend
{
    const int RowsPerBlock = 8;

    static readonly ElementKernel NormLayer = new("norms_layer"), NormLayerBackward = new("norms_layer_backward");

    public void LayerNorm(Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor y)
    {
        ElementLoop loop = Loop(y.Shape, sameRows: false, x, gamma, beta, y);
        Launch(loop.ByFours ? NormLayer.Fours : NormLayer.Single, RowBlocks(x.Rows), BlockThreads,
            At(x), loop.Pitch(x), At(gamma), At(beta), epsilon, At(y), loop.Pitch(y), x.Rows, loop.Columns);
    }

    /// <summary>The gradients of γ and β come first: dx may take dy's place.</summary>
    public void LayerNormBackward(Tensor x, Tensor dy, Tensor gamma, float epsilon, Tensor dx, Tensor dGamma, Tensor dBeta)
    {
        if (!dGamma.IsAbsent || !dBeta.IsAbsent)
        {
            int chunk = ChunkOf(x.Rows);
            uint chunks = Parts(x.Rows, chunk);
            ulong moments = Scratch((2L * x.Rows + 2L * chunks * x.Columns) * sizeof(float)), partial = moments + (ulong)x.Rows * 2 * sizeof(float);
            Launch("norms_layer_moments_f32", RowBlocks(x.Rows), BlockThreads, At(x), x.Pitch, epsilon, moments, x.Rows, x.Columns);
            Launch("norms_layer_parameters_f32", new CudaExtent(ColumnBlocks(x.Columns), chunks), BlockThreads,
                At(x), x.Pitch, At(dy), dy.Pitch, moments, partial, chunk, x.Rows, x.Columns);
            Launch("norms_add_parameters_f32", Blocks(x.Columns), BlockThreads, partial, chunks, At(dGamma), At(dBeta), x.Columns);
        }
        ElementLoop loop = Loop(dx.Shape, sameRows: false, x, dy, gamma, dx);
        Launch(loop.ByFours ? NormLayerBackward.Fours : NormLayerBackward.Single, RowBlocks(x.Rows), BlockThreads,
            At(x), loop.Pitch(x), At(dy), loop.Pitch(dy), At(gamma), epsilon, At(dx), loop.Pitch(dx), x.Rows, loop.Columns);
    }

    public void Normalize(Tensor x, Tensor y) => Launch("norms_unit_f32", RowBlocks(x.Rows), BlockThreads, At(x), x.Pitch, At(y), y.Pitch, x.Rows, x.Columns);

    public void NormalizeBackward(Tensor x, Tensor dy, Tensor dx) =>
        Launch("norms_unit_backward_f32", RowBlocks(x.Rows), BlockThreads, At(x), x.Pitch, At(dy), dy.Pitch, At(dx), dx.Pitch, x.Rows, x.Columns);

    public void GroupNorm(Tensor x, Tensor gamma, Tensor beta, int groups, float epsilon, Tensor y)
    {
        var map = new GroupedMap(x, groups);
        GroupScratch scratch = GroupMoments(map, At(x), epsilon);
        // The first pixel of each entry: y may be x.
        CopyRowsOf(new Shape(map.Entries, map.Channels), At(x), map.PerEntry, scratch.Partial, map.Channels);
        Launch("norms_group_f32", Blocks(map.Count), BlockThreads, At(x), scratch.Partial, scratch.Moments, At(gamma), At(beta), At(y), map.PerEntry, map.Channels, map.Count);
    }

    public void GroupNormBackward(Tensor x, Tensor dy, Tensor gamma, int groups, float epsilon, Tensor dx, Tensor dGamma, Tensor dBeta)
    {
        var map = new GroupedMap(x, groups);
        GroupScratch scratch = GroupMoments(map, At(x), epsilon);
        Launch("norms_group_gradient_sums_f32", map.SumBlocks, BlockThreads, At(x), At(dy), scratch.Moments, scratch.Partial, map.Chunk, map.Pixels, map.Channels);
        if (!dGamma.IsAbsent || !dBeta.IsAbsent)
        {
            Launch("norms_group_parameters_f32", new CudaExtent(Parts(map.Channels, GroupThreads)), GroupThreads,
                scratch.Partial, map.Chunks, At(dGamma), At(dBeta), map.Channels, map.Entries);
        }
        Launch("norms_group_gradient_means_f32", map.GroupBlocks, GroupThreads,
            scratch.Partial, map.Chunks, At(gamma), scratch.Means, map.Pixels, map.Channels, map.Groups, map.Entries);
        Launch("norms_group_backward_f32", Blocks(map.Count), BlockThreads,
            At(x), At(dy), scratch.Moments, scratch.Means, At(gamma), At(dx), map.PerEntry, map.Channels, map.Groups, map.Count);
    }

    const int GroupThreads = 64;

    /// <summary>Moments [entries, channels, 2], and room for partial sums [entries, chunks, channels, 2] and means [entries, groups, 2].</summary>
    GroupScratch GroupMoments(in GroupedMap map, ulong x, float epsilon)
    {
        long moments = 2L * map.Entries * map.Channels, partial = moments * map.Chunks, means = 2L * map.Entries * map.Groups;
        ulong at = Scratch((moments + partial + means) * sizeof(float));
        var scratch = new GroupScratch(at, at + (ulong)moments * sizeof(float), at + (ulong)(moments + partial) * sizeof(float));
        Launch("norms_group_sums_f32", map.SumBlocks, BlockThreads, x, scratch.Partial, map.Chunk, map.Pixels, map.Channels);
        Launch("norms_group_moments_f32", map.GroupBlocks, GroupThreads,
            x, scratch.Partial, map.Chunks, epsilon, scratch.Moments, map.Pixels, map.Channels, map.Groups, map.Entries);
        return scratch;
    }

    static CudaExtent RowBlocks(int rows) => new(Parts(rows, RowsPerBlock));

    readonly record struct GroupScratch(ulong Moments, ulong Partial, ulong Means);

    /// <summary>The extents of a map [entries, height, width, channels] whose pixels are summed in chunks.</summary>
    readonly struct GroupedMap(Tensor x, int groups)
    {
        public int Entries { get; } = x.Shape[0];

        public int Pixels { get; } = x.Shape[1] * x.Shape[2];

        public int Channels { get; } = x.Columns;

        public int Groups { get; } = groups;

        public int PerEntry => Pixels * Channels;

        public uint Count => (uint)(Entries * PerEntry);

        public int Chunk => ChunkOf(Pixels);

        public int Chunks => (int)Parts(Pixels, Chunk);

        public CudaExtent SumBlocks => new(ColumnBlocks(Channels), (uint)Chunks, (uint)Entries);

        public CudaExtent GroupBlocks => new(Parts(Groups * Entries, GroupThreads));
    }
}
