using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Reference;

/// <summary>Losses and the optimiser.</summary>
sealed partial class ReferenceBackend
{
    public void MaskLoss(Tensor logits, Tensor targets, MaskLosses losses, Tensor sums, Tensor y)
    {
        Matrix z = new(logits), t = new(targets), noted = new(sums), to = new(y);
        for (int map = 0; map < logits.Rows; map++)
        {
            var sum = new double[MaskLosses.Sums];
            for (int i = 0; i < logits.Columns; i++)
            {
                bool masked = t[map, i] == 1;
                double wrong = masked ? -z[map, i] : z[map, i], crossEntropy = Precise.SoftPlus(wrong), p = Precise.Sigmoid(z[map, i]);
                sum[MaskLosses.CrossEntropySum] += crossEntropy;
                if (losses.Focal != 0)
                    sum[MaskLosses.FocalSum] += FocalBalance(masked, losses) * Math.Pow(Precise.Sigmoid(wrong), losses.FocalGamma) * crossEntropy;
                sum[MaskLosses.OverlapSum] += masked ? p : 0;
                sum[MaskLosses.PredictedSum] += p;
                sum[MaskLosses.TargetSum] += masked ? 1 : 0;
                sum[MaskLosses.HitCount] += masked && p > 0.5 ? 1 : 0;
                sum[MaskLosses.PositiveCount] += p > 0.5 ? 1 : 0;
            }
            for (int i = 0; i < sum.Length; i++) noted[map, i] = sum[i];
            double loss = 0;
            if (losses.CrossEntropy != 0) loss += losses.CrossEntropy * sum[MaskLosses.CrossEntropySum] / logits.Columns;
            if (losses.Focal != 0) loss += losses.Focal * sum[MaskLosses.FocalSum] / logits.Columns;
            if (losses.Dice != 0)
            {
                (double above, double below) = DiceRatio(losses, i => sum[i]);
                loss += losses.Dice * (1 - above / below);
            }
            if (losses.Tversky != 0)
            {
                (double above, double below) = TverskyRatio(losses, i => sum[i]);
                loss += losses.Tversky * (1 - above / below);
            }
            to[map, 0] = loss;
        }
    }

    /// <summary>By the quotient rule in p, times dp/dz = p·(1 - p).</summary>
    public void MaskLossBackward(Tensor logits, Tensor targets, Tensor sums, MaskLosses losses, float scale, Tensor dLogits)
    {
        Matrix z = new(logits), t = new(targets), noted = new(sums), to = new(dLogits);
        for (int map = 0; map < logits.Rows; map++)
            for (int i = 0; i < logits.Columns; i++)
            {
                bool masked = t[map, i] == 1;
                double p = Precise.Sigmoid(z[map, i]), slope = p * Precise.Sigmoid(-z[map, i]), gradient = 0;
                double sign = masked ? -1 : 1, wrong = Precise.Sigmoid(sign * z[map, i]), right = Precise.Sigmoid(-sign * z[map, i]);
                if (losses.CrossEntropy != 0) gradient += losses.CrossEntropy * sign * wrong / logits.Columns;
                if (losses.Focal != 0)
                {
                    double inner = losses.FocalGamma * right * Precise.SoftPlus(sign * z[map, i]) + wrong;
                    gradient += losses.Focal * sign * FocalBalance(masked, losses) * Math.Pow(wrong, losses.FocalGamma) * inner / logits.Columns;
                }
                if (losses.Dice != 0)
                {
                    (double above, double below) = DiceRatio(losses, column => noted[map, column]);
                    double dAbove = masked ? 2 : 0, dBelow = 1;
                    gradient -= losses.Dice * slope * (dAbove * below - above * dBelow) / (below * below);
                }
                if (losses.Tversky != 0)
                {
                    (double above, double below) = TverskyRatio(losses, column => noted[map, column]);
                    double dAbove = masked ? 1 : 0, dBelow = masked ? 1 - (double)losses.TverskyBeta : losses.TverskyAlpha;
                    gradient -= losses.Tversky * slope * (dAbove * below - above * dBelow) / (below * below);
                }
                to[map, i] = scale * gradient / logits.Rows;
            }
    }

    public void SumOfSquares(Tensor x, Tensor sum)
    {
        double total = 0;
        foreach (double value in Elements(x, (int)x.Shape.Elements)) total += value * value;
        var to = new Matrix(sum);
        to[0, 0] = total;
    }

    public void AdamW(Tensor dw, Tensor settings, Tensor w, Tensor m, Tensor v)
    {
        Matrix gradient = new(dw), weight = new(w), first = new(m), second = new(v);
        double[] set = Elements(settings, AdamWSettings.Count);
        double beta1 = set[AdamWSettings.Beta1], beta2 = set[AdamWSettings.Beta2];
        for (int row = 0; row < w.Rows; row++)
            for (int c = 0; c < w.Columns; c++)
            {
                double g = set[AdamWSettings.GradientScale] * gradient[row, c];
                double mean = beta1 * first[row, c] + (1 - beta1) * g, square = beta2 * second[row, c] + (1 - beta2) * g * g;
                double step = mean * set[AdamWSettings.FirstCorrection]
                    / (Math.Sqrt(square * set[AdamWSettings.SecondCorrection]) + set[AdamWSettings.Epsilon]);
                weight[row, c] -= set[AdamWSettings.LearningRate] * (set[AdamWSettings.WeightDecay] * weight[row, c] + step);
                first[row, c] = mean;
                second[row, c] = square;
            }
    }

    static double FocalBalance(bool masked, MaskLosses losses) => masked ? losses.FocalAlpha : 1 - (double)losses.FocalAlpha;

    static (double Above, double Below) DiceRatio(MaskLosses losses, Func<int, double> sum) =>
        (2 * sum(MaskLosses.OverlapSum) + losses.Smoothing, sum(MaskLosses.PredictedSum) + sum(MaskLosses.TargetSum) + losses.Smoothing);

    static (double Above, double Below) TverskyRatio(MaskLosses losses, Func<int, double> sum)
    {
        double overlap = sum(MaskLosses.OverlapSum);
        double falsePositives = sum(MaskLosses.PredictedSum) - overlap, falseNegatives = sum(MaskLosses.TargetSum) - overlap;
        return (overlap + losses.Smoothing, overlap + losses.TverskyAlpha * falsePositives + losses.TverskyBeta * falseNegatives + losses.Smoothing);
    }
}
