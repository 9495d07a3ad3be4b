using ClipSegNative.Tensors;

namespace ClipSegNative.Tests.Conformance;

/// <summary>Attention over head sizes, numbers of keys, masks.</summary>
static partial class OpTable
{
    static IEnumerable<OpCase> Attentions()
    {
        (int Size, int Heads)[] shapes = [(4, 1), (12, 2), (16, 3), (32, 2), (64, 2), (7, 3)];
        foreach ((int size, int heads) in shapes)
            foreach (int keys in new[] { 1, 2, 9, 17, 37 })
            {
                int batch = (size + keys) % 2 == 0 ? 3 : 1;
                yield return Attention(batch, heads, size, queries: keys == 17 ? 5 : keys == 9 ? 31 : keys, keys, causal: false);
                yield return Attention(batch, heads, size, queries: keys == 37 ? 14 : keys, keys, causal: true);
            }
        yield return Attention(batch: 1, heads: 2, size: 64, queries: 485, keys: 485, causal: false);
        yield return Attention(batch: 3, heads: 4, size: 16, queries: 77, keys: 77, causal: true);
        yield return Attention(batch: 1, heads: 1, size: 64, queries: 1, keys: 485, causal: false);
        foreach (bool causal in new[] { false, true })
        {
            yield return LargeLogits(size: 16, keys: 37, causal);
            yield return LargeLogits(size: 64, keys: 9, causal);
            yield return OneMatrix(batch: 3, tokens: 13, heads: 3, size: 12, causal);
            yield return OneMatrix(batch: 1, tokens: 37, heads: 2, size: 64, causal);
        }
    }

    static OpCase Attention(int batch, int heads, int size, int queries, int keys, bool causal) =>
        new("Attention", $"{batch}x{heads}x{size}, {queries} queries, {keys} keys{Mask(causal)}", AttentionTolerance(size, keys, largestLogit: 8), space =>
        {
            Tensor q = space.Random(batch, queries, heads * size), k = space.Random(batch, keys, heads * size), v = space.Random(batch, keys, heads * size);
            Tensor y = space.Output(batch, queries, heads * size);
            return backend => backend.Attention(q, k, v, heads, causal, y);
        });

    /// <summary>Logits of either sign around 80, and up to twice that: exponentials that overflow unless the largest logit goes first.</summary>
    static OpCase LargeLogits(int size, int keys, bool causal) =>
        new("Attention", $"large logits, head size {size}, {keys} keys{Mask(causal)}", AttentionTolerance(size, keys, largestLogit: 320), space =>
        {
            double scale = Math.Sqrt(80);
            Tensor q = space.Spread(scale, 0, 1, keys, 2 * size), k = space.Spread(scale, 0, 1, keys, 2 * size), v = space.Random(1, keys, 2 * size);
            Tensor y = space.Output(1, keys, 2 * size);
            return backend => backend.Attention(q, k, v, heads: 2, causal, y);
        })
        { Regime = "large logits" };

    /// <summary>q, k and v as column ranges of one projection, the result inside a wider matrix.</summary>
    static OpCase OneMatrix(int batch, int tokens, int heads, int size, bool causal) =>
        new("Attention", $"{batch}x{heads}x{size}, {tokens} tokens of one matrix{Mask(causal)}", AttentionTolerance(size, tokens, largestLogit: 8), space =>
        {
            int channels = heads * size;
            Tensor qkv = space.Random(batch, tokens, 3 * channels), y = space.OutputInside(4, 4, batch, tokens, channels);
            Tensor q = qkv.ColumnRange(0, channels), k = qkv.ColumnRange(channels, channels), v = qkv.ColumnRange(2 * channels, channels);
            return backend => backend.Attention(q, k, v, heads, causal, y);
        });

    static string Mask(bool causal) => causal ? ", causal" : "";

    /// <summary>The exponential turns the absolute error of a logit into a relative one of its weight.</summary>
    static Tolerance AttentionTolerance(int size, int keys, double largestLogit)
    {
        double logit = Tolerance.Sum(size).Absolute * (1 + largestLogit / 8);
        return new Tolerance(logit + Tolerance.Sum(keys).Absolute, 4e-7);
    }
}
