namespace ClipSegNative.Evaluation;

/// <summary>Simpson's rule over points at any distances, as SciPy's <c>simps</c> has it up to version 1.10.</summary>
static class Simpson
{
    /// <summary>
    /// The integral of y over x. An even number of points leaves one interval over: it gets the trapezoidal rule, once the last and once the first,
    /// and the mean of both is the result.
    /// </summary>
    /// <param name="x">Never falling.</param>
    /// <param name="y">As many.</param>
    public static double Integrate(ReadOnlySpan<double> x, ReadOnlySpan<double> y) => x.Length switch
    {
        < 2 => 0,
        _ when x.Length % 2 == 1 => Parabolas(x, y),
        _ => (Parabolas(x[..^1], y[..^1]) + Trapezoid(x[^2..], y[^2..]) + Parabolas(x[1..], y[1..]) + Trapezoid(x[..2], y[..2])) / 2,
    };

    static double Trapezoid(ReadOnlySpan<double> x, ReadOnlySpan<double> y) => (x[1] - x[0]) * (y[0] + y[1]) / 2;

    /// <summary>One parabola through each two intervals. Quotients by an interval of no length are 0, as in SciPy.</summary>
    static double Parabolas(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        double sum = 0;
        for (int i = 0; i + 2 < x.Length; i += 2)
        {
            double first = x[i + 1] - x[i], second = x[i + 2] - x[i + 1], both = first + second;
            double ratio = Quotient(first, second);
            sum += both / 6 * (y[i] * (2 - Quotient(1, ratio)) + y[i + 1] * both * Quotient(both, first * second) + y[i + 2] * (2 - ratio));
        }
        return sum;
    }

    static double Quotient(double dividend, double divisor) => divisor == 0 ? 0 : dividend / divisor;
}
