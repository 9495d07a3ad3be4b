namespace ClipSegNative.Calibration;

/// <summary>
/// Logistic regression with a small ridge, by Newton's method on standardised features (Hastie, Tibshirani and Friedman 2009, The Elements of
/// Statistical Learning, section 4.4.1). Nothing is drawn: the same samples in the same order give the same weights.
/// </summary>
static class LogisticRegression
{
    const int MostSteps = 100;

    /// <summary>Of the total weight 1. Keeps weights finite where a feature tells all samples apart.</summary>
    const double Ridge = 1e-3;

    const double Converged = 1e-10;

    /// <param name="features">[sample][feature], finite.</param>
    /// <param name="positive">Which samples are to score high.</param>
    /// <param name="importance">How much each counts; summing to 1.</param>
    /// <returns>The bias, then a weight a feature.</returns>
    public static double[] Fit(IReadOnlyList<double[]> features, IReadOnlyList<bool> positive, IReadOnlyList<double> importance)
    {
        int count = features[0].Length, size = count + 1;
        (double[] mean, double[] deviation) = Moments(features, importance);
        double[][] rows = [.. features.Select(row => (double[])[1, .. row.Select((value, i) => (value - mean[i]) / deviation[i])])];
        var weights = new double[size];
        for (int step = 0; step < MostSteps; step++)
        {
            var gradient = new double[size];
            var hessian = new double[size, size];
            for (int i = 0; i < rows.Length; i++) Accumulate(rows[i], positive[i], importance[i], weights, gradient, hessian);
            for (int i = 1; i < size; i++)   // the bias is free
            {
                gradient[i] -= Ridge * weights[i];
                hessian[i, i] += Ridge;
            }
            double[] change = Solve(hessian, gradient);
            for (int i = 0; i < size; i++) weights[i] += change[i];
            if (change.Max(Math.Abs) < Converged) break;
        }
        for (int i = 0; i < count; i++)
        {
            weights[i + 1] /= deviation[i];
            weights[0] -= weights[i + 1] * mean[i];
        }
        return weights;
    }

    static void Accumulate(double[] row, bool positive, double importance, double[] weights, double[] gradient, double[,] hessian)
    {
        double sum = 0;
        for (int i = 0; i < row.Length; i++) sum += weights[i] * row[i];
        double probability = 1 / (1 + Math.Exp(-sum)), error = importance * ((positive ? 1 : 0) - probability);
        double curvature = importance * probability * (1 - probability);
        for (int i = 0; i < row.Length; i++)
        {
            gradient[i] += error * row[i];
            for (int j = 0; j < row.Length; j++) hessian[i, j] += curvature * row[i] * row[j];
        }
    }

    static (double[] Mean, double[] Deviation) Moments(IReadOnlyList<double[]> features, IReadOnlyList<double> importance)
    {
        int count = features[0].Length;
        double[] mean = new double[count], deviation = new double[count];
        for (int k = 0; k < count; k++)
        {
            for (int i = 0; i < features.Count; i++) mean[k] += importance[i] * features[i][k];
            for (int i = 0; i < features.Count; i++) deviation[k] += importance[i] * (features[i][k] - mean[k]) * (features[i][k] - mean[k]);
            deviation[k] = Math.Max(Math.Sqrt(deviation[k]), 1e-9);
        }
        return (mean, deviation);
    }

    /// <summary>Gaussian elimination with pivots; the matrix is used up.</summary>
    static double[] Solve(double[,] matrix, double[] right)
    {
        int size = right.Length;
        double[] solution = [.. right];
        for (int column = 0; column < size; column++)
        {
            int pivot = Enumerable.Range(column, size - column).MaxBy(row => Math.Abs(matrix[row, column]));
            for (int k = 0; k < size; k++) (matrix[column, k], matrix[pivot, k]) = (matrix[pivot, k], matrix[column, k]);
            (solution[column], solution[pivot]) = (solution[pivot], solution[column]);
            for (int row = column + 1; row < size; row++)
            {
                double factor = matrix[row, column] / matrix[column, column];
                for (int k = column; k < size; k++) matrix[row, k] -= factor * matrix[column, k];
                solution[row] -= factor * solution[column];
            }
        }
        for (int row = size - 1; row >= 0; row--)
        {
            for (int k = row + 1; k < size; k++) solution[row] -= matrix[row, k] * solution[k];
            solution[row] /= matrix[row, row];
        }
        return solution;
    }
}
