using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Conformance;

/// <summary>Gradients of row-wise operations and of those that move rows or resample maps. Those of parameters start from what is there.</summary>
static partial class OpTable
{
    static IEnumerable<OpCase> ElementwiseGradients()
    {
        foreach ((int rows, int columns) in AwkwardSizes)
        {
            yield return new("Fill", $"{rows}x{columns}", Tolerance.Exact, space =>
            {
                Tensor y = space.OutputInside(1, 2, rows, columns);
                return backend => backend.Fill(-0.3f, y);
            });
            yield return AddBackward(rows, columns, repeats: rows, left: 0);
            yield return AddBackward(3 * rows, columns, repeats: 3, left: 1);
            foreach (Activation activation in Enum.GetValues<Activation>())
            {
                yield return new("ActivateBackward", $"{rows}x{columns}, {activation}", SlopeTolerance(activation), space =>
                {
                    Tensor x = space.Spread(3, 0, rows, columns), dy = space.RandomInside(1, 0, rows, columns), dx = space.OutputInside(0, 3, rows, columns);
                    return backend => backend.ActivateBackward(x, dy, activation, dx);
                });
            }
        }
        foreach ((int rows, int columns) in new[] { (300, 1), (1025, 3), (257, 255), (64 * 64 + 1, 1), (485 * 4, 96) }) yield return AddBackward(rows, columns, repeats: rows, left: 0);
        yield return AddBackward(1025, 3, repeats: 1025, left: 2);
        yield return AddBackward(4 * 485, 96, repeats: 4, left: 0);
        foreach (Activation activation in Enum.GetValues<Activation>())
        {
            yield return new("ActivateBackward", $"extremes, {activation}", SlopeTolerance(activation), space =>
            {
                Tensor x = space.Given(Extremes, 1, Extremes.Length), dy = space.Random(1, Extremes.Length), dx = space.Output(1, Extremes.Length);
                return backend => backend.ActivateBackward(x, dy, activation, dx);
            });
            yield return new("ActivateBackward", $"485x300 in place, {activation}", SlopeTolerance(activation), space =>
            {
                Tensor x = space.Random(485, 300), dy = space.RandomInPlace(485, 300);
                return backend => backend.ActivateBackward(x, dy, activation, dy);
            });
        }
    }

    static OpCase AddBackward(int rows, int columns, int repeats, int left) =>
        new("AddBackward", $"{rows}x{columns}, repeats {repeats} times, {left} from the left", Tolerance.Total(repeats), space =>
        {
            Tensor dy = space.RandomInside(left, left, rows, columns), dr = space.RandomInPlace(rows / repeats, columns);
            return backend => backend.AddBackward(dy, dr);
        });

    /// <summary>GELU's slope has the 0.75e-7 of Φ and the exponential's relative error, both times a gradient below 2.</summary>
    static Tolerance SlopeTolerance(Activation activation) => activation switch
    {
        Activation.None or Activation.Relu => Tolerance.Exact,
        _ => new(4e-7, 6e-7),
    };

    static IEnumerable<OpCase> NormGradients()
    {
        foreach ((int rows, int columns) in AwkwardSizes) yield return LayerNormBackward(rows, columns, mean: 0, spread: 1, left: rows % 2);
        yield return LayerNormBackward(485, 768, mean: 0.5, spread: 2, left: 0);
        yield return LayerNormBackward(7, 64, mean: 0, spread: 1e-3, left: 0);
        yield return LayerNormBackward(129, 64, mean: 1000, spread: 1, left: 0);
        (string Name, bool Gamma, bool Beta)[] frozen = [("dGamma", false, true), ("dBeta", true, false), ("dGamma, dBeta", false, false)];
        foreach ((string name, bool isGamma, bool isBeta) in frozen)
        {
            yield return new("LayerNormBackward", $"65x33 in place without {name}", NormGradientTolerance(65, 0, 1), space =>
            {
                Tensor x = space.Random(65, 33), dx = space.RandomInPlace(65, 33), gamma = space.Random(33);
                Tensor dGamma = isGamma ? space.RandomInPlace(33) : default, dBeta = isBeta ? space.RandomInPlace(33) : default;
                return backend => backend.LayerNormBackward(x, dx, gamma, 1e-5f, dx, dGamma, dBeta);
            });
        }
        (int Batch, int Entries, int Tokens, int Columns)[] films = [(1, 1, 1, 1), (3, 3, 5, 7), (3, 1, 5, 16), (5, 1, 485, 64), (5, 5, 4, 33), (4, 1, 1, 31)];
        foreach ((int batch, int entries, int tokens, int columns) in films)
            foreach (bool input in new[] { true, false })
            {
                yield return new("FilmBackward", $"{batch}x{tokens}x{columns} of {entries}{(input ? "" : " without dx")}", Tolerance.Total(Math.Max(tokens, batch)), space =>
                {
                    Tensor x = space.RandomInside(0, 1, entries, tokens, columns), scale = space.RandomInside(0, 3, batch, columns);
                    Tensor dy = space.Random(batch, tokens, columns), dx = input ? space.Output(entries, tokens, columns) : default;
                    Tensor dScale = space.OutputInside(0, columns, batch, columns), dShift = space.OutputInside(columns, 0, batch, columns);
                    return backend => backend.FilmBackward(x, scale, dy, dx, dScale, dShift);
                });
            }
    }

    static OpCase LayerNormBackward(int rows, int columns, double mean, double spread, int left) =>
        new("LayerNormBackward", $"{rows}x{columns}, mean {mean}, spread {spread}", NormGradientTolerance(rows, mean, spread), space =>
        {
            Tensor x = space.SpreadInside(left, left, spread, mean, rows, columns), dy = space.Random(rows, columns), gamma = space.Random(columns);
            Tensor dx = space.OutputInside(0, left, rows, columns), dGamma = space.RandomInPlace(columns), dBeta = space.RandomInPlace(columns);
            return backend => backend.LayerNormBackward(x, dy, gamma, 1e-5f, dx, dGamma, dBeta);
        })
        { Regime = Math.Abs(mean) > 100 * spread ? "large mean" : "" };

    /// <summary>dx is divided by the deviation; the mean is only known to a float32's precision.</summary>
    static Tolerance NormGradientTolerance(int rows, double mean, double spread) =>
        new(Tolerance.Total(rows).Absolute + (1.5e-6 + 2e-9 * Math.Abs(mean) / spread) * Math.Max(1, 1 / spread), 1.5e-6);

    static IEnumerable<OpCase> TokenGradients()
    {
        foreach (int columns in new[] { 1, 7, 16, 33, 768 })
        {
            yield return new("GatherRowsBackward", $"12 of 9x{columns}", Tolerance.Total(4), space =>
            {
                Tensor dy = space.RandomInside(1, 1, 12, columns), dTable = space.RandomInPlace(9, columns);
                Tensor indices = space.Indices(8, 0, 0, 3, 8, 1, 2, 7, 6, 5, 0, 3);
                return backend => backend.GatherRowsBackward(dy, indices, dTable);
            });
        }
        yield return new("GatherRowsBackward", "2000 of 5x80", Tolerance.Total(800), space =>
        {
            Tensor dy = space.Random(2000, 80), dTable = space.RandomInPlace(5, 80), indices = space.Indices([.. Enumerable.Range(0, 2000).Select(i => i * i % 5)]);
            return backend => backend.GatherRowsBackward(dy, indices, dTable);
        });
        foreach ((int batch, int tokens, int columns) in new[] { (1, 1, 1), (2, 4, 7), (3, 13, 16), (1, 484, 64), (2, 9, 33) })
        {
            foreach ((string detail, bool isClassToken, bool isPositions) in new[] { ("", true, true), (" without dClassToken", false, true), (" without dPositions", true, false) })
            {
                yield return new("PrependClassTokenBackward", $"{batch}x{tokens}x{columns}{detail}", Tolerance.Total(batch), space =>
                {
                    Tensor dy = space.RandomInside(2, 0, batch, tokens + 1, columns), dTokens = space.OutputInside(0, 1, batch, tokens, columns);
                    Tensor dClassToken = isClassToken ? space.RandomInPlace(columns) : default;
                    Tensor dPositions = isPositions ? space.RandomInPlace(tokens + 1, columns) : default;
                    return backend => backend.PrependClassTokenBackward(dy, dTokens, dClassToken, dPositions);
                });
            }
            (int First, int Count)[] ranges = [(0, 1), (tokens - 1, 1), (1, tokens - 1), (0, tokens)];
            foreach ((int first, int count) in ranges.Where(range => range.Count > 0).Distinct())
            {
                yield return new("SliceTokensBackward", $"{count} from {first} of {batch}x{tokens}x{columns}", Tolerance.Exact, space =>
                {
                    Tensor dy = space.RandomInside(0, 1, batch, count, columns), dx = space.OutputInside(1, 0, batch, tokens, columns);
                    return backend => backend.SliceTokensBackward(dy, first, dx);
                });
            }
        }
    }

    static IEnumerable<OpCase> MapGradients()
    {
        foreach ((int kernel, int stride, int padding) in FoldKinds)
            foreach ((int batch, int height, int width, int channels) in FoldMaps)
            {
                int outHeight = (height - 1) * stride - 2 * padding + kernel, outWidth = (width - 1) * stride - 2 * padding + kernel;
                if (outHeight < 1 || outWidth < 1) continue;
                yield return new("FoldBackward", $"{batch}x{height}x{width}x{channels}, kernel {kernel}, stride {stride}, padding {padding}", Tolerance.Exact, space =>
                {
                    Tensor dy = space.Random(batch, outHeight, outWidth, channels), dColumns = space.OutputInside(0, height, batch, height, width, kernel * kernel * channels);
                    return backend => backend.FoldBackward(dy, kernel, stride, padding, dColumns);
                });
            }
        foreach ((int height, int width, int fromHeight, int fromWidth) in ResizeSizes.Append((11, 11, 176, 176)))
            foreach (ResizeMode mode in Enum.GetValues<ResizeMode>())
                foreach ((int batch, int channels) in new[] { (1, 1), (2, 3), (1, 16) })
                {
                    // As many pixels of dy meet in one of dx as the map had grown by, and their neighbours.
                    int depth = (fromHeight / height + 4) * (fromWidth / width + 4);
                    yield return new("ResizeBackward", $"{batch}x{height}x{width}x{channels} from {fromHeight}x{fromWidth}, {mode}", Tolerance.Total(depth), space =>
                    {
                        Tensor dy = space.Random(batch, fromHeight, fromWidth, channels), dx = space.Output(batch, height, width, channels);
                        return backend => backend.ResizeBackward(dy, mode, dx);
                    });
                }
    }
}
