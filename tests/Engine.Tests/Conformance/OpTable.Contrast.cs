using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Conformance;

/// <summary>Contrastive training.</summary>
static partial class OpTable
{
    /// <summary>Every row and column has a positive, some have several.</summary>
    public static float[] Positives(int rows, int columns) =>
        [.. Enumerable.Range(0, rows * columns).Select(i => i / columns % Math.Min(rows, columns) == i % columns % Math.Min(rows, columns) || i % 11 == 0 ? 1f : 0f)];

    static IEnumerable<OpCase> Contrasts()
    {
        foreach ((int batch, int tokens, int columns, int[] entries) in new (int, int, int, int[])[] { (1, 1, 1, [0]), (3, 5, 7, [2, 0, 0, 2]), (2, 37, 33, [1, 1, 1, 0, 1]) })
        {
            string detail = $"{entries.Length} of {batch}x{tokens}x{columns}";
            float[] weights = [.. Enumerable.Range(0, entries.Length * tokens).Select(i => i % 3 == 1 ? 0 : i % 7 * 0.2f)];
            yield return new("PoolTokens", detail, Tolerance.Sum(tokens), space =>
            {
                Tensor x = space.RandomInside(1, 0, batch, tokens, columns), y = space.OutputInside(0, 2, entries.Length, columns);
                Tensor indices = space.Indices(entries), pooled = space.Given(weights, entries.Length, tokens);
                return backend => backend.PoolTokens(x, indices, pooled, y);
            });
            yield return new("PoolTokensBackward", detail, Tolerance.Sum(entries.Length), space =>
            {
                Tensor dy = space.RandomInside(0, 2, entries.Length, columns), dx = space.OutputInside(1, 0, batch, tokens, columns);
                Tensor indices = space.Indices(entries), pooled = space.Given(weights, entries.Length, tokens);
                return backend => backend.PoolTokensBackward(dy, indices, pooled, dx);
            });
        }
        foreach ((int rows, int columns) in AwkwardSizes)
        {
            yield return new("Normalize", $"{rows}x{columns}", Tolerance.Elementwise, space =>
            {
                Tensor x = space.RandomInside(1, 0, rows, columns), y = space.OutputInside(0, 1, rows, columns);
                return backend => backend.Normalize(x, y);
            });
            yield return new("NormalizeBackward", $"{rows}x{columns}", new(2e-6, 2e-6), space =>
            {
                Tensor x = space.SpreadInside(1, 0, 1, 2, rows, columns), dy = space.RandomInside(0, 1, rows, columns), dx = space.OutputInside(2, 0, rows, columns);
                return backend => backend.NormalizeBackward(x, dy, dx);
            });
        }
        foreach ((int rows, int columns) in new[] { (1, 1), (5, 5), (3, 8), (64, 64), (33, 17) })
        {
            foreach (float logScale in new[] { 0f, 2.66f, 4.7f })
            {
                string detail = $"{rows}x{columns}, scale e^{logScale}";
                yield return new("ContrastiveLoss", detail, Tolerance.Elementwise, space =>
                {
                    Tensor similarities = space.RandomInside(1, 0, rows, columns), positives = space.Given(Positives(rows, columns), rows, columns);
                    Tensor scale = space.Given([logScale], 1), y = space.Output(1);
                    return backend => backend.ContrastiveLoss(similarities, positives, scale, y);
                });
                yield return new("ContrastiveLossBackward", detail, Tolerance.Elementwise, space =>
                {
                    Tensor similarities = space.RandomInside(1, 0, rows, columns), positives = space.Given(Positives(rows, columns), rows, columns);
                    Tensor scale = space.Given([logScale], 1), dSimilarities = space.OutputInside(0, 1, rows, columns), dScale = space.RandomInPlace(1);
                    return backend => backend.ContrastiveLossBackward(similarities, positives, scale, dSimilarities, dScale);
                });
            }
        }
    }
}
