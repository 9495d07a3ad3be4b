using System.Globalization;

namespace ClipSegNative.Cli.Study;

/// <summary>Mean and sample standard deviation of some numbers.</summary>
/// <param name="Mean">NaN of none.</param>
/// <param name="Deviation">With n - 1; 0 of a single number.</param>
/// <param name="Count">How many there are.</param>
readonly record struct Spread(double Mean, double Deviation, int Count)
{
    public static Spread Of(IEnumerable<double> numbers)
    {
        double[] values = [.. numbers];
        if (values.Length == 0) return new Spread(double.NaN, 0, 0);
        double mean = values.Average();
        double deviation = values.Length < 2 ? 0 : Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
        return new Spread(mean, deviation, values.Length);
    }

    /// <summary>Of the mean.</summary>
    public double StandardError => Deviation / Math.Sqrt(Count);

    /// <summary>As in "0.512 ± 0.008"; without a spread where there is a single number.</summary>
    public override string ToString() => Text("0.000");

    public string Text(string format) => Count == 0 || double.IsNaN(Mean) ? "-"
        : Mean.ToString(format, CultureInfo.InvariantCulture) + (Count < 2 ? "" : $" ± {Deviation.ToString(format, CultureInfo.InvariantCulture)}");
}
