namespace ClipSegNative.Backends.Cpu;

/// <summary>What the cross entropies of a matrix's rows and columns are made of: log of the sum of exponentials, number of positives, sum of their logits.</summary>
readonly unsafe struct ContrastSums
{
    /// <summary>Doubles of scratch for each row and column.</summary>
    public const int Count = 5;

    readonly double* _largest;
    readonly double* _exponentials;
    readonly double* _logSums;
    readonly double* _positives;
    readonly double* _positiveLogits;
    readonly int _rows;

    public ContrastSums(Rows similarities, Rows positives, int rows, int columns, float logScale, double* scratch)
    {
        int lines = rows + columns;
        _largest = scratch;
        _exponentials = scratch + lines;
        _positives = scratch + 2 * lines;
        _positiveLogits = scratch + 3 * lines;
        _logSums = scratch + 4 * lines;
        _rows = rows;
        Scale = Math.Min(Math.Exp(logScale), ContrastiveLosses.LargestScale);
        new Span<double>(_largest, lines).Fill(double.NegativeInfinity);
        new Span<double>(_exponentials, 3 * lines).Clear();
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                double z = Scale * similarities[row][column];
                _largest[row] = Math.Max(_largest[row], z);
                _largest[rows + column] = Math.Max(_largest[rows + column], z);
                if (positives[row][column] == 0) continue;
                _positives[row]++;
                _positives[rows + column]++;
                _positiveLogits[row] += z;
                _positiveLogits[rows + column] += z;
            }
        }
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                double z = Scale * similarities[row][column];
                _exponentials[row] += Math.Exp(z - _largest[row]);
                _exponentials[rows + column] += Math.Exp(z - _largest[rows + column]);
            }
        }
        for (int line = 0; line < lines; line++) _logSums[line] = _largest[line] + Math.Log(_exponentials[line]);
    }

    public double Scale { get; }

    public double RowLogSum(int row) => _logSums[row];

    public double ColumnLogSum(int column) => _logSums[_rows + column];

    public double RowPositives(int row) => _positives[row];

    public double ColumnPositives(int column) => _positives[_rows + column];

    public double RowEntropy(int row) => Entropy(row);

    public double ColumnEntropy(int column) => Entropy(_rows + column);

    double Entropy(int line) => _logSums[line] - _positiveLogits[line] / _positives[line];
}
