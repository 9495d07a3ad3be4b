using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Reference;

/// <summary>Contrastive training.</summary>
sealed partial class ReferenceBackend
{
    public void PoolTokens(Tensor x, Tensor entries, Tensor weights, Tensor y)
    {
        Matrix from = new(x), weight = new(weights), to = new(y);
        int tokens = x.Shape[1];
        int[] entry = new Matrix(entries).IntegerRow(0, y.Rows);
        for (int row = 0; row < y.Rows; row++)
            for (int c = 0; c < y.Columns; c++) to[row, c] = Enumerable.Range(0, tokens).Sum(token => weight[row, token] * from[entry[row] * tokens + token, c]);
    }

    public void PoolTokensBackward(Tensor dy, Tensor entries, Tensor weights, Tensor dx)
    {
        Matrix from = new(dy), weight = new(weights), to = new(dx);
        int tokens = dx.Shape[1];
        int[] entry = new Matrix(entries).IntegerRow(0, dy.Rows);
        for (int token = 0; token < dx.Rows; token++)
            for (int c = 0; c < dx.Columns; c++)
                to[token, c] = Enumerable.Range(0, dy.Rows).Where(row => entry[row] == token / tokens).Sum(row => weight[row, token % tokens] * from[row, c]);
    }

    public void Normalize(Tensor x, Tensor y)
    {
        Matrix from = new(x), to = new(y);
        for (int row = 0; row < x.Rows; row++)
        {
            double norm = Norm(from, row, x.Columns);
            for (int c = 0; c < x.Columns; c++) to[row, c] = from[row, c] / norm;
        }
    }

    /// <summary>By the quotient rule, with ∂‖x‖/∂x = x / ‖x‖.</summary>
    public void NormalizeBackward(Tensor x, Tensor dy, Tensor dx)
    {
        Matrix from = new(x), gradient = new(dy), to = new(dx);
        for (int row = 0; row < x.Rows; row++)
        {
            double norm = Norm(from, row, x.Columns), product = Enumerable.Range(0, x.Columns).Sum(c => gradient[row, c] * from[row, c]);
            for (int c = 0; c < x.Columns; c++) to[row, c] = gradient[row, c] / norm - from[row, c] * product / (norm * norm * norm);
        }
    }

    public void ContrastiveLoss(Tensor similarities, Tensor positives, Tensor logScale, Tensor y)
    {
        (double[,] z, _) = Logits(similarities, logScale);
        double[,] byRow = Targets(positives, ofColumns: false), byColumn = Targets(positives, ofColumns: true);
        double rows = 0, columns = 0;
        for (int i = 0; i < similarities.Rows; i++)
            for (int j = 0; j < similarities.Columns; j++)
            {
                rows -= byRow[i, j] * Math.Log(Share(z, i, j, ofColumns: false));
                columns -= byColumn[i, j] * Math.Log(Share(z, i, j, ofColumns: true));
            }
        var to = new Matrix(y);
        to[0, 0] = (rows / similarities.Rows + columns / similarities.Columns) / 2;
    }

    public void ContrastiveLossBackward(Tensor similarities, Tensor positives, Tensor logScale, Tensor dSimilarities, Tensor dLogScale)
    {
        (double[,] z, double scale) = Logits(similarities, logScale);
        double[,] byRow = Targets(positives, ofColumns: false), byColumn = Targets(positives, ofColumns: true);
        var to = new Matrix(dSimilarities);
        double total = 0;
        for (int i = 0; i < similarities.Rows; i++)
            for (int j = 0; j < similarities.Columns; j++)
            {
                double dz = (Share(z, i, j, ofColumns: false) - byRow[i, j]) / similarities.Rows / 2 + (Share(z, i, j, ofColumns: true) - byColumn[i, j]) / similarities.Columns / 2;
                to[i, j] = scale * dz;
                total += dz * z[i, j];
            }
        if (!dLogScale.IsAbsent && scale < ContrastiveLosses.LargestScale) AddTo(dLogScale, new[,] { { total } });
    }

    static double Norm(Matrix x, int row, int columns) => Math.Max(1e-12, Math.Sqrt(Enumerable.Range(0, columns).Sum(c => x[row, c] * x[row, c])));

    static (double[,] Logits, double Scale) Logits(Tensor similarities, Tensor logScale)
    {
        var from = new Matrix(similarities);
        double scale = Math.Min(Math.Exp(Elements(logScale, 1)[0]), ContrastiveLosses.LargestScale);
        var z = new double[similarities.Rows, similarities.Columns];
        for (int i = 0; i < similarities.Rows; i++)
            for (int j = 0; j < similarities.Columns; j++) z[i, j] = scale * from[i, j];
        return (z, scale);
    }

    static double[,] Targets(Tensor positives, bool ofColumns)
    {
        var from = new Matrix(positives);
        var targets = new double[positives.Rows, positives.Columns];
        for (int i = 0; i < positives.Rows; i++)
            for (int j = 0; j < positives.Columns; j++)
                targets[i, j] = from[i, j] / (ofColumns ? Enumerable.Range(0, positives.Rows).Sum(row => from[row, j]) : Enumerable.Range(0, positives.Columns).Sum(column => from[i, column]));
        return targets;
    }

    /// <summary>Softmax over the row, or over the column.</summary>
    static double Share(double[,] z, int i, int j, bool ofColumns)
    {
        double sum = 0;
        for (int k = 0; k < z.GetLength(ofColumns ? 0 : 1); k++) sum += Math.Exp((ofColumns ? z[k, j] : z[i, k]) - z[i, j]);
        return 1 / sum;
    }
}
