using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Conformance;

/// <summary>Element-wise functions, norms and operations that move tokens.</summary>
static partial class OpTable
{
    static readonly (int Rows, int Columns)[] AwkwardSizes = [(1, 1), (5, 3), (13, 4), (14, 7), (15, 12), (31, 16), (5, 31), (14, 33), (1, 768), (31, 48)];

    /// <summary>Where an exponential saturates, overflows or is denormal.</summary>
    static readonly float[] Extremes =
        [1e4f, -1e4f, 0, -0f, 1e-40f, -1e-40f, float.Epsilon, 88, -88, 87.3f, -87.3f, 104, -104, 1e-8f, -1e-8f, 5, -5, 13, -13];

    static IEnumerable<OpCase> Elementwise()
    {
        foreach ((int rows, int columns) in AwkwardSizes)
        {
            yield return new("Copy", $"{rows}x{columns}", Tolerance.Exact, space =>
            {
                Tensor x = space.Random(rows, columns), y = space.Output(rows, columns);
                return backend => backend.Copy(x, y);
            });
            yield return new("Copy", $"{rows}x{columns}, column ranges", Tolerance.Exact, space =>
            {
                Tensor x = space.RandomInside(2, 5, rows, columns), y = space.OutputInside(1, 0, rows, columns);
                return backend => backend.Copy(x, y);
            });
            yield return Add(rows, columns, repeats: 1);
            if (rows > 1) yield return Add(rows, columns, repeats: rows);
            foreach (Activation activation in Enum.GetValues<Activation>())
            {
                yield return new("Activate", $"{rows}x{columns}, {activation}", ActivateTolerance(activation), space =>
                {
                    Tensor x = space.Spread(3, 0, rows, columns), y = space.Output(rows, columns);
                    return backend => backend.Activate(x, activation, y);
                });
            }
        }
        yield return Add(3 * 485, 64, repeats: 3);
        yield return new("Add", "15x33 in place", Tolerance.Elementwise, space =>
        {
            Tensor x = space.RandomInPlace(15, 33), r = space.Random(5, 33);
            return backend => backend.Add(x, r, x);
        });
        foreach (Activation activation in Enum.GetValues<Activation>())
        {
            yield return new("Activate", $"extremes, {activation}", ActivateTolerance(activation), space =>
            {
                Tensor x = space.Given(Extremes, 1, Extremes.Length), y = space.Output(1, Extremes.Length);
                return backend => backend.Activate(x, activation, y);
            });
            yield return new("Activate", $"485x48 in place, {activation}", ActivateTolerance(activation), space =>
            {
                Tensor x = space.RandomInPlace(485, 48);
                return backend => backend.Activate(x, activation, x);
            });
        }
    }

    static OpCase Add(int rows, int columns, int repeats) =>
        new("Add", $"{rows}x{columns}, repeats {repeats} times", Tolerance.Elementwise, space =>
        {
            Tensor x = space.Random(rows, columns), r = space.RandomInside(1, 2, rows / repeats, columns), y = space.OutputInside(3, 0, rows, columns);
            return backend => backend.Add(x, r, y);
        });

    /// <summary>GELU carries the 1.5e-7 of its error function times half of x.</summary>
    static Tolerance ActivateTolerance(Activation activation) => activation switch
    {
        Activation.None or Activation.Relu => Tolerance.Exact,
        Activation.Gelu => new(6e-7, 2e-7),
        _ => new(3e-7, 4e-7),
    };

    static IEnumerable<OpCase> Norms()
    {
        foreach ((int rows, int columns) in AwkwardSizes) yield return LayerNorm(rows, columns, mean: 0, spread: 1, left: rows % 2);
        yield return LayerNorm(485, 768, mean: 0.5, spread: 2, left: 0);
        yield return LayerNorm(7, 64, mean: 0, spread: 1e-3, left: 0);
        yield return LayerNorm(14, 768, mean: 1000, spread: 1, left: 0);
        yield return LayerNorm(5, 31, mean: -1000, spread: 1, left: 3);
        yield return new("LayerNorm", "rows without variance", new(1e-6, 0), space =>
        {
            Tensor x = space.Given([.. Enumerable.Repeat(3f, 3 * 48)], 3, 48), gamma = space.Random(48), beta = space.Random(48), y = space.Output(3, 48);
            return backend => backend.LayerNorm(x, gamma, beta, 1e-5f, y);
        });
        yield return new("LayerNorm", "15x33 in place", new(1e-6, 1e-6), space =>
        {
            Tensor x = space.RandomInPlace(15, 33), gamma = space.Random(33), beta = space.Random(33);
            return backend => backend.LayerNorm(x, gamma, beta, 1e-5f, x);
        });
        (int Batch, int Entries, int Tokens, int Columns)[] films = [(1, 1, 1, 1), (3, 3, 5, 7), (3, 1, 5, 16), (2, 1, 485, 64), (5, 5, 4, 33), (4, 1, 1, 31)];
        foreach ((int batch, int entries, int tokens, int columns) in films)
        {
            yield return new("Film", $"{batch}x{tokens}x{columns} of {entries}", Tolerance.Elementwise, space =>
            {
                Tensor x = space.Random(entries, tokens, columns), y = space.Output(batch, tokens, columns);
                Tensor scale = space.RandomInside(0, 3, batch, columns), shift = space.RandomInside(columns, 0, batch, columns);
                return backend => backend.Film(x, scale, shift, y);
            });
        }
    }

    /// <summary>The mean itself is only known to a float32's precision, which the division by a small deviation magnifies.</summary>
    static OpCase LayerNorm(int rows, int columns, double mean, double spread, int left) =>
        new("LayerNorm", $"{rows}x{columns}, mean {mean}, spread {spread}", new(1.5e-6 + 2e-9 * Math.Abs(mean) / spread, 1e-6), space =>
        {
            Tensor x = left == 0 ? space.Spread(spread, mean, rows, columns) : space.SpreadInside(left, 2, spread, mean, rows, columns);
            Tensor gamma = space.Random(columns), beta = space.Random(columns), y = space.OutputInside(0, left, rows, columns);
            return backend => backend.LayerNorm(x, gamma, beta, 1e-5f, y);
        })
        { Regime = Math.Abs(mean) > 100 * spread ? "large mean" : "" };

    static IEnumerable<OpCase> Tokens()
    {
        foreach (int columns in new[] { 1, 7, 16, 33, 768 })
        {
            yield return new("GatherRows", $"12 of 9x{columns}", Tolerance.Exact, space =>
            {
                Tensor table = space.RandomInside(1, 1, 9, columns), y = space.Output(12, columns);
                Tensor indices = space.Indices(8, 0, 0, 3, 8, 1, 2, 7, 6, 5, 4, 3);
                return backend => backend.GatherRows(table, indices, y);
            });
        }
        yield return new("GatherRows", "one row", Tolerance.Exact, space =>
        {
            Tensor table = space.Random(49, 12), indices = space.Indices(48), y = space.OutputInside(2, 2, 1, 12);
            return backend => backend.GatherRows(table, indices, y);
        });
        foreach ((int batch, int tokens, int columns) in new[] { (1, 1, 1), (2, 4, 7), (3, 13, 16), (1, 484, 64), (2, 9, 33) })
        {
            yield return new("PrependClassToken", $"{batch}x{tokens}x{columns}", Tolerance.Elementwise, space =>
            {
                Tensor x = space.Random(batch, tokens, columns), classToken = space.Random(columns), positions = space.Random(tokens + 1, columns);
                Tensor y = space.Output(batch, tokens + 1, columns);
                return backend => backend.PrependClassToken(x, classToken, positions, y);
            });
            (int First, int Count)[] ranges = [(0, 1), (tokens - 1, 1), (1, tokens - 1), (0, tokens)];
            foreach ((int first, int count) in ranges.Where(range => range.Count > 0).Distinct())
            {
                yield return new("SliceTokens", $"{count} from {first} of {batch}x{tokens}x{columns}", Tolerance.Exact, space =>
                {
                    Tensor x = space.RandomInside(0, 1, batch, tokens, columns), y = space.Output(batch, count, columns);
                    return backend => backend.SliceTokens(x, first, y);
                });
            }
        }
    }
}
