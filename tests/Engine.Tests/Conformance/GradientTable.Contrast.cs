using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Conformance;

/// <summary>Contrastive training.</summary>
static partial class GradientTable
{
    static IEnumerable<GradientCase> Contrasts()
    {
        yield return new("PoolTokensBackward", "rows that share tokens", space =>
        {
            Variable x = space.Activation("x", 2, 3, 4);
            Tensor entries = space.Indices(1, 0, 1, 1), weights = space.Constant([0.5f, 0.5f, 0, 0, 0, 1, 0, 0.3f, 0.7f, 0, 0, 0], 4, 3);
            Result y = space.Result(4, 4);
            return new(
                backend => backend.PoolTokens(x.Value, entries, weights, y.Value),
                backend => backend.PoolTokensBackward(y.Gradient, entries, weights, x.Gradient));
        });
        yield return new("NormalizeBackward", "3x5", space =>
        {
            Variable x = space.Activation("x", 3, 5);
            Result y = space.Result(3, 5);
            return new(backend => backend.Normalize(x.Value, y.Value), backend => backend.NormalizeBackward(x.Value, y.Gradient, x.Gradient));
        });
        foreach ((int rows, int columns) in new[] { (1, 1), (4, 4), (3, 5) })
        {
            yield return new("ContrastiveLossBackward", $"{rows}x{columns}", space =>
            {
                Variable similarities = space.Activation("similarities", rows, columns), logScale = space.Parameter("log scale", 1);
                Tensor positives = space.Constant(OpTable.Positives(rows, columns), rows, columns);
                Result y = space.Summed(1, 1);
                return new(
                    backend => backend.ContrastiveLoss(similarities.Value, positives, logScale.Value, y.Value),
                    backend => backend.ContrastiveLossBackward(similarities.Value, positives, logScale.Value, similarities.Gradient, logScale.Gradient));
            });
        }
    }
}
