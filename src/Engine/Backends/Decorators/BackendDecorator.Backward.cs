using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Decorators;

/// <summary>What training adds: gradients, losses, the optimiser.</summary>
abstract partial class BackendDecorator
{
    public virtual void PackTransposed(Tensor weight, int firstInput, PackedMatrix destination)
    {
        var operation = new Operation(nameof(PackTransposed), [weight], [], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.PackTransposed(weight, firstInput, destination);
        After(operation);
    }

    public virtual void Fill(float value, Tensor y)
    {
        var operation = new Operation(nameof(Fill), [], [y], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.Fill(value, y);
        After(operation);
    }

    public virtual void AddBackward(Tensor dy, Tensor dr)
    {
        var operation = new Operation(nameof(AddBackward), [dy], [dr], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.AddBackward(dy, dr);
        After(operation);
    }

    public virtual void ActivateBackward(Tensor x, Tensor dy, Activation activation, Tensor dx)
    {
        var operation = new Operation(nameof(ActivateBackward), [x, dy], [dx], inPlace: true, multiplyAdds: 0);
        if (Before(operation)) Inner.ActivateBackward(x, dy, activation, dx);
        After(operation);
    }

    public virtual void LinearBackward(Tensor x, Tensor dy, Tensor dw, Tensor db)
    {
        var operation = new Operation(nameof(LinearBackward), [x, dy], [dw, db], inPlace: false, multiplyAdds: dw.IsAbsent ? 0 : (double)x.Rows * x.Columns * dy.Columns);
        if (Before(operation)) Inner.LinearBackward(x, dy, dw, db);
        After(operation);
    }

    public virtual void LayerNormBackward(Tensor x, Tensor dy, Tensor gamma, float epsilon, Tensor dx, Tensor dGamma, Tensor dBeta)
    {
        var operation = new Operation(nameof(LayerNormBackward), [x, dy, gamma], [dx, dGamma, dBeta], inPlace: true, multiplyAdds: 0);
        if (Before(operation)) Inner.LayerNormBackward(x, dy, gamma, epsilon, dx, dGamma, dBeta);
        After(operation);
    }

    public virtual void GroupNorm(Tensor x, Tensor gamma, Tensor beta, int groups, float epsilon, Tensor y)
    {
        var operation = new Operation(nameof(GroupNorm), [x, gamma, beta], [y], inPlace: true, multiplyAdds: 0);
        if (Before(operation)) Inner.GroupNorm(x, gamma, beta, groups, epsilon, y);
        After(operation);
    }

    public virtual void GroupNormBackward(Tensor x, Tensor dy, Tensor gamma, int groups, float epsilon, Tensor dx, Tensor dGamma, Tensor dBeta)
    {
        var operation = new Operation(nameof(GroupNormBackward), [x, dy, gamma], [dx, dGamma, dBeta], inPlace: true, multiplyAdds: 0);
        if (Before(operation)) Inner.GroupNormBackward(x, dy, gamma, groups, epsilon, dx, dGamma, dBeta);
        After(operation);
    }

    public virtual void AttentionBackward(Tensor q, Tensor k, Tensor v, Tensor y, Tensor dy, int heads, bool causal, Tensor dq, Tensor dk, Tensor dv)
    {
        var operation = new Operation(nameof(AttentionBackward), [q, k, v, y, dy], [dq, dk, dv], inPlace: false, multiplyAdds: 5.0 * q.Shape.Elements * k.Shape[1]);
        if (Before(operation)) Inner.AttentionBackward(q, k, v, y, dy, heads, causal, dq, dk, dv);
        After(operation);
    }

    public virtual void FilmBackward(Tensor x, Tensor scale, Tensor dy, Tensor dx, Tensor dScale, Tensor dShift)
    {
        var operation = new Operation(nameof(FilmBackward), [x, scale, dy], [dx, dScale, dShift], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.FilmBackward(x, scale, dy, dx, dScale, dShift);
        After(operation);
    }

    public virtual void GatherRowsBackward(Tensor dy, Tensor indices, Tensor dTable)
    {
        var operation = new Operation(nameof(GatherRowsBackward), [dy, indices], [dTable], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.GatherRowsBackward(dy, indices, dTable);
        After(operation);
    }

    public virtual void PrependClassTokenBackward(Tensor dy, Tensor dTokens, Tensor dClassToken, Tensor dPositions)
    {
        var operation = new Operation(nameof(PrependClassTokenBackward), [dy], [dTokens, dClassToken, dPositions], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.PrependClassTokenBackward(dy, dTokens, dClassToken, dPositions);
        After(operation);
    }

    public virtual void SliceTokensBackward(Tensor dy, int first, Tensor dx)
    {
        var operation = new Operation(nameof(SliceTokensBackward), [dy], [dx], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.SliceTokensBackward(dy, first, dx);
        After(operation);
    }

    public virtual void ConvolutionBackward(Tensor x, Tensor dy, int kernel, Tensor dw, Tensor db)
    {
        var operation = new Operation(nameof(ConvolutionBackward), [x, dy], [dw, db], inPlace: false, multiplyAdds: (double)x.Rows * dw.Shape.Elements);
        if (Before(operation)) Inner.ConvolutionBackward(x, dy, kernel, dw, db);
        After(operation);
    }

    public virtual void FoldBackward(Tensor dy, int kernel, int stride, int padding, Tensor dColumns)
    {
        var operation = new Operation(nameof(FoldBackward), [dy], [dColumns], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.FoldBackward(dy, kernel, stride, padding, dColumns);
        After(operation);
    }

    public virtual void ResizeBackward(Tensor dy, ResizeMode mode, Tensor dx)
    {
        var operation = new Operation(nameof(ResizeBackward), [dy], [dx], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.ResizeBackward(dy, mode, dx);
        After(operation);
    }

    public virtual void MaskLoss(Tensor logits, Tensor targets, MaskLosses losses, Tensor sums, Tensor y)
    {
        var operation = new Operation(nameof(MaskLoss), [logits, targets], [sums, y], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.MaskLoss(logits, targets, losses, sums, y);
        After(operation);
    }

    public virtual void MaskLossBackward(Tensor logits, Tensor targets, Tensor sums, MaskLosses losses, float scale, Tensor dLogits)
    {
        var operation = new Operation(nameof(MaskLossBackward), [logits, targets, sums], [dLogits], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.MaskLossBackward(logits, targets, sums, losses, scale, dLogits);
        After(operation);
    }

    public virtual void PoolTokens(Tensor x, Tensor entries, Tensor weights, Tensor y)
    {
        var operation = new Operation(nameof(PoolTokens), [x, entries, weights], [y], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.PoolTokens(x, entries, weights, y);
        After(operation);
    }

    public virtual void PoolTokensBackward(Tensor dy, Tensor entries, Tensor weights, Tensor dx)
    {
        var operation = new Operation(nameof(PoolTokensBackward), [dy, entries, weights], [dx], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.PoolTokensBackward(dy, entries, weights, dx);
        After(operation);
    }

    public virtual void Normalize(Tensor x, Tensor y)
    {
        var operation = new Operation(nameof(Normalize), [x], [y], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.Normalize(x, y);
        After(operation);
    }

    public virtual void NormalizeBackward(Tensor x, Tensor dy, Tensor dx)
    {
        var operation = new Operation(nameof(NormalizeBackward), [x, dy], [dx], inPlace: true, multiplyAdds: 0);
        if (Before(operation)) Inner.NormalizeBackward(x, dy, dx);
        After(operation);
    }

    public virtual void ContrastiveLoss(Tensor similarities, Tensor positives, Tensor logScale, Tensor y)
    {
        var operation = new Operation(nameof(ContrastiveLoss), [similarities, positives, logScale], [y], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.ContrastiveLoss(similarities, positives, logScale, y);
        After(operation);
    }

    public virtual void ContrastiveLossBackward(Tensor similarities, Tensor positives, Tensor logScale, Tensor dSimilarities, Tensor dLogScale)
    {
        var operation = new Operation(nameof(ContrastiveLossBackward), [similarities, positives, logScale], [dSimilarities, dLogScale], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.ContrastiveLossBackward(similarities, positives, logScale, dSimilarities, dLogScale);
        After(operation);
    }

    public virtual void SumOfSquares(Tensor x, Tensor sum)
    {
        var operation = new Operation(nameof(SumOfSquares), [x], [sum], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.SumOfSquares(x, sum);
        After(operation);
    }

    public virtual void AdamW(Tensor dw, Tensor settings, Tensor w, Tensor m, Tensor v)
    {
        var operation = new Operation(nameof(AdamW), [dw, settings], [w, m, v], inPlace: false, multiplyAdds: 0);
        if (Before(operation)) Inner.AdamW(dw, settings, w, m, v);
        After(operation);
    }
}
