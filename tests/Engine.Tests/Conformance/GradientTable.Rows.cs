using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Conformance;

/// <summary>Row-wise operations and those that move rows or resample maps.</summary>
static partial class GradientTable
{
    static IEnumerable<GradientCase> Rows()
    {
        foreach ((int rows, int columns, int repeats) in new[] { (1, 1, 1), (6, 3, 2), (6, 3, 6) })
        {
            yield return new("AddBackward", $"{rows}x{columns}, repeats {repeats} times", space =>
            {
                Variable x = space.Activation("x", rows, columns), r = space.Parameter("r", rows / repeats, columns);
                Result y = space.Result(rows, columns);
                return new(
                    backend => backend.Add(x.Value, r.Value, y.Value),
                    backend =>
                    {
                        backend.Copy(y.Gradient, x.Gradient);
                        backend.AddBackward(y.Gradient, r.Gradient);
                    });
            });
        }
        foreach (Activation activation in Enum.GetValues<Activation>())
        {
            yield return new("ActivateBackward", $"{activation}", space =>
            {
                Variable x = space.Activation("x", 5, 4);
                Result y = space.Result(5, 4);
                return new(
                    backend => backend.Activate(x.Value, activation, y.Value),
                    backend => backend.ActivateBackward(x.Value, y.Gradient, activation, x.Gradient));
            });
        }
        foreach ((int rows, int columns) in new[] { (1, 1), (3, 2), (4, 7) })
        {
            yield return new("LayerNormBackward", $"{rows}x{columns}", space =>
            {
                Variable x = space.Activation("x", rows, columns), gamma = space.Parameter("γ", columns), beta = space.Parameter("β", columns);
                Result y = space.Result(rows, columns);
                return new(
                    backend => backend.LayerNorm(x.Value, gamma.Value, beta.Value, 0.1f, y.Value),
                    backend => backend.LayerNormBackward(x.Value, y.Gradient, gamma.Value, 0.1f, x.Gradient, gamma.Gradient, beta.Gradient));
            });
        }
        foreach ((int batch, int height, int width, int channels, int groups) in new[] { (2, 2, 3, 6, 3), (1, 3, 1, 4, 1), (2, 1, 2, 3, 3) })
        {
            yield return new("GroupNormBackward", $"{batch}x{height}x{width}x{channels}, {groups} groups", space =>
            {
                Variable x = space.Activation("x", batch, height, width, channels), gamma = space.Parameter("gamma", channels), beta = space.Parameter("beta", channels);
                Result y = space.Result(batch, height, width, channels);
                return new(
                    backend => backend.GroupNorm(x.Value, gamma.Value, beta.Value, groups, 0.1f, y.Value),
                    backend => backend.GroupNormBackward(x.Value, y.Gradient, gamma.Value, groups, 0.1f, x.Gradient, gamma.Gradient, beta.Gradient));
            });
        }
        foreach ((int batch, int entries) in new[] { (1, 1), (3, 3), (3, 1) })
        {
            yield return new("FilmBackward", $"{batch} of {entries}", space =>
            {
                Variable x = space.Activation("x", entries, 2, 3), scale = space.Activation("scale", batch, 3), shift = space.Activation("shift", batch, 3);
                Result y = space.Result(batch, 2, 3);
                return new(
                    backend => backend.Film(x.Value, scale.Value, shift.Value, y.Value),
                    backend => backend.FilmBackward(x.Value, scale.Value, y.Gradient, x.Gradient, scale.Gradient, shift.Gradient));
            });
        }
        yield return new("GatherRowsBackward", "5 of 4x3", space =>
        {
            Variable table = space.Parameter("table", 4, 3);
            Result y = space.Result(5, 3);
            Tensor indices = space.Indices(3, 0, 3, 1, 3);
            return new(
                backend => backend.GatherRows(table.Value, indices, y.Value),
                backend => backend.GatherRowsBackward(y.Gradient, indices, table.Gradient));
        });
        yield return new("PrependClassTokenBackward", "2x3x4", space =>
        {
            Variable tokens = space.Activation("tokens", 2, 3, 4), classToken = space.Parameter("class token", 4), positions = space.Parameter("positions", 4, 4);
            Result y = space.Result(2, 4, 4);
            return new(
                backend => backend.PrependClassToken(tokens.Value, classToken.Value, positions.Value, y.Value),
                backend => backend.PrependClassTokenBackward(y.Gradient, tokens.Gradient, classToken.Gradient, positions.Gradient));
        });
        foreach ((int first, int count) in new[] { (0, 4), (1, 3), (1, 2), (3, 1) })
        {
            yield return new("SliceTokensBackward", $"{count} from {first} of 4", space =>
            {
                Variable x = space.Activation("x", 2, 4, 3);
                Result y = space.Result(2, count, 3);
                return new(
                    backend => backend.SliceTokens(x.Value, first, y.Value),
                    backend => backend.SliceTokensBackward(y.Gradient, first, x.Gradient));
            });
        }
    }

    static IEnumerable<GradientCase> Maps()
    {
        foreach ((int kernel, int stride, int padding) in new[] { (2, 2, 0), (3, 2, 1), (3, 1, 1), (2, 3, 0) })
        {
            yield return new("FoldBackward", $"kernel {kernel}, stride {stride}, padding {padding}", space =>
            {
                int height = stride - 2 * padding + kernel, width = 2 * stride - 2 * padding + kernel;
                Variable columns = space.Activation("columns", 2, 2, 3, kernel * kernel * 2), bias = space.Parameter("bias", 2);
                Result y = space.Result(2, height, width, 2);
                return new(
                    backend => backend.Fold(columns.Value, kernel, stride, padding, bias.Value, y.Value),
                    backend =>
                    {
                        backend.FoldBackward(y.Gradient, kernel, stride, padding, columns.Gradient);
                        backend.AddBackward(y.Gradient, bias.Gradient);
                    });
            });
        }
        foreach (ResizeMode mode in Enum.GetValues<ResizeMode>())
            foreach ((int height, int width) in new[] { (7, 8), (2, 3), (4, 3), (1, 1) })
            {
                yield return new("ResizeBackward", $"4x3 to {height}x{width}, {mode}", space =>
                {
                    Variable x = space.Activation("x", 2, 4, 3, 2);
                    Result y = space.Result(2, height, width, 2);
                    return new(
                        backend => backend.Resize(x.Value, mode, y.Value),
                        backend => backend.ResizeBackward(y.Gradient, mode, x.Gradient));
                });
            }
    }

    /// <summary>The mean of the losses, so each counts scale / maps times.</summary>
    static IEnumerable<GradientCase> Losses()
    {
        foreach ((string kind, MaskLosses losses) in OpTable.LossKinds)
            foreach ((string mask, Func<int, bool> isMasked) in OpTable.Masks)
            {
                yield return new("MaskLossBackward", $"{kind}, {mask}", space =>
                {
                    const float Scale = 10;
                    Variable logits = space.Activation("logits", 4, 7);
                    Tensor targets = space.Constant([.. Enumerable.Range(0, 28).Select(i => isMasked(i) ? 1f : 0f)], 4, 7), sums = space.Between(4, MaskLosses.Sums);
                    Result y = space.Summed(Scale / 4, 4, 1);
                    return new(
                        backend => backend.MaskLoss(logits.Value, targets, losses, sums, y.Value),
                        backend => backend.MaskLossBackward(logits.Value, targets, sums, losses, Scale, logits.Gradient));
                });
            }
    }
}
