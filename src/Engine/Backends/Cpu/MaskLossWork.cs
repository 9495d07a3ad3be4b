using System.Runtime.CompilerServices;

namespace ClipSegNative.Backends.Cpu;

/// <summary>What the losses need of a vector of pixels, all from one exponential of a negative number: nothing overflows, nothing cancels.</summary>
/// <remarks>u is the logit of the wrong class, z off the mask and -z on it: cross-entropy is ln(1 + eᵘ), its slope in u is sigmoid(u).</remarks>
readonly struct MaskPixels<TSet, TVector>
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    readonly TVector _u;
    readonly TVector _exponential;
    readonly TVector _larger;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public MaskPixels(TVector z, TVector t)
    {
        TVector one = TSet.Broadcast(1f);
        Sign = TSet.MultiplyAdd(t, TSet.Broadcast(-2f), one);
        _u = TSet.Multiply(Sign, z);
        _exponential = VectorMath<TSet, TVector>.Exp(TSet.Subtract(TSet.Broadcast(0f), TSet.Absolute(z)));
        _larger = TSet.Divide(one, TSet.Add(one, _exponential));
    }

    /// <summary>1 off the mask, -1 on it: du/dz.</summary>
    public TVector Sign { get; }

    /// <summary>Sigmoid of any logit of this size: of z, of u, of -u.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Sigmoid(TVector logit)
    {
        TVector smaller = TSet.Multiply(_exponential, _larger);
        return TSet.Add(smaller, TSet.Gate(logit, TSet.Subtract(_larger, smaller)));
    }

    public TVector WrongProbability
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Sigmoid(_u);
    }

    /// <summary>p·(1 - p).</summary>
    public TVector Slope
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TSet.Multiply(TSet.Multiply(_exponential, _larger), _larger);
    }

    public TVector CrossEntropy
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TSet.Add(TSet.Max(TSet.Broadcast(0f), _u), VectorMath<TSet, TVector>.LogOnePlus(_exponential));
    }

    /// <summary>Wrong probabilityᵞ, its logarithm being -ln(1 + e⁻ᵘ), times α on the mask and 1 - α off it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector FocalWeight(MaskLosses losses, TVector t)
    {
        TVector logarithm = TSet.Add(TSet.Max(TSet.Broadcast(0f), TSet.Subtract(TSet.Broadcast(0f), _u)), VectorMath<TSet, TVector>.LogOnePlus(_exponential));
        TVector power = VectorMath<TSet, TVector>.Exp(TSet.Multiply(TSet.Broadcast(-losses.FocalGamma), logarithm));
        return TSet.Multiply(power, TSet.MultiplyAdd(t, TSet.Broadcast(2 * losses.FocalAlpha - 1), TSet.Broadcast(1 - losses.FocalAlpha)));
    }

    /// <summary>What follows <see cref="FocalWeight"/> in the derivative of the focal term by u: γ·(1 - q)·cross-entropy + q, q the wrong probability.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector FocalSlope(MaskLosses losses)
    {
        TVector right = Sigmoid(TSet.Subtract(TSet.Broadcast(0f), _u));
        return TSet.MultiplyAdd(TSet.Multiply(TSet.Broadcast(losses.FocalGamma), right), CrossEntropy, WrongProbability);
    }
}

/// <summary>
/// All sums of a piece of a map in one pass. Each lane adds <see cref="BlockVectors"/> values in float32, the rest is in double precision: a map of
/// equal pixels would otherwise round the same way a hundred thousand times.
/// </summary>
readonly unsafe struct MaskLossWork<TSet, TVector>(Rows logits, Rows targets, MaskLosses losses, Pieces pieces, double* partial) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    const int BlockVectors = 16;

    /// <summary>A logit that fills up a vector: off the mask, its terms are below 1e-37.</summary>
    const float Nothing = -100;

    public void Run(int task, int worker)
    {
        (int row, int start, int count) = pieces[task];
        double* sums = partial + (long)task * MaskLosses.Sums;
        new Span<double>(sums, MaskLosses.Sums).Clear();
        int block = BlockVectors * TSet.Width;
        for (int i = start; i < start + count; i += block) AddBlock(logits[row] + i, targets[row] + i, Math.Min(block, start + count - i), sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void AddBlock(float* z, float* t, int count, double* sums)
    {
        bool focal = losses.Focal != 0;
        TVector crossEntropies = TSet.Broadcast(0f), focals = crossEntropies, overlaps = crossEntropies, predicted = crossEntropies;
        TVector masked = crossEntropies, hits = crossEntropies, positives = crossEntropies, one = TSet.Broadcast(1f);
        for (int i = 0; i < count; i += TSet.Width)
        {
            int rest = count - i;
            TVector logit = rest >= TSet.Width ? TSet.Load(z + i) : VectorMath<TSet, TVector>.LoadPartial(z + i, rest, Nothing);
            TVector target = rest >= TSet.Width ? TSet.Load(t + i) : VectorMath<TSet, TVector>.LoadPartial(t + i, rest);
            var pixels = new MaskPixels<TSet, TVector>(logit, target);
            TVector p = pixels.Sigmoid(logit), crossEntropy = pixels.CrossEntropy;
            crossEntropies = TSet.Add(crossEntropies, crossEntropy);
            if (focal) focals = TSet.MultiplyAdd(pixels.FocalWeight(losses, target), crossEntropy, focals);
            overlaps = TSet.MultiplyAdd(p, target, overlaps);
            predicted = TSet.Add(predicted, p);
            masked = TSet.Add(masked, target);
            hits = TSet.Add(hits, TSet.Gate(logit, target));
            positives = TSet.Add(positives, TSet.Gate(logit, one));
        }
        sums[MaskLosses.CrossEntropySum] += TSet.Sum(crossEntropies);
        sums[MaskLosses.FocalSum] += TSet.Sum(focals);
        sums[MaskLosses.OverlapSum] += TSet.Sum(overlaps);
        sums[MaskLosses.PredictedSum] += TSet.Sum(predicted);
        sums[MaskLosses.TargetSum] += TSet.Sum(masked);
        sums[MaskLosses.HitCount] += TSet.Sum(hits);
        sums[MaskLosses.PositiveCount] += TSet.Sum(positives);
    }
}

/// <summary>The gradient of a piece of a map in one pass: what depends on the whole map is in <see cref="MaskLossSlopes"/>.</summary>
readonly unsafe struct MaskLossBackwardWork<TSet, TVector>(
    Rows logits, Rows targets, Rows sums, MaskLosses losses, float scale, Rows dLogits, Pieces pieces) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int task, int worker)
    {
        (int row, int start, int count) = pieces[task];
        float* z = logits[row] + start, t = targets[row] + start, to = dLogits[row] + start;
        var slopes = MaskLossSlopes.Of(losses, sums[row], pieces.Columns, (double)scale / pieces.Rows);
        int i = 0;
        for (; i <= count - TSet.Width; i += TSet.Width) TSet.Store(Gradient(TSet.Load(z + i), TSet.Load(t + i), slopes), to + i);
        if (i == count) return;
        TVector lastZ = VectorMath<TSet, TVector>.LoadPartial(z + i, count - i), lastT = VectorMath<TSet, TVector>.LoadPartial(t + i, count - i);
        VectorMath<TSet, TVector>.StorePartial(Gradient(lastZ, lastT, slopes), to + i, count - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    TVector Gradient(TVector z, TVector t, MaskLossSlopes slopes)
    {
        var pixels = new MaskPixels<TSet, TVector>(z, t);
        TVector pixelwise = TSet.Multiply(TSet.Broadcast(slopes.CrossEntropy), pixels.WrongProbability);
        if (slopes.Focal != 0)
            pixelwise = TSet.MultiplyAdd(TSet.Multiply(TSet.Broadcast(slopes.Focal), pixels.FocalWeight(losses, t)), pixels.FocalSlope(losses), pixelwise);
        TVector ratios = TSet.MultiplyAdd(t, TSet.Broadcast(slopes.OnMask), TSet.Broadcast(slopes.Everywhere));
        return TSet.MultiplyAdd(pixels.Slope, ratios, TSet.Multiply(pixels.Sign, pixelwise));
    }
}
