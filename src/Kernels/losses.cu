// The losses of masks and their gradient. Sums have one order: a piece of a map is added up by one block,
// pieces are added in turn, both in double precision.
#include "common.cuh"

constexpr u32 Sums = 7, PieceThreads = 256;

// Matches the C# constants of MaskLosses.
enum Sum : u32 { CrossEntropySum, FocalSum, OverlapSum, PredictedSum, TargetSum, HitCount, PositiveCount };

struct Weights
{
    float crossEntropy, dice, focal, tversky, focalGamma, focalAlpha, tverskyAlpha, tverskyBeta, smoothing;
};

#define WEIGHTS \
    float crossEntropy, float dice, float focal, float tversky, float focalGamma, float focalAlpha, float tverskyAlpha, float tverskyBeta, float smoothing
#define GIVEN_WEIGHTS {crossEntropy, dice, focal, tversky, focalGamma, focalAlpha, tverskyAlpha, tverskyBeta, smoothing}

// What one pixel's logit gives, from one exponential: p, p·(1 - p), the probabilities of the wrong and the right class, the cross-entropy.
struct Pixel
{
    float p, slope, wrong, right, crossEntropy;
};

DEVICE Pixel pixel(float z, bool masked)
{
    float e = exp(-abs(z)), larger = 1 / (1 + e), smaller = e * larger;
    float wrongLogit = masked ? -z : z;
    bool isWrong = wrongLogit >= 0;
    return {z >= 0 ? larger : smaller, larger * smaller, isWrong ? larger : smaller, isWrong ? smaller : larger, max(wrongLogit, 0.0f) + log1p(e)};
}

// (probability of the wrong class)^γ as e^(γ·ln): ln of a sigmoid is minus the softplus of the negated logit.
DEVICE float focalFactor(float z, bool masked, float crossEntropy, float gamma)
{
    float rightCrossEntropy = crossEntropy - (masked ? -z : z);
    return exp(-gamma * max(rightCrossEntropy, 0.0f));
}

DEVICE void addPixel(float z, float target, const Weights& w, float (&sums)[Sums])
{
    bool masked = target == 1;
    Pixel at = pixel(z, masked);
    sums[CrossEntropySum] += at.crossEntropy;
    if (w.focal != 0) sums[FocalSum] += (masked ? w.focalAlpha : 1 - w.focalAlpha) * focalFactor(z, masked, at.crossEntropy, w.focalGamma) * at.crossEntropy;
    sums[OverlapSum] += masked ? at.p : 0;
    sums[PredictedSum] += at.p;
    sums[TargetSum] += masked ? 1 : 0;
    sums[HitCount] += masked && z > 0 ? 1 : 0;
    sums[PositiveCount] += z > 0 ? 1 : 0;
}

DEVICE void addPixels(float z, float t, const Weights& w, float (&sums)[Sums]) { addPixel(z, t, w, sums); }
DEVICE void addPixels(float4 z, float4 t, const Weights& w, float (&sums)[Sums])
{
    addPixel(z.x, t.x, w, sums);
    addPixel(z.y, t.y, w, sums);
    addPixel(z.z, t.z, w, sums);
    addPixel(z.w, t.w, w, sums);
}

// partial[map, piece] = the sums of one piece of one map. Grid: pieces, maps.
template <typename V>
DEVICE void sumPiece(const V* logits, u32 pitchLogits, const V* targets, u32 pitchTargets, double* partial, u32 pixels, u32 piecePixels, const Weights& w)
{
    __shared__ double scratch[PieceThreads / Warp][Sums];
    const V* z = logits + (u64)blockY() * pitchLogits;
    const V* t = targets + (u64)blockY() * pitchTargets;
    u32 end = min((blockX() + 1) * piecePixels, pixels);
    float sums[Sums] = {};
    for (u32 i = blockX() * piecePixels + thread(); i < end; i += PieceThreads) addPixels(z[i], t[i], w, sums);
    UNROLL for (u32 i = 0; i < Sums; i++)
    {
        double total = warpSum((double)sums[i]);
        if (lane() == 0) scratch[warp()][i] = total;
    }
    barrier();
    if (thread() >= Sums) return;
    double total = 0;
    UNROLL for (u32 i = 0; i < PieceThreads / Warp; i++) total += scratch[i][thread()];
    partial[((u64)blockY() * blocksX() + blockX()) * Sums + thread()] = total;
}

#define MASK_SUMS(V) (const V* logits, u32 pitchLogits, const V* targets, u32 pitchTargets, double* partial, u32 pixels, u32 piecePixels, WEIGHTS)
KERNEL(256) losses_mask_sums_f32 MASK_SUMS(float) { sumPiece(logits, pitchLogits, targets, pitchTargets, partial, pixels, piecePixels, GIVEN_WEIGHTS); }
KERNEL(256) losses_mask_sums_f32x4 MASK_SUMS(float4) { sumPiece(logits, pitchLogits, targets, pitchTargets, partial, pixels, piecePixels, GIVEN_WEIGHTS); }

struct Ratio
{
    double above, below;
};

DEVICE Ratio diceRatio(const Weights& w, double overlap, double predicted, double target)
{
    return {2 * overlap + w.smoothing, predicted + target + w.smoothing};
}

DEVICE Ratio tverskyRatio(const Weights& w, double overlap, double predicted, double target)
{
    return {overlap + w.smoothing, overlap + w.tverskyAlpha * (predicted - overlap) + w.tverskyBeta * (target - overlap) + w.smoothing};
}

// Derivative of 1 - above / below by one pixel's p, given those of above and below.
DEVICE double slope(Ratio r, double above, double below) { return (r.above * below - above * r.below) / (r.below * r.below); }

// A warp a map: its lanes add up the pieces, one sum each, and the first makes the loss.
KERNEL(32) losses_mask_f32(const double* partial, u32 pieces, float* sums, u32 pitchSums, float* y, u32 pitchY, u32 pixels, WEIGHTS)
{
    __shared__ double totals[Sums];
    Weights w = GIVEN_WEIGHTS;
    if (lane() < Sums)
    {
        double total = 0;
        for (u32 piece = 0; piece < pieces; piece++) total += partial[((u64)blockX() * pieces + piece) * Sums + lane()];
        totals[lane()] = total;
        sums[(u64)blockX() * pitchSums + lane()] = (float)total;
    }
    warpBarrier();
    if (lane() != 0) return;
    double overlap = totals[OverlapSum], predicted = totals[PredictedSum], target = totals[TargetSum], loss = 0;
    if (w.crossEntropy != 0) loss += w.crossEntropy * totals[CrossEntropySum] / pixels;
    if (w.focal != 0) loss += w.focal * totals[FocalSum] / pixels;
    if (w.dice != 0)
    {
        Ratio r = diceRatio(w, overlap, predicted, target);
        loss += w.dice * (1 - r.above / r.below);
    }
    if (w.tversky != 0)
    {
        Ratio r = tverskyRatio(w, overlap, predicted, target);
        loss += w.tversky * (1 - r.above / r.below);
    }
    y[(u64)blockX() * pitchY] = (float)loss;
}

// What every pixel of a map shares: factors of the wrong class's probability, of the focal term's derivative, of p·(1 - p) and what comes to that on the mask.
struct Slopes
{
    float crossEntropy, focal, everywhere, onMask;
};

DEVICE Slopes slopes(const float* sums, const Weights& w, u32 pixels, double scale)
{
    double overlap = sums[OverlapSum], predicted = sums[PredictedSum], target = sums[TargetSum], off = 0, on = 0;
    if (w.dice != 0)
    {
        Ratio r = diceRatio(w, overlap, predicted, target);
        off += w.dice * slope(r, 0, 1);
        on += w.dice * slope(r, 2, 1);
    }
    if (w.tversky != 0)
    {
        Ratio r = tverskyRatio(w, overlap, predicted, target);
        off += w.tversky * slope(r, 0, w.tverskyAlpha);
        on += w.tversky * slope(r, 1, 1 - (double)w.tverskyBeta);
    }
    return {(float)(scale * w.crossEntropy / pixels), (float)(scale * w.focal / pixels), (float)(scale * off), (float)(scale * (on - off))};
}

DEVICE float gradient(float z, float target, const Slopes& s, const Weights& w)
{
    bool masked = target == 1;
    Pixel at = pixel(z, masked);
    float sign = masked ? -1 : 1, result = sign * s.crossEntropy * at.wrong;
    if (s.focal != 0)
    {
        float inner = fma(w.focalGamma * at.right, at.crossEntropy, at.wrong);
        result = fma(sign * s.focal * (masked ? w.focalAlpha : 1 - w.focalAlpha) * focalFactor(z, masked, at.crossEntropy, w.focalGamma), inner, result);
    }
    return fma(masked ? s.everywhere + s.onMask : s.everywhere, at.slope, result);
}

DEVICE float gradients(float z, float t, const Slopes& s, const Weights& w) { return gradient(z, t, s, w); }
DEVICE float4 gradients(float4 z, float4 t, const Slopes& s, const Weights& w)
{
    return {gradient(z.x, t.x, s, w), gradient(z.y, t.y, s, w), gradient(z.z, t.z, s, w), gradient(z.w, t.w, s, w)};
}

// Grid: pieces, maps. `scale` is that of the whole over the number of maps.
template <typename V>
DEVICE void maskBackward(
    const V* logits, u32 pitchLogits, const V* targets, u32 pitchTargets, const float* sums, u32 pitchSums, V* dLogits, u32 pitchGradients, u32 length, u32 pixels,
    float scale, const Weights& w)
{
    __shared__ Slopes shared;
    if (thread() == 0) shared = slopes(sums + (u64)blockY() * pitchSums, w, pixels, scale);
    barrier();
    Slopes s = shared;
    const V* z = logits + (u64)blockY() * pitchLogits;
    const V* t = targets + (u64)blockY() * pitchTargets;
    for (u32 i = globalThread(); i < length; i += globalThreads()) dLogits[(u64)blockY() * pitchGradients + i] = gradients(z[i], t[i], s, w);
}

#define MASK_BACKWARD(V) (const V* logits, u32 pitchLogits, const V* targets, u32 pitchTargets, const float* sums, u32 pitchSums, V* dLogits, u32 pitchGradients, \
    u32 length, u32 pixels, float scale, WEIGHTS)
KERNEL(256) losses_mask_backward_f32 MASK_BACKWARD(float)
{
    maskBackward(logits, pitchLogits, targets, pitchTargets, sums, pitchSums, dLogits, pitchGradients, length, pixels, scale, GIVEN_WEIGHTS);
}
KERNEL(256) losses_mask_backward_f32x4 MASK_BACKWARD(float4)
{
    maskBackward(logits, pitchLogits, targets, pitchTargets, sums, pitchSums, dLogits, pitchGradients, length, pixels, scale, GIVEN_WEIGHTS);
}
