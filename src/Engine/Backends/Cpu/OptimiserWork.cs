using System.Runtime.CompilerServices;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Σ x² of a piece, in float32 over a few vectors at a time and in double precision over those.</summary>
readonly unsafe struct SumOfSquaresWork<TSet, TVector>(Rows x, Pieces pieces, double* partial) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    const int BlockVectors = 16;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int task, int worker)
    {
        (int row, int start, int count) = pieces[task];
        float* from = x[row] + start;
        double total = 0;
        int i = 0, whole = count / TSet.Width * TSet.Width;
        while (i < whole)
        {
            TVector sum = TSet.Broadcast(0f);
            for (int end = Math.Min(whole, i + BlockVectors * TSet.Width); i < end; i += TSet.Width)
            {
                TVector value = TSet.Load(from + i);
                sum = TSet.MultiplyAdd(value, value, sum);
            }
            total += TSet.Sum(sum);
        }
        for (; i < count; i++) total += (double)from[i] * from[i];
        partial[task] = total;
    }
}

/// <summary>One step of AdamW on a piece of the parameters.</summary>
readonly unsafe struct AdamWWork<TSet, TVector>(Rows dw, float* settings, Rows w, Rows m, Rows v, Pieces pieces) : IParallelWork
    where TSet : struct, IVectorSet<TVector>
    where TVector : struct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int task, int worker)
    {
        (int row, int start, int count) = pieces[task];
        float* gradient = dw[row] + start, weight = w[row] + start, first = m[row] + start, second = v[row] + start;
        int i = 0;
        for (; i <= count - TSet.Width; i += TSet.Width)
        {
            TVector mean = TSet.Load(first + i), square = TSet.Load(second + i);
            TSet.Store(Step(TSet.Load(gradient + i), TSet.Load(weight + i), ref mean, ref square), weight + i);
            TSet.Store(mean, first + i);
            TSet.Store(square, second + i);
        }
        if (i == count) return;
        int rest = count - i;
        TVector lastMean = VectorMath<TSet, TVector>.LoadPartial(first + i, rest), lastSquare = VectorMath<TSet, TVector>.LoadPartial(second + i, rest);
        TVector g = VectorMath<TSet, TVector>.LoadPartial(gradient + i, rest), old = VectorMath<TSet, TVector>.LoadPartial(weight + i, rest);
        VectorMath<TSet, TVector>.StorePartial(Step(g, old, ref lastMean, ref lastSquare), weight + i, rest);
        VectorMath<TSet, TVector>.StorePartial(lastMean, first + i, rest);
        VectorMath<TSet, TVector>.StorePartial(lastSquare, second + i, rest);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    TVector Step(TVector g, TVector weight, ref TVector mean, ref TVector square)
    {
        float beta1 = settings[AdamWSettings.Beta1], beta2 = settings[AdamWSettings.Beta2];
        g = TSet.Multiply(g, TSet.Broadcast(settings[AdamWSettings.GradientScale]));
        mean = TSet.MultiplyAdd(mean, TSet.Broadcast(beta1), TSet.Multiply(g, TSet.Broadcast(1 - beta1)));
        square = TSet.MultiplyAdd(square, TSet.Broadcast(beta2), TSet.Multiply(TSet.Multiply(g, g), TSet.Broadcast(1 - beta2)));
        TVector deviation = TSet.SquareRoot(TSet.Multiply(square, TSet.Broadcast(settings[AdamWSettings.SecondCorrection])));
        TVector step = TSet.Divide(
            TSet.Multiply(mean, TSet.Broadcast(settings[AdamWSettings.FirstCorrection])), TSet.Add(deviation, TSet.Broadcast(settings[AdamWSettings.Epsilon])));
        TVector change = TSet.MultiplyAdd(weight, TSet.Broadcast(settings[AdamWSettings.WeightDecay]), step);
        return TSet.MultiplyAdd(change, TSet.Broadcast(-settings[AdamWSettings.LearningRate]), weight);
    }
}
