using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Decorators;

/// <summary>What training adds: gradients, losses, the optimiser.</summary>
sealed partial class CheckedBackend
{
    public override void PackTransposed(Tensor weight, int firstInput, PackedMatrix destination)
    {
        Require(weight.Columns == destination.Outputs && firstInput >= 0 && firstInput + weight.Rows <= destination.Inputs,
            nameof(PackTransposed), $"columns {firstInput}.. of {weight} transposed in {destination}");
        base.PackTransposed(weight, firstInput, destination);
    }

    public override void AddBackward(Tensor dy, Tensor dr)
    {
        Require(dy.Columns == dr.Columns && dr.Rows > 0 && dy.Rows % dr.Rows == 0, nameof(AddBackward), $"{dy} to {dr}");
        base.AddBackward(dy, dr);
    }

    public override void ActivateBackward(Tensor x, Tensor dy, Activation activation, Tensor dx)
    {
        Require(SameMatrix(x, dy) && SameMatrix(x, dx), nameof(ActivateBackward), $"{x}, {dy} to {dx}");
        base.ActivateBackward(x, dy, activation, dx);
    }

    public override void LinearBackward(Tensor x, Tensor dy, Tensor dw, Tensor db)
    {
        Require(x.Rows == dy.Rows && (dw.IsAbsent || (dw.Rows == dy.Columns && dw.Columns == x.Columns)) && IsBias(db, dy.Columns),
            nameof(LinearBackward), $"{x}, {dy} to {dw} and {db}");
        base.LinearBackward(x, dy, dw, db);
    }

    public override void LayerNormBackward(Tensor x, Tensor dy, Tensor gamma, float epsilon, Tensor dx, Tensor dGamma, Tensor dBeta)
    {
        Require(SameMatrix(x, dy) && SameMatrix(x, dx) && IsVector(gamma, x.Columns) && IsBias(dGamma, x.Columns) && IsBias(dBeta, x.Columns),
            nameof(LayerNormBackward), $"{x}, {dy}, γ {gamma} to {dx}, {dGamma}, {dBeta}");
        base.LayerNormBackward(x, dy, gamma, epsilon, dx, dGamma, dBeta);
    }

    public override void GroupNorm(Tensor x, Tensor gamma, Tensor beta, int groups, float epsilon, Tensor y)
    {
        Require(x.Shape.Rank == 4 && x.Shape == y.Shape && IsGrouped(x, groups) && IsVector(gamma, x.Columns) && IsVector(beta, x.Columns),
            nameof(GroupNorm), $"{groups} groups of {x} to {y} with γ {gamma}, β {beta}");
        base.GroupNorm(x, gamma, beta, groups, epsilon, y);
    }

    public override void GroupNormBackward(Tensor x, Tensor dy, Tensor gamma, int groups, float epsilon, Tensor dx, Tensor dGamma, Tensor dBeta)
    {
        Require(x.Shape.Rank == 4 && x.Shape == dy.Shape && x.Shape == dx.Shape && IsGrouped(x, groups) && IsVector(gamma, x.Columns)
            && IsBias(dGamma, x.Columns) && IsBias(dBeta, x.Columns),
            nameof(GroupNormBackward), $"{groups} groups of {x}, {dy}, γ {gamma} to {dx}, {dGamma}, {dBeta}");
        base.GroupNormBackward(x, dy, gamma, groups, epsilon, dx, dGamma, dBeta);
    }

    public override void AttentionBackward(Tensor q, Tensor k, Tensor v, Tensor y, Tensor dy, int heads, bool causal, Tensor dq, Tensor dk, Tensor dv)
    {
        Require(q.Shape.Rank == 3 && q.Shape == y.Shape && q.Shape == dy.Shape && q.Shape == dq.Shape && k.Shape.Rank == 3 && k.Shape == v.Shape
            && k.Shape == dk.Shape && k.Shape == dv.Shape && k.Shape[0] == q.Shape[0] && k.Columns == q.Columns && k.Shape[1] > 0
            && heads > 0 && q.Columns % heads == 0 && (!causal || q.Shape[1] <= k.Shape[1]),
            nameof(AttentionBackward), $"{heads} heads of q {q}, k {k}, v {v}, y {y}, dy {dy} to {dq}, {dk}, {dv}");
        base.AttentionBackward(q, k, v, y, dy, heads, causal, dq, dk, dv);
    }

    public override void FilmBackward(Tensor x, Tensor scale, Tensor dy, Tensor dx, Tensor dScale, Tensor dShift)
    {
        Require(x.Shape.Rank == 3 && dy.Shape.Rank == 3 && (x.Shape[0] == 1 || x.Shape[0] == dy.Shape[0]) && x.Shape[1] == dy.Shape[1] && x.Columns == dy.Columns
            && (dx.IsAbsent || dx.Shape == x.Shape) && scale.Rows == dy.Shape[0] && scale.Columns == dy.Columns
            && SameMatrix(scale, dScale) && SameMatrix(scale, dShift),
            nameof(FilmBackward), $"{x}, {scale}, {dy} to {dx}, {dScale}, {dShift}");
        base.FilmBackward(x, scale, dy, dx, dScale, dShift);
    }

    public override void GatherRowsBackward(Tensor dy, Tensor indices, Tensor dTable)
    {
        Require(indices.Storage.Type == DType.I32 && indices.IsContiguous && indices.Shape.Elements == dy.Rows && dTable.Columns == dy.Columns,
            nameof(GatherRowsBackward), $"{dy} by {indices} to {dTable}");
        base.GatherRowsBackward(dy, indices, dTable);
    }

    public override void PrependClassTokenBackward(Tensor dy, Tensor dTokens, Tensor dClassToken, Tensor dPositions)
    {
        Require(dTokens.Shape.Rank == 3 && dy.Shape == new Shape(dTokens.Shape[0], dTokens.Shape[1] + 1, dTokens.Columns)
            && IsBias(dClassToken, dy.Columns) && (dPositions.IsAbsent || (dPositions.Rows == dy.Shape[1] && dPositions.Columns == dy.Columns)),
            nameof(PrependClassTokenBackward), $"{dy} to {dTokens}, {dClassToken}, {dPositions}");
        base.PrependClassTokenBackward(dy, dTokens, dClassToken, dPositions);
    }

    public override void SliceTokensBackward(Tensor dy, int first, Tensor dx)
    {
        Require(dx.Shape.Rank == 3 && dy.Shape.Rank == 3 && dx.Shape[0] == dy.Shape[0] && dx.Columns == dy.Columns && first >= 0 && first + dy.Shape[1] <= dx.Shape[1],
            nameof(SliceTokensBackward), $"tokens {first}.. {dy} to {dx}");
        base.SliceTokensBackward(dy, first, dx);
    }

    public override void ConvolutionBackward(Tensor x, Tensor dy, int kernel, Tensor dw, Tensor db)
    {
        Require(x.Shape.Rank == 4 && dy.Shape.Rank == 4 && x.Rows == dy.Rows && x.Shape[1] == dy.Shape[1] && x.Shape[2] == dy.Shape[2] && kernel % 2 == 1
            && dw.Rows == dy.Columns && dw.Columns == kernel * kernel * x.Columns && x.IsContiguous && IsBias(db, dy.Columns),
            nameof(ConvolutionBackward), $"{x}, {dy}, kernel {kernel} to {dw}, {db}");
        base.ConvolutionBackward(x, dy, kernel, dw, db);
    }

    public override void FoldBackward(Tensor dy, int kernel, int stride, int padding, Tensor dColumns)
    {
        Shape from = dColumns.Shape, to = dy.Shape;
        Require(from.Rank == 4 && to.Rank == 4 && from[0] == to[0] && kernel > 0 && stride > 0 && padding >= 0
            && to[1] == (from[1] - 1) * stride - 2 * padding + kernel && to[2] == (from[2] - 1) * stride - 2 * padding + kernel
            && from.Columns == kernel * kernel * to.Columns && dy.IsContiguous,
            nameof(FoldBackward), $"{dy} to {dColumns}, kernel {kernel}, stride {stride}, padding {padding}");
        base.FoldBackward(dy, kernel, stride, padding, dColumns);
    }

    public override void ResizeBackward(Tensor dy, ResizeMode mode, Tensor dx)
    {
        Require(dx.Shape.Rank == 4 && dy.Shape.Rank == 4 && dx.Shape[0] == dy.Shape[0] && dx.Columns == dy.Columns && dx.IsContiguous && dy.IsContiguous,
            nameof(ResizeBackward), $"{dy} to {dx}");
        base.ResizeBackward(dy, mode, dx);
    }

    public override void MaskLoss(Tensor logits, Tensor targets, MaskLosses losses, Tensor sums, Tensor y)
    {
        Require(SameMatrix(logits, targets) && sums.Rows == logits.Rows && sums.Columns == MaskLosses.Sums && y.Rows == logits.Rows && y.Columns == 1,
            nameof(MaskLoss), $"{logits}, {targets} to {sums}, {y}");
        base.MaskLoss(logits, targets, losses, sums, y);
    }

    public override void MaskLossBackward(Tensor logits, Tensor targets, Tensor sums, MaskLosses losses, float scale, Tensor dLogits)
    {
        Require(SameMatrix(logits, targets) && SameMatrix(logits, dLogits) && sums.Rows == logits.Rows && sums.Columns == MaskLosses.Sums,
            nameof(MaskLossBackward), $"{logits}, {targets}, {sums} to {dLogits}");
        base.MaskLossBackward(logits, targets, sums, losses, scale, dLogits);
    }

    public override void PoolTokens(Tensor x, Tensor entries, Tensor weights, Tensor y)
    {
        Require(IsPool(x, entries, weights, y),
            nameof(PoolTokens), $"{weights} of {x} at {entries} to {y}");
        base.PoolTokens(x, entries, weights, y);
    }

    public override void PoolTokensBackward(Tensor dy, Tensor entries, Tensor weights, Tensor dx)
    {
        Require(IsPool(dx, entries, weights, dy),
            nameof(PoolTokensBackward), $"{weights} of {dy} at {entries} to {dx}");
        base.PoolTokensBackward(dy, entries, weights, dx);
    }

    public override void Normalize(Tensor x, Tensor y)
    {
        Require(SameMatrix(x, y),
            nameof(Normalize), $"{x} to {y}");
        base.Normalize(x, y);
    }

    public override void NormalizeBackward(Tensor x, Tensor dy, Tensor dx)
    {
        Require(SameMatrix(x, dy) && SameMatrix(x, dx),
            nameof(NormalizeBackward), $"{x}, {dy} to {dx}");
        base.NormalizeBackward(x, dy, dx);
    }

    public override void ContrastiveLoss(Tensor similarities, Tensor positives, Tensor logScale, Tensor y)
    {
        Require(SameMatrix(similarities, positives) && logScale.Shape.Elements == 1 && y.Shape.Elements == 1,
            nameof(ContrastiveLoss), $"{similarities}, {positives}, {logScale} to {y}");
        base.ContrastiveLoss(similarities, positives, logScale, y);
    }

    public override void ContrastiveLossBackward(Tensor similarities, Tensor positives, Tensor logScale, Tensor dSimilarities, Tensor dLogScale)
    {
        Require(SameMatrix(similarities, positives) && SameMatrix(similarities, dSimilarities) && logScale.Shape.Elements == 1 && (dLogScale.IsAbsent || dLogScale.Shape.Elements == 1),
            nameof(ContrastiveLossBackward), $"{similarities}, {positives}, {logScale} to {dSimilarities}, {dLogScale}");
        base.ContrastiveLossBackward(similarities, positives, logScale, dSimilarities, dLogScale);
    }

    public override void SumOfSquares(Tensor x, Tensor sum)
    {
        Require(sum.Shape.Elements == 1, nameof(SumOfSquares), $"{x} to {sum}");
        base.SumOfSquares(x, sum);
    }

    public override void AdamW(Tensor dw, Tensor settings, Tensor w, Tensor m, Tensor v)
    {
        Require(IsVector(settings, AdamWSettings.Count) && SameMatrix(dw, w) && SameMatrix(dw, m) && SameMatrix(dw, v),
            nameof(AdamW), $"{dw}, {settings} to {w}, {m}, {v}");
        base.AdamW(dw, settings, w, m, v);
    }

    static bool SameMatrix(Tensor x, Tensor y) => x.Rows == y.Rows && x.Columns == y.Columns;

    static bool IsPool(Tensor x, Tensor entries, Tensor weights, Tensor y) =>
        x.Shape.Rank == 3 && entries.Storage.Type == DType.I32 && entries.IsContiguous && entries.Shape.Elements == y.Rows && weights.Rows == y.Rows
        && weights.Columns == x.Shape[1] && x.Columns == y.Columns;

    static bool IsGrouped(Tensor x, int groups) => groups > 0 && x.Columns % groups == 0;
}
