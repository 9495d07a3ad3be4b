using ClipSegNative.Layers;
using ClipSegNative.Tensors;

namespace ClipSegNative.Models.Clip;

/// <summary>CLIP's image tower up to a given block: pixels [batch, 3, height, width] -> tokens [batch, 1 + cells, channels] (Radford et al. 2021, section 2.4).</summary>
sealed class ClipVisionEncoder
{
    readonly LayerScope _scope;
    readonly PatchEmbedding _embeddings;
    readonly LayerNorm _preNorm;
    readonly PreNormBlock[] _blocks;
    readonly Tensor[] _hidden;

    /// <param name="scope">At <c>vision_model</c>.</param>
    /// <param name="config">The tower's sizes.</param>
    /// <param name="batch">Pictures at once.</param>
    /// <param name="grid">Patches down and across; need not be the native grid nor square.</param>
    /// <param name="blocks">Blocks to run: what nothing reads is not computed.</param>
    public ClipVisionEncoder(LayerScope scope, ClipVisionConfig config, int batch, Grid grid, int blocks)
    {
        int tokens = 1 + grid.Cells;
        _scope = scope;
        var shape = new BlockShape(batch, tokens, config.HiddenSize, config.Heads, config.IntermediateSize, config.Activation, config.LayerNormEpsilon);
        _embeddings = new PatchEmbedding(scope.Child("embeddings"), batch, grid, config.ImageChannels, config.PatchSize, config.HiddenSize, config.NativeGrid);
        _preNorm = new LayerNorm(scope.Child("pre_layrnorm"), batch, tokens, config.HiddenSize, config.LayerNormEpsilon);   // the checkpoints' spelling
        _blocks = [.. Enumerable.Range(0, blocks).Select(i => new PreNormBlock(scope.Child("encoder.layers", i), shape))];
        _hidden = new Tensor[blocks + 1];
    }

    /// <returns>Entry 0 is the embedding after its norm, entry i + 1 the output of block i.</returns>
    public Tensor[] Forward(Tensor pixels)
    {
        _hidden[0] = _preNorm.Forward(_embeddings.Forward(pixels));
        for (int i = 0; i < _blocks.Length; i++) _hidden[i + 1] = _blocks[i].Forward(_hidden[i]);
        return _hidden;
    }

    /// <param name="dHidden">Gradients of what <see cref="Forward"/> returned, absent where there is none.</param>
    public void Backward(ReadOnlySpan<Tensor> dHidden)
    {
        Tensor dy = default;
        for (int i = _blocks.Length; i >= 0; i--)
        {
            if (dy.IsAbsent) dy = dHidden[i];
            else
            {
                dy = _blocks[i].Backward(dy);
                if (!dHidden[i].IsAbsent) _scope.Backend.Add(dy, dHidden[i], dy);
            }
        }
        _embeddings.Backward(_preNorm.Backward(dy));
    }
}
