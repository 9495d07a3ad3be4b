using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Conformance;

/// <summary>Hides a backend's fusions: forwards what the interface has no body for, and inherits the rest.</summary>
sealed class PrimitivesOnly(IBackend inner) : IBackend
{
    public string Description => inner.Description;

    public DeviceMemory Allocate(long bytes) => inner.Allocate(bytes);

    public PackedMatrix AllocateMatrix(int outputs, int inputs, PrecisionFloor floor) => inner.AllocateMatrix(outputs, inputs, floor);

    public int PitchFor(int columns) => inner.PitchFor(columns);

    public void Upload(ReadOnlySpan<float> source, Tensor destination) => inner.Upload(source, destination);

    public void Upload(ReadOnlySpan<int> source, Tensor destination) => inner.Upload(source, destination);

    public void Download(Tensor source, Span<float> destination) => inner.Download(source, destination);

    public void Synchronize() => inner.Synchronize();

    public IReplay Capture(Action enqueue) => inner.Capture(enqueue);

    public void PackMatrix(Tensor weight, int firstOutput, PackedMatrix destination) => inner.PackMatrix(weight, firstOutput, destination);

    public void Copy(Tensor x, Tensor y) => inner.Copy(x, y);

    public void Permute(Tensor x, Shape order, Tensor y) => inner.Permute(x, order, y);

    public void Add(Tensor x, Tensor r, Tensor y) => inner.Add(x, r, y);

    public void Activate(Tensor x, Activation activation, Tensor y) => inner.Activate(x, activation, y);

    public void Linear(Tensor x, PackedMatrix weight, Tensor bias, Tensor y) => inner.Linear(x, weight, bias, y);

    public void LayerNorm(Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor y) => inner.LayerNorm(x, gamma, beta, epsilon, y);

    public void Attention(Tensor q, Tensor k, Tensor v, int heads, bool causal, Tensor y, PrecisionFloor floor) => inner.Attention(q, k, v, heads, causal, y, floor);

    public void Film(Tensor x, Tensor scale, Tensor shift, Tensor y) => inner.Film(x, scale, shift, y);

    public void GatherRows(Tensor table, Tensor indices, Tensor y) => inner.GatherRows(table, indices, y);

    public void Patchify(Tensor pixels, int size, Tensor y) => inner.Patchify(pixels, size, y);

    public void PrependClassToken(Tensor tokens, Tensor classToken, Tensor positions, Tensor y) => inner.PrependClassToken(tokens, classToken, positions, y);

    public void SliceTokens(Tensor x, int first, Tensor y) => inner.SliceTokens(x, first, y);

    public void Convolution(Tensor x, PackedMatrix weight, Tensor bias, int kernel, Tensor y) => inner.Convolution(x, weight, bias, kernel, y);

    public void Fold(Tensor columns, int kernel, int stride, int padding, Tensor bias, Tensor y) => inner.Fold(columns, kernel, stride, padding, bias, y);

    public void Resize(Tensor x, ResizeMode mode, Tensor y) => inner.Resize(x, mode, y);

    public void PackTransposed(Tensor weight, int firstInput, PackedMatrix destination) => inner.PackTransposed(weight, firstInput, destination);

    public void Fill(float value, Tensor y) => inner.Fill(value, y);

    public void AddBackward(Tensor dy, Tensor dr) => inner.AddBackward(dy, dr);

    public void ActivateBackward(Tensor x, Tensor dy, Activation activation, Tensor dx) => inner.ActivateBackward(x, dy, activation, dx);

    public void LinearBackward(Tensor x, Tensor dy, Tensor dw, Tensor db) => inner.LinearBackward(x, dy, dw, db);

    public void LayerNormBackward(Tensor x, Tensor dy, Tensor gamma, float epsilon, Tensor dx, Tensor dGamma, Tensor dBeta) => inner.LayerNormBackward(x, dy, gamma, epsilon, dx, dGamma, dBeta);

    public void GroupNorm(Tensor x, Tensor gamma, Tensor beta, int groups, float epsilon, Tensor y) => inner.GroupNorm(x, gamma, beta, groups, epsilon, y);

    public void GroupNormBackward(Tensor x, Tensor dy, Tensor gamma, int groups, float epsilon, Tensor dx, Tensor dGamma, Tensor dBeta) => inner.GroupNormBackward(x, dy, gamma, groups, epsilon, dx, dGamma, dBeta);

    public void AttentionBackward(Tensor q, Tensor k, Tensor v, Tensor y, Tensor dy, int heads, bool causal, Tensor dq, Tensor dk, Tensor dv) => inner.AttentionBackward(q, k, v, y, dy, heads, causal, dq, dk, dv);

    public void FilmBackward(Tensor x, Tensor scale, Tensor dy, Tensor dx, Tensor dScale, Tensor dShift) => inner.FilmBackward(x, scale, dy, dx, dScale, dShift);

    public void GatherRowsBackward(Tensor dy, Tensor indices, Tensor dTable) => inner.GatherRowsBackward(dy, indices, dTable);

    public void PrependClassTokenBackward(Tensor dy, Tensor dTokens, Tensor dClassToken, Tensor dPositions) => inner.PrependClassTokenBackward(dy, dTokens, dClassToken, dPositions);

    public void SliceTokensBackward(Tensor dy, int first, Tensor dx) => inner.SliceTokensBackward(dy, first, dx);

    public void ConvolutionBackward(Tensor x, Tensor dy, int kernel, Tensor dw, Tensor db) => inner.ConvolutionBackward(x, dy, kernel, dw, db);

    public void FoldBackward(Tensor dy, int kernel, int stride, int padding, Tensor dColumns) => inner.FoldBackward(dy, kernel, stride, padding, dColumns);

    public void ResizeBackward(Tensor dy, ResizeMode mode, Tensor dx) => inner.ResizeBackward(dy, mode, dx);

    public void MaskLoss(Tensor logits, Tensor targets, MaskLosses losses, Tensor sums, Tensor y) => inner.MaskLoss(logits, targets, losses, sums, y);

    public void MaskLossBackward(Tensor logits, Tensor targets, Tensor sums, MaskLosses losses, float scale, Tensor dLogits) => inner.MaskLossBackward(logits, targets, sums, losses, scale, dLogits);

    public void SumOfSquares(Tensor x, Tensor sum) => inner.SumOfSquares(x, sum);

    public void AdamW(Tensor dw, Tensor settings, Tensor w, Tensor m, Tensor v) => inner.AdamW(dw, settings, w, m, v);

    /// <summary>The inner backend belongs to whoever made it.</summary>
    public void Dispose() { }

    public void PoolTokens(Tensor x, Tensor entries, Tensor weights, Tensor y) => inner.PoolTokens(x, entries, weights, y);

    public void PoolTokensBackward(Tensor dy, Tensor entries, Tensor weights, Tensor dx) => inner.PoolTokensBackward(dy, entries, weights, dx);

    public void Normalize(Tensor x, Tensor y) => inner.Normalize(x, y);

    public void NormalizeBackward(Tensor x, Tensor dy, Tensor dx) => inner.NormalizeBackward(x, dy, dx);

    public void ContrastiveLoss(Tensor similarities, Tensor positives, Tensor logScale, Tensor y) => inner.ContrastiveLoss(similarities, positives, logScale, y);

    public void ContrastiveLossBackward(Tensor similarities, Tensor positives, Tensor logScale, Tensor dSimilarities, Tensor dLogScale) =>
        inner.ContrastiveLossBackward(similarities, positives, logScale, dSimilarities, dLogScale);
}
