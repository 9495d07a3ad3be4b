using ClipSegNative.Calibration;

namespace ClipSegNative.Tests.Calibration;

public class LogisticRegressionTests
{
    /// <summary>With one feature of two values, the optimum is known: each value's log odds.</summary>
    [Fact]
    public void Fit_TwoValues_GivesTheirLogOdds()
    {
        (double Value, int Positive, int Negative)[] groups = [(10, 80, 20), (30, 30, 70)];
        List<double[]> features = [];
        List<bool> positive = [];
        foreach ((double value, int yes, int no) in groups)
        {
            features.AddRange(Enumerable.Repeat((double[])[value], yes + no));
            positive.AddRange([.. Enumerable.Repeat(true, yes), .. Enumerable.Repeat(false, no)]);
        }
        double[] weights = LogisticRegression.Fit(features, positive, [.. features.Select(_ => 1.0 / features.Count)]);
        Assert.Equal(0.8, Probability(weights, 10), tolerance: 0.002);   // the ridge takes a little
        Assert.Equal(0.3, Probability(weights, 30), tolerance: 0.002);
    }

    [Fact]
    public void Fit_Importance_CountsLikeRepetition()
    {
        double[][] features = [[0, 1], [1, 0], [2, 2], [1, 1]];
        bool[] positive = [true, false, true, false];
        double[] once = LogisticRegression.Fit(features, positive, [0.4, 0.2, 0.2, 0.2]);
        double[] twice = LogisticRegression.Fit([features[0], .. features], [true, .. positive], [0.2, 0.2, 0.2, 0.2, 0.2]);
        Assert.Equal(once, twice, (a, b) => Math.Abs(a - b) < 1e-8);
    }

    [Fact]
    public void Fit_SeparableOrConstantFeatures_StaysFinite()
    {
        double[] weights = LogisticRegression.Fit([[0, 7], [1, 7], [9, 7], [10, 7]], [false, false, true, true], [0.25, 0.25, 0.25, 0.25]);
        Assert.All(weights, weight => Assert.InRange(weight, -1e3, 1e3));
        Assert.True(weights[0] + weights[1] * 1 + weights[2] * 7 < 0 && weights[0] + weights[1] * 9 + weights[2] * 7 > 0);
    }

    static double Probability(double[] weights, double value) => 1 / (1 + Math.Exp(-(weights[0] + weights[1] * value)));
}
