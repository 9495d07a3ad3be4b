using ClipSegNative.Tensors;

namespace ClipSegNative.Backends.Cpu;

/// <summary>Contrastive training: a few hundred rows, beside which the towers cost everything, so these run on one thread and sum in double precision.</summary>
sealed unsafe partial class CpuBackend<TSet, TVector>
{
    const double ShortestNorm = 1e-12;

    public void PoolTokens(Tensor x, Tensor entries, Tensor weights, Tensor y)
    {
        int tokens = x.Shape[1];
        Fill(0, y);
        for (int row = 0; row < y.Rows; row++)
        {
            long first = FirstToken(entries, row, x);
            for (int token = 0; token < tokens; token++)
            {
                float weight = View(weights)[row][token];
                if (weight != 0) VectorMath<TSet, TVector>.AddScaledTo(View(x)[first + token], weight, View(y)[row], y.Columns);
            }
        }
    }

    public void PoolTokensBackward(Tensor dy, Tensor entries, Tensor weights, Tensor dx)
    {
        int tokens = dx.Shape[1];
        Fill(0, dx);
        for (int row = 0; row < dy.Rows; row++)
        {
            long first = FirstToken(entries, row, dx);
            for (int token = 0; token < tokens; token++)
            {
                float weight = View(weights)[row][token];
                if (weight != 0) VectorMath<TSet, TVector>.AddScaledTo(View(dy)[row], weight, View(dx)[first + token], dx.Columns);
            }
        }
    }

    public void Normalize(Tensor x, Tensor y)
    {
        for (int row = 0; row < x.Rows; row++)
        {
            float* from = View(x)[row], to = View(y)[row];
            double inverse = 1 / Norm(from, x.Columns);
            for (int c = 0; c < x.Columns; c++) to[c] = (float)(from[c] * inverse);
        }
    }

    public void NormalizeBackward(Tensor x, Tensor dy, Tensor dx)
    {
        for (int row = 0; row < x.Rows; row++)
        {
            float* from = View(x)[row], gradient = View(dy)[row], to = View(dx)[row];
            double inverse = 1 / Norm(from, x.Columns), along = 0;
            for (int c = 0; c < x.Columns; c++) along += gradient[c] * (from[c] * inverse);
            for (int c = 0; c < x.Columns; c++) to[c] = (float)((gradient[c] - along * (from[c] * inverse)) * inverse);
        }
    }

    public void ContrastiveLoss(Tensor similarities, Tensor positives, Tensor logScale, Tensor y)
    {
        ContrastSums sums = Sums(similarities, positives, *Pointer(logScale));
        double rows = 0, columns = 0;
        for (int row = 0; row < similarities.Rows; row++) rows += sums.RowEntropy(row);
        for (int column = 0; column < similarities.Columns; column++) columns += sums.ColumnEntropy(column);
        *Pointer(y) = (float)((rows / similarities.Rows + columns / similarities.Columns) / 2);
    }

    public void ContrastiveLossBackward(Tensor similarities, Tensor positives, Tensor logScale, Tensor dSimilarities, Tensor dLogScale)
    {
        int rows = similarities.Rows, columns = similarities.Columns;
        ContrastSums sums = Sums(similarities, positives, *Pointer(logScale));
        double total = 0;
        for (int row = 0; row < rows; row++)
        {
            float* similarity = View(similarities)[row], positive = View(positives)[row], to = View(dSimilarities)[row];
            for (int column = 0; column < columns; column++)
            {
                double z = sums.Scale * similarity[column];
                double byRow = Math.Exp(z - sums.RowLogSum(row)) - positive[column] / sums.RowPositives(row);
                double byColumn = Math.Exp(z - sums.ColumnLogSum(column)) - positive[column] / sums.ColumnPositives(column);
                double gradient = (byRow / rows + byColumn / columns) / 2;
                to[column] = (float)(sums.Scale * gradient);
                total += gradient * z;
            }
        }
        if (!dLogScale.IsAbsent && sums.Scale < ContrastiveLosses.LargestScale) *Pointer(dLogScale) += (float)total;
    }

    static long FirstToken(Tensor entries, int row, Tensor x)
    {
        int entry = ((int*)Pointer(entries))[row];
        if ((uint)entry >= (uint)x.Shape[0]) throw new ArgumentOutOfRangeException(nameof(entries), $"Entry {entry} is outside the batch {x}.");
        return (long)entry * x.Shape[1];
    }

    static double Norm(float* x, int columns)
    {
        double sum = 0;
        for (int c = 0; c < columns; c++) sum += (double)x[c] * x[c];
        return Math.Max(Math.Sqrt(sum), ShortestNorm);
    }

    ContrastSums Sums(Tensor similarities, Tensor positives, float logScale) => new(
        View(similarities), View(positives), similarities.Rows, similarities.Columns, logScale,
        ScratchDoubles(ContrastSums.Count * (similarities.Rows + similarities.Columns)));
}
