using ClipSegNative.Interop;
using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cuda;

/// <summary>Losses: src/Kernels/losses.cu and contrast.cu.</summary>
sealed partial class CudaBackend
{
    /// <summary>Pixels of a map that one block adds up, and of a whole map at most so many blocks.</summary>
    const int PiecePixels = 4096;

    const int LineThreads = 128;

    static readonly ElementKernel MaskSums = new("losses_mask_sums"), MaskBackward = new("losses_mask_backward");

    public void MaskLoss(Tensor logits, Tensor targets, MaskLosses losses, Tensor sums, Tensor y)
    {
        ElementLoop loop = Loop(logits.Shape, sameRows: false, logits, targets);
        uint pieces = Parts(logits.Columns, PiecePixels);
        ulong partial = Scratch((long)logits.Rows * pieces * MaskLosses.Sums * sizeof(double));
        Launch(loop.ByFours ? MaskSums.Fours : MaskSums.Single, new CudaExtent(pieces, (uint)logits.Rows), BlockThreads,
            [At(logits), loop.Pitch(logits), At(targets), loop.Pitch(targets), partial, loop.Columns, loop.ByFours ? PiecePixels / 4 : PiecePixels, .. Weights(losses)]);
        Launch("losses_mask_f32", new CudaExtent((uint)logits.Rows), WarpThreads,
            [partial, pieces, At(sums), sums.Pitch, At(y), y.Pitch, logits.Columns, .. Weights(losses)]);
    }

    public void MaskLossBackward(Tensor logits, Tensor targets, Tensor sums, MaskLosses losses, float scale, Tensor dLogits)
    {
        ElementLoop loop = Loop(logits.Shape, sameRows: false, logits, targets, dLogits);
        Launch(loop.ByFours ? MaskBackward.Fours : MaskBackward.Single, new CudaExtent(Parts(logits.Columns, PiecePixels), (uint)logits.Rows), BlockThreads,
            [
                At(logits), loop.Pitch(logits), At(targets), loop.Pitch(targets), At(sums), sums.Pitch, At(dLogits), loop.Pitch(dLogits),
                loop.Columns, logits.Columns, scale / logits.Rows, .. Weights(losses),
            ]);
    }

    public void ContrastiveLoss(Tensor similarities, Tensor positives, Tensor logScale, Tensor y)
    {
        ulong lines = ContrastLines(similarities, positives, logScale, extraBytes: 0);
        Launch("contrast_loss_f32", new CudaExtent(1), LineThreads, lines, similarities.Rows, similarities.Columns, At(y));
    }

    public void ContrastiveLossBackward(Tensor similarities, Tensor positives, Tensor logScale, Tensor dSimilarities, Tensor dLogScale)
    {
        uint blocks = Parts(similarities.Shape.Elements, LineThreads);
        ulong lines = ContrastLines(similarities, positives, logScale, blocks * sizeof(double));
        ulong partial = lines + (ulong)LineBytes(similarities);
        Launch("contrast_backward_f32", new CudaExtent(blocks), LineThreads,
            At(similarities), similarities.Pitch, At(positives), positives.Pitch, At(logScale), ContrastiveLosses.LargestScale, lines,
            At(dSimilarities), dSimilarities.Pitch, partial, similarities.Rows, similarities.Columns);
        if (!dLogScale.IsAbsent)
            Launch("contrast_scale_backward_f32", new CudaExtent(1), WarpThreads, partial, blocks, At(logScale), ContrastiveLosses.LargestScale, At(dLogScale));
    }

    ulong ContrastLines(Tensor similarities, Tensor positives, Tensor logScale, long extraBytes)
    {
        ulong lines = Scratch(LineBytes(similarities) + extraBytes);
        Launch("contrast_lines_f32", new CudaExtent((uint)(similarities.Rows + similarities.Columns)), LineThreads,
            At(similarities), similarities.Pitch, At(positives), positives.Pitch, At(logScale), ContrastiveLosses.LargestScale, lines, similarities.Rows, similarities.Columns);
        return lines;
    }

    /// <summary>Three numbers of every row and column.</summary>
    static long LineBytes(Tensor similarities) => 3L * sizeof(double) * (similarities.Rows + similarities.Columns);

    /// <summary>In the order of the kernels' parameters.</summary>
    static KernelArgument[] Weights(MaskLosses losses) =>
    [
        losses.CrossEntropy, losses.Dice, losses.Focal, losses.Tversky, losses.FocalGamma, losses.FocalAlpha, losses.TverskyAlpha, losses.TverskyBeta, losses.Smoothing,
    ];
}
