using ClipSegNative.Backends;
using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Conformance;

/// <summary>Losses and the optimiser.</summary>
static partial class OpTable
{
    public static readonly (string Name, MaskLosses Losses)[] LossKinds =
    [
        ("cross-entropy", new() { CrossEntropy = 1 }),
        ("dice", new() { Dice = 1 }),
        ("focal", new() { Focal = 1 }),
        ("focal, γ 1.5, α 0.6", new() { Focal = 2, FocalGamma = 1.5f, FocalAlpha = 0.6f }),
        ("Tversky", new() { Tversky = 1 }),
        ("all", new() { CrossEntropy = 0.5f, Dice = 2, Focal = 3, Tversky = 0.7f, FocalGamma = 0, TverskyAlpha = 0.6f, TverskyBeta = 1.1f, Smoothing = 0.25f }),
    ];

    /// <summary>Masks by the remainder of a pixel's index: none, all, one pixel of three.</summary>
    public static readonly (string Name, Func<int, bool> IsMasked)[] Masks = [("empty mask", i => false), ("full mask", i => true), ("a third masked", i => i % 3 == 0)];

    static IEnumerable<OpCase> LossCases()
    {
        foreach ((string kind, MaskLosses losses) in LossKinds)
        {
            foreach ((string mask, Func<int, bool> isMasked) in Masks)
            {
                foreach ((int maps, int pixels) in new[] { (1, 1), (3, 5), (2, 484), (1, 4097) })
                {
                    yield return MaskLoss(kind, losses, mask, isMasked, maps, pixels, spread: 3);
                    yield return MaskLossBackward(kind, losses, mask, isMasked, maps, pixels, spread: 3);
                }
                yield return MaskLoss(kind, losses, mask, isMasked, maps: 2, pixels: 333, spread: 46);
                yield return MaskLossBackward(kind, losses, mask, isMasked, maps: 2, pixels: 333, spread: 46);
            }
            // As after initialisation: every pixel adds the same number, whose rounding would not cancel.
            yield return MaskLoss(kind, losses, "a third masked", i => i % 3 == 0, maps: 1, pixels: 352 * 352, spread: 1e-3);
            yield return MaskLossBackward(kind, losses, "a third masked", i => i % 3 == 0, maps: 2, pixels: 176 * 176, spread: 5);
        }
    }

    static OpCase MaskLoss(string kind, MaskLosses losses, string mask, Func<int, bool> isMasked, int maps, int pixels, double spread) =>
        new("MaskLoss", $"{kind}, {maps}x{pixels} of spread {spread}, {mask}", new(1e-6, 5e-7), space =>
        {
            Tensor logits = space.SpreadInside(0, 1, spread, 0, maps, pixels), targets = Mask(space, isMasked, maps, pixels);
            Tensor sums = space.OutputInside(1, 0, maps, MaskLosses.Sums), y = space.Output(maps, 1);
            return backend => backend.MaskLoss(logits, targets, losses, sums, y);
        });

    /// <summary>Scaled so that a gradient is around 1.</summary>
    static OpCase MaskLossBackward(string kind, MaskLosses losses, string mask, Func<int, bool> isMasked, int maps, int pixels, double spread) =>
        new("MaskLossBackward", $"{kind}, {maps}x{pixels} of spread {spread}, {mask}", new(1e-6, 2e-6), space =>
        {
            Tensor logits = space.Spread(spread, 0, maps, pixels), targets = Mask(space, isMasked, maps, pixels);
            Tensor sums = space.Output(maps, MaskLosses.Sums), y = space.Output(maps, 1), dLogits = space.OutputInside(2, 1, maps, pixels);
            space.Prepare(backend => backend.MaskLoss(logits, targets, losses, sums, y));
            return backend => backend.MaskLossBackward(logits, targets, sums, losses, maps * pixels, dLogits);
        });

    static Tensor Mask(OpWorkspace space, Func<int, bool> isMasked, int maps, int pixels) =>
        space.Given([.. Enumerable.Range(0, maps * pixels).Select(i => isMasked(i) ? 1f : 0f)], maps, pixels);

    static IEnumerable<OpCase> Optimisers()
    {
        foreach ((int rows, int columns) in AwkwardSizes.Concat([(1, 4096), (1, 4097), (3, 70001)]))
            foreach (int left in new[] { 0, 3 })
            {
                yield return new("SumOfSquares", $"{rows}x{columns}, {left} from the left", new(0, 4e-7), space =>
                {
                    Tensor x = space.RandomInside(left, 0, rows, columns), sum = space.Output(1);
                    return backend => backend.SumOfSquares(x, sum);
                });
                yield return new("AdamW", $"{rows}x{columns}, {left} from the left", Tolerance.Elementwise, space =>
                {
                    Tensor dw = space.RandomInside(left, left, rows, columns), w = space.RandomInPlace(rows, columns), m = space.RandomInPlace(rows, columns);
                    Tensor v = space.InPlace([.. Enumerable.Range(0, rows * columns).Select(i => i % 7 * 0.15f)], rows, columns);
                    Tensor settings = space.Given([1e-3f, 0.01f, 0.9f, 0.999f, 1e-8f, 3.69f, 333.6f, 0.5f], AdamWSettings.Count);
                    return backend => backend.AdamW(dw, settings, w, m, v);
                });
            }
    }
}
