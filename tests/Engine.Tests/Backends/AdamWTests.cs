using ClipSegNative.Backends;
using ClipSegNative.Tensors;
using ClipSegNative.Tests.Conformance;

namespace ClipSegNative.Tests.Backends;

public sealed class AdamWTests(CpuBackends backends) : IClassFixture<CpuBackends>
{
    const int Count = 37, Steps = 30;

    /// <summary>A weight below 2 rounds once a step, by at most 6e-8.</summary>
    const double Tolerance = Steps * 6e-8;

    const double Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8, WeightDecay = 0.01, GradientScale = 0.5;

    /// <summary>
    /// Loshchilov and Hutter 2019, algorithm 2, as PyTorch documents its AdamW: decay by the learning rate, moments, their corrections by division.
    /// </summary>
    [Theory, MemberData(nameof(CpuBackends.Sets), MemberType = typeof(CpuBackends))]
    public void AdamW_ManySteps_FollowsTheAlgorithmInDoubles(string set)
    {
        IBackend backend = backends.Get(set);
        using var space = new OpWorkspace(backend, set);
        Tensor dw = space.Output(1, Count), settings = space.Output(AdamWSettings.Count);
        Tensor w = space.RandomInPlace(1, Count), m = space.InPlace(new float[Count], 1, Count), v = space.InPlace(new float[Count], 1, Count);
        var weights = new float[Count];
        backend.Download(w, weights);
        double[] expected = [.. weights.Select(value => (double)value)], mean = new double[Count], square = new double[Count];

        for (int step = 1; step <= Steps; step++)
        {
            double rate = 1e-2 / step;
            float[] gradients = [.. Enumerable.Range(0, Count).Select(i => i == 0 ? 0 : (float)Math.Sin(step * 1.3 + i) * i)];
            for (int i = 0; i < Count; i++)
            {
                double g = GradientScale * gradients[i];
                expected[i] -= rate * WeightDecay * expected[i];
                mean[i] = Beta1 * mean[i] + (1 - Beta1) * g;
                square[i] = Beta2 * square[i] + (1 - Beta2) * g * g;
                double correctedMean = mean[i] / (1 - Math.Pow(Beta1, step)), correctedSquare = square[i] / (1 - Math.Pow(Beta2, step));
                expected[i] -= rate * correctedMean / (Math.Sqrt(correctedSquare) + Epsilon);
            }
            backend.Upload(gradients, dw);
            backend.Upload(Settings(rate, step), settings);
            backend.AdamW(dw, settings, w, m, v);
        }
        backend.Download(w, weights);
        for (int i = 0; i < Count; i++) Assert.Equal(expected[i], weights[i], Tolerance);
    }

    static float[] Settings(double rate, int step)
    {
        var values = new float[AdamWSettings.Count];
        values[AdamWSettings.LearningRate] = (float)rate;
        values[AdamWSettings.WeightDecay] = (float)WeightDecay;
        values[AdamWSettings.Beta1] = (float)Beta1;
        values[AdamWSettings.Beta2] = (float)Beta2;
        values[AdamWSettings.Epsilon] = (float)Epsilon;
        values[AdamWSettings.FirstCorrection] = Correction((float)Beta1, step);
        values[AdamWSettings.SecondCorrection] = Correction((float)Beta2, step);
        values[AdamWSettings.GradientScale] = (float)GradientScale;
        return values;
    }

    static float Correction(float beta, int step) => (float)(1 / (1 - Math.Pow(beta, step)));
}
