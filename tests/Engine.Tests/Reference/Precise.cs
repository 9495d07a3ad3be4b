using ClipSegNative.Backends;

namespace ClipSegNative.Tests.Reference;

/// <summary>Scalar functions in double precision.</summary>
static class Precise
{
    public static double Activate(double x, Activation activation) => activation switch
    {
        Activation.None => x,
        Activation.QuickGelu => x * Sigmoid(1.702 * x),
        Activation.Gelu => x * Complement(-x / Math.Sqrt(2)) / 2,
        Activation.Relu => Math.Max(x, 0),
        Activation.Sigmoid => Sigmoid(x),
        _ => throw new ArgumentOutOfRangeException(nameof(activation)),
    };

    /// <summary>The derivative of an activation; 0 for ReLU at 0.</summary>
    public static double Slope(double x, Activation activation) => activation switch
    {
        Activation.None => 1,
        Activation.QuickGelu => Sigmoid(1.702 * x) * (1 + 1.702 * x * Sigmoid(-1.702 * x)),
        Activation.Gelu => Complement(-x / Math.Sqrt(2)) / 2 + x * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI),
        Activation.Relu => x <= 0 ? 0 : 1,
        Activation.Sigmoid => Sigmoid(x) * Sigmoid(-x),
        _ => throw new ArgumentOutOfRangeException(nameof(activation)),
    };

    public static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    /// <summary>ln(1 + eˣ); the small argument by its series, which the sum with 1 would swallow.</summary>
    public static double SoftPlus(double x)
    {
        double e = Math.Exp(-Math.Abs(x));
        return Math.Max(x, 0) + (e < 1e-5 ? e - e * e / 2 + e * e * e / 3 : Math.Log(1 + e));
    }

    public static double Erf(double x) => Math.Abs(x) < 3 ? Series(x) : Math.Sign(x) * (1 - Tail(Math.Abs(x)));

    /// <summary>1 - erf(x), to full relative precision in the upper tail.</summary>
    public static double Complement(double x) => x < -3 ? 2 - Tail(-x) : x < 3 ? 1 - Series(x) : Tail(x);

    /// <summary>Keys 1981 with a = -0.75, by distance from the sample.</summary>
    public static double CubicConvolution(double distance)
    {
        const double A = -0.75;
        if (distance >= 2) return 0;
        return distance <= 1
            ? (A + 2) * Math.Pow(distance, 3) - (A + 3) * Math.Pow(distance, 2) + 1
            : A * Math.Pow(distance, 3) - 5 * A * Math.Pow(distance, 2) + 8 * A * distance - 4 * A;
    }

    /// <summary>Abramowitz and Stegun 7.1.6: no term changes sign, so nothing cancels.</summary>
    static double Series(double x)
    {
        double term = x, sum = x;
        for (int n = 1; Math.Abs(term) > 1e-18 * Math.Abs(sum); n++)
        {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    /// <summary>Abramowitz and Stegun 7.1.14, the continued fraction from its far end; 60 levels suffice from x = 3 on.</summary>
    static double Tail(double x)
    {
        double fraction = x;
        for (int level = 60; level >= 1; level--) fraction = x + level / 2.0 / fraction;
        return Math.Exp(-x * x) / Math.Sqrt(Math.PI) / fraction;
    }
}
