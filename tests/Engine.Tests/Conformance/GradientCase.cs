using ClipSegNative.Backends;
using ClipSegNative.Tests.Reference;

namespace ClipSegNative.Tests.Conformance;

/// <summary>A forward operation and what computes its gradients, on one set of sizes.</summary>
/// <param name="Operation">The method of <see cref="IBackend"/> it is about.</param>
/// <param name="Detail">Sizes and options; with the operation, the case's name and the seed of its values.</param>
/// <param name="Build">Makes the variables and returns what to run.</param>
sealed record GradientCase(string Operation, string Detail, Func<GradientSpace, GradientPair> Build)
{
    /// <summary>
    /// Central differences are off by step² · f''' / 6 and by the rounding of f over the step, about 1e-16 · f / step: for functions of ordinary size
    /// both are near 1e-10 here.
    /// </summary>
    const double Step = 1e-5;

    /// <summary>Of the largest gradient of a variable, or of 1 where all are smaller.</summary>
    const double Tolerance = 1e-8;

    public string Name => $"{Operation} {Detail}";

    /// <summary>Compares every gradient with central differences of Σ result · its gradient, on the reference in double precision throughout.</summary>
    public void Check()
    {
        using var backend = new ReferenceBackend(rounds: false);
        using var space = new GradientSpace(backend, Name);
        GradientPair pair = Build(space);
        pair.Forward(backend);
        pair.Backward(backend);
        Assert.NotEmpty(space.Variables);
        foreach (Variable variable in space.Variables)
        {
            double[] gradients = variable.Gradients();
            double allowed = Tolerance * Math.Max(1, gradients.Max(Math.Abs));
            var values = new Matrix(variable.Value);
            for (int i = 0; i < gradients.Length; i++)
            {
                int row = i / variable.Value.Columns, column = i % variable.Value.Columns;
                double value = values[row, column], above = At(value + Step), below = At(value - Step), expected = (above - below) / (2 * Step);
                values[row, column] = value;
                // Written so that NaN fails.
                if (!(Math.Abs(gradients[i] - expected) <= allowed))
                    Assert.Fail($"Element {i} of the gradient of {variable.Name} {variable.Value} is {gradients[i]:R}, differences give {expected:R}; allowed {allowed:G2}.");

                double At(double moved)
                {
                    values[row, column] = moved;
                    pair.Forward(backend);
                    return space.Sum();
                }
            }
        }
    }
}

/// <param name="Forward">Computes every result from the variables' values.</param>
/// <param name="Backward">Computes every variable's gradient from the results' gradients; runs once, after the forward.</param>
sealed record GradientPair(Action<IBackend> Forward, Action<IBackend> Backward);
