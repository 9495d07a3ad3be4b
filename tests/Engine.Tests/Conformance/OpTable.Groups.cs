using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Conformance;

/// <summary>Group normalisation and its gradient.</summary>
static partial class OpTable
{
    static readonly (int Batch, int Height, int Width, int Channels, int Groups)[] GroupedMaps =
        [(1, 1, 1, 4, 2), (2, 3, 5, 7, 7), (1, 4, 4, 16, 1), (3, 5, 7, 24, 8), (1, 22, 22, 112, 8), (2, 31, 33, 33, 3), (1, 45, 47, 16, 8)];

    static IEnumerable<OpCase> GroupNorms()
    {
        foreach ((int batch, int height, int width, int channels, int groups) in GroupedMaps)
        {
            string detail = $"{batch}x{height}x{width}x{channels}, {groups} groups";
            yield return GroupNorm(detail, groups, mean: 0.5, spread: 2, batch, height, width, channels);
            foreach (bool frozen in new[] { false, true })
                yield return GroupNormBackward($"{detail}{(frozen ? ", frozen" : "")}", groups, frozen, batch, height, width, channels);
        }
        yield return GroupNorm("large mean, 2x9x7x24, 4 groups", 4, mean: 1000, spread: 1, 2, 9, 7, 24) with { Regime = "large mean" };
        yield return new("GroupNorm", "in place, 1x9x7x24, 3 groups", new(1.5e-6, 1e-6), space =>
        {
            Tensor x = space.RandomInPlace(1, 9, 7, 24), gamma = space.Random(24), beta = space.Random(24);
            return backend => backend.GroupNorm(x, gamma, beta, 3, 1e-5f, x);
        });
        yield return new("GroupNormBackward", "in place, 1x9x7x24, 3 groups", new(3e-6, 1e-6), space =>
        {
            Tensor x = space.Random(1, 9, 7, 24), dy = space.RandomInPlace(1, 9, 7, 24), gamma = space.Random(24);
            return backend => backend.GroupNormBackward(x, dy, gamma, 3, 1e-5f, dy, default, default);
        });
    }

    static OpCase GroupNorm(string detail, int groups, double mean, double spread, params int[] extents) =>
        new("GroupNorm", detail, new(1.5e-6 + 2e-9 * Math.Abs(mean) / spread, 1e-6), space =>
        {
            Tensor x = space.Spread(spread, mean, extents), gamma = space.Random(extents[3]), beta = space.Random(extents[3]), y = space.Output(extents);
            return backend => backend.GroupNorm(x, gamma, beta, groups, 1e-5f, y);
        });

    /// <summary>The parameters' gradients are added to what is there: sums over all pixels, of terms around 4 where <see cref="Tolerance.Sum"/> expects the whole to be 1.</summary>
    static OpCase GroupNormBackward(string detail, int groups, bool frozen, params int[] extents) =>
        new("GroupNormBackward", detail, new(3e-6 + 4 * Tolerance.Sum(extents[0] * extents[1] * extents[2]).Absolute, 1e-6), space =>
        {
            Tensor x = space.Spread(2, 0.5, extents), dy = space.Random(extents), gamma = space.Random(extents[3]), dx = space.Output(extents);
            Tensor dGamma = frozen ? default : space.RandomInPlace(extents[3]), dBeta = frozen ? default : space.RandomInPlace(extents[3]);
            return backend => backend.GroupNormBackward(x, dy, gamma, groups, 1e-5f, dx, dGamma, dBeta);
        });
}
